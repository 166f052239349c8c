package dev.understudy.core.simulator;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The application: writes rows with unique ids through the writer address and to database hosts directly, and
/// remembers which were acknowledged; reads through the writer address and expects them all.
final class Clients {

    private final Site site;
    private final Dice dice;
    private final Life life = new Life();
    private final List<Row> acknowledged = new ArrayList<>();
    private final Set<Row> destroyed = new HashSet<>();
    private long ids;
    private long busy = 60;

    Clients(Site site) {
        this.site = site;
        dice = new Dice(site.seed, "clients");
    }

    void begin() {
        busy = dice.between(20, 250);
        writeOn();
        readOn();
    }

    List<Row> acknowledged() {
        return acknowledged;
    }

    /// Rows that a crash took from a server. Those that no server has any more, in any log, are destroyed: two
    /// crashes did it, and no choice of a primary can bring them back. (A client's write that was repeated on the
    /// way is two rows with one id.)
    void crashTook(List<Row> rows) {
        for (Row row : rows) {
            boolean somewhere = site.hosts().stream()
                    .anyMatch(h -> h.database != null && (h.database.contains(row) || h.hasInRelayLog(row)));
            if (!somewhere) {
                destroyed.add(row);
            }
        }
    }

    boolean isDestroyed(Row row) {
        return destroyed.contains(row);
    }

    /// How many acknowledged rows two crashes destroyed.
    long lostToCrashes() {
        return acknowledged.stream().filter(this::isDestroyed).count();
    }

    private void writeOn() {
        write(dice.chance(0.85) ? behindTheAddress() : site.host(dice.pick(Site.DATABASES)));
        site.agenda.in(dice.millis(busy, busy * 4), this::writeOn);
    }

    private void readOn() {
        read(behindTheAddress());
        site.agenda.in(dice.millis(400, 900), this::readOn);
    }

    /// Where packets to the writer address arrive.
    private @Nullable SimHost behindTheAddress() {
        return site.hosts().stream()
                .filter(h -> h.database != null && h.kernel.live(Site.PRIMARY))
                .findFirst()
                .orElse(null);
    }

    private void write(@Nullable SimHost host) {
        if (host == null || host.database == null) {
            return;
        }
        long id = ++ids;
        SimDatabase database = host.database;
        Life run = database.life();
        site.network.send(Site.CLIENTS, host.name, () -> {
            if (database.gateOpen() && database.up()) {
                host.machine.run(run, () -> commit(host, database, run, id));
            }
        });
    }

    private void commit(SimHost host, SimDatabase database, Life run, long id) {
        if (database.readOnly() || !run.alive()) {
            return;
        }
        database.commit(id, row -> {
            if (database.gateOpen() && host.machine.on()) {
                site.network.send(host.name, Site.CLIENTS, () -> acknowledged(row, host));
            }
        });
    }

    private void acknowledged(Row row, SimHost host) {
        if (life.alive()) {
            acknowledged.add(row);
            site.witness.acknowledged(row, host);
        }
    }

    private void read(@Nullable SimHost host) {
        if (host == null || host.database == null || acknowledged.isEmpty()) {
            return;
        }
        SimDatabase database = host.database;
        int known = acknowledged.size();
        site.network.send(Site.CLIENTS, host.name, () -> {
            if (database.canAcknowledge()) {
                site.witness.read(database, acknowledged.subList(Math.max(0, known - 20), known));
            }
        });
    }
}
