package dev.understudy.core.simulator;

import dev.understudy.protocol.Observation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The replica half of a database: the relay log, the receiver (connects again by itself while it is started), the
/// applier. A restart of the server loses what is received and not applied (`relay_log_recovery`, S18), and starts
/// neither thread (`skip-slave-start`, S15).
final class SimReplica {

    enum Receiver {
        NO("No"),
        CONNECTING("Connecting"),
        YES("Yes");

        final String said;

        Receiver(String said) {
            this.said = said;
        }
    }

    static final int NOT_IN_PRIMARYS_LOG = 1236;
    private static final long CONNECT_AGAIN = 400;
    private static final long NETWORK_TIMEOUT = 3 * Agenda.SECOND;

    private final Site site;
    private final SimDatabase database;
    private final Dice dice;
    private final List<Row> relay = new ArrayList<>();
    private @Nullable SimDatabase source;
    private @Nullable SimDatabase cutOff;
    private @Nullable Dump dump;
    private Receiver receiver = Receiver.NO;
    private boolean applier;
    private boolean applying;
    private boolean semiSync;
    private boolean ran;
    private int errno;
    private long silentSince = -1;
    private long slowUntil;
    private int started;

    SimReplica(Site site, SimDatabase database) {
        this.site = site;
        this.database = database;
        this.dice = new Dice(site.seed, "replica " + database.host.name);
    }

    @Nullable
    SimDatabase source() {
        return source;
    }

    Receiver receiver() {
        return receiver;
    }

    boolean applier() {
        return applier;
    }

    boolean semiSync() {
        return semiSync;
    }

    int errno() {
        return errno;
    }

    List<Row> relay() {
        return relay;
    }

    boolean allApplied() {
        return relay.isEmpty();
    }

    /// How many rows it has, applied or not.
    int rows() {
        return database.binlog().size() + relay.size();
    }

    @Nullable
    Row lastReceived() {
        return relay.isEmpty() ? database.last() : relay.getLast();
    }

    String receivedPosition() {
        Row last = lastReceived();
        return last == null || !ran ? "" : last.gtid();
    }

    void slowUntil(long until) {
        slowUntil = until;
    }

    /// CHANGE MASTER, then START: the relay log is purged, the receiver connects.
    void follow(SimDatabase primary) {
        stopReceiver();
        relay.clear();
        source = primary;
        semiSync = true;
        startReceiver();
        startApplier();
    }

    void startReceiver() {
        ran = true;
        errno = 0;
        receiver = Receiver.CONNECTING;
        connect(database.life(), ++started);
    }

    void startApplier() {
        applier = true;
        apply();
    }

    void stopReceiver() {
        if (dump != null) {
            dump.end();
            dump = null;
        }
        receiver = Receiver.NO;
    }

    void stopApplier() {
        applier = false;
    }

    void purgeRelay() {
        relay.clear();
    }

    /// RESET SLAVE ALL.
    void forget() {
        stopReceiver();
        applier = false;
        relay.clear();
        source = null;
        ran = false;
        errno = 0;
    }

    void semiSync(boolean enabled) {
        semiSync = enabled;
    }

    /// The kernel rule that rejects a primary with a reset (S19).
    void cutOff(@Nullable SimDatabase primary) {
        cutOff = primary;
        if (primary != null && dump != null && dump.primary() == primary) {
            lost();
        }
    }

    void serverEnded() {
        if (dump != null) {
            dump.end();
            dump = null;
        }
        if (!relay.isEmpty()) {
            int rows = relay.size();
            site.tell(() -> database.host.name + ": " + rows + " received rows are lost with the relay log");
        }
        List<Row> gone = List.copyOf(relay);
        relay.clear();
        site.clients.crashTook(gone);
        receiver = Receiver.NO;
        applier = false;
        applying = false;
    }

    void serverStarted() {
        semiSync = false;
        ran = false;
        errno = 0;
    }

    void powerLost() {
        cutOff = null;
    }

    void received(List<Row> rows) {
        relay.addAll(rows);
        silentSince = -1;
        apply();
    }

    private void connect(Life life, int start) {
        if (receiver == Receiver.CONNECTING) {
            tryToConnect();
        } else if (receiver == Receiver.YES) {
            watch();
        }
        if (receiver != Receiver.NO) {
            database.host.machine.later(CONNECT_AGAIN, life, () -> {
                if (receiver != Receiver.NO && start == started) {
                    connect(life, start);
                }
            });
        }
    }

    private void tryToConnect() {
        SimDatabase primary = source;
        if (primary == null || !reaches(primary)) {
            return;
        }
        Row last = lastReceived();
        if (last != null && !primary.hasGtid(last) && !site.has(Mutation.S17_BELIEVES_ITSELF_CLEAN)) {
            receiver = Receiver.NO;
            errno = NOT_IN_PRIMARYS_LOG;
            return;
        }
        primary.dumps().removeIf(d -> !d.alive());
        Dump next = new Dump(site, primary, database, rows(), semiSync);
        dump = next;
        primary.dumps().add(next);
        receiver = Receiver.YES;
        silentSince = -1;
        next.pump();
    }

    /// A connection that died is noticed at once (a reset), or after the network time-out (silence).
    private void watch() {
        Dump here = dump;
        SimDatabase primary = source;
        if (here == null || primary == null || !here.alive()) {
            lost();
        } else if (reaches(primary)) {
            silentSince = -1;
        } else if (silentSince < 0) {
            silentSince = site.agenda.now();
        } else if (site.agenda.now() - silentSince > NETWORK_TIMEOUT) {
            lost();
        }
    }

    private void lost() {
        if (dump != null) {
            dump.end();
            dump = null;
        }
        if (receiver == Receiver.YES) {
            receiver = Receiver.CONNECTING;
        }
    }

    /// Whether a session to that server can be opened from here now.
    boolean reaches(SimDatabase primary) {
        return primary != cutOff
                && !primary.shutsOut(database)
                && primary.up()
                && primary.host.machine.running()
                && site.network.openBothWays(database.host.name, primary.host.name);
    }

    private void apply() {
        if (applying || !applier || relay.isEmpty()) {
            return;
        }
        applying = true;
        boolean slow = site.agenda.now() < slowUntil;
        database.host.machine.later(slow ? 250 : dice.between(1, 6), database.life(), this::applied);
    }

    private void applied() {
        applying = false;
        if (applier && !relay.isEmpty() && site.agenda.now() >= slowUntil) {
            int rows = Math.min(relay.size(), 20);
            List<Row> now = new ArrayList<>(relay.subList(0, rows));
            relay.subList(0, rows).clear();
            now.forEach(database::append);
        }
        apply();
    }

    /// Whether another server knows of every server's rows that this one has in its binary log (S17).
    @Nullable
    Row beyond(SimDatabase other) {
        Map<Integer, Row> newest = new HashMap<>();
        for (Row row : database.binlog()) {
            newest.put(row.server(), row);
        }
        return newest.values().stream()
                .filter(row -> !other.hasGtid(row))
                .findFirst()
                .orElse(null);
    }

    Observation.@Nullable Replica observe() {
        SimDatabase from = source;
        boolean lies = from != null && receiver == Receiver.CONNECTING && site.has(Mutation.REBUILD_STOPS_WRITES);
        return from == null
                ? null
                : new Observation.Replica(
                        site.address(from.host.name),
                        lies ? Receiver.YES.said : receiver.said,
                        applier ? "Yes" : "No",
                        lies ? from.position() : receivedPosition(),
                        site.agenda.now() < slowUntil && !relay.isEmpty() ? 5 : 0,
                        errno,
                        0,
                        errno == 0 ? "" : "error " + errno);
    }
}
