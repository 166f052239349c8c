package dev.understudy.core.simulator;

import java.util.List;

/// A replica's connection to a primary: rows flow in order, acknowledgements flow back. What is in flight arrives
/// even if the connection ends meanwhile; nothing new is sent.
final class Dump {

    private static final long AGAIN = 100 * Agenda.MILLI;

    private final Site site;
    private final SimDatabase primary;
    private final Life primaryLife;
    private final SimDatabase replica;
    private final Life replicaLife;
    private final boolean semiSync;
    private final Life life = new Life();
    private int next;
    private boolean busy;
    private boolean deaf;

    /// @param next how many rows the replica has
    Dump(Site site, SimDatabase primary, SimDatabase replica, int next, boolean semiSync) {
        this.site = site;
        this.primary = primary;
        this.primaryLife = primary.life();
        this.replica = replica;
        this.replicaLife = replica.life();
        this.next = next;
        this.semiSync = semiSync;
    }

    boolean alive() {
        return life.alive() && primaryLife.alive() && replicaLife.alive();
    }

    SimDatabase primary() {
        return primary;
    }

    SimDatabase replica() {
        return replica;
    }

    void end() {
        life.end();
    }

    /// The primary's thread is gone: acknowledgements that are on their way are never read.
    void kill() {
        deaf = true;
        life.end();
    }

    /// Sends what the replica lacks, if anything and if nothing is under way.
    void pump() {
        if (busy || !alive() || next >= primary.binlog().size()) {
            return;
        }
        busy = true;
        if (site.network.open(primary.host.name, replica.host.name)) {
            List<Row> rows =
                    List.copyOf(primary.binlog().subList(next, primary.binlog().size()));
            site.agenda.in(
                    site.network.streamDelay(primary.host.name, replica.host.name),
                    () -> replica.host.machine.run(replicaLife, () -> arrived(rows)));
        } else {
            site.agenda.in(AGAIN, () -> primary.host.machine.run(primaryLife, this::again));
        }
    }

    private void again() {
        busy = false;
        pump();
    }

    private void arrived(List<Row> rows) {
        busy = false;
        if (!life.alive()) {
            return; // the receiver has been stopped, or cut off: unread
        }
        next += rows.size();
        replica.replica.received(rows);
        if (semiSync) {
            acknowledge(rows.getLast().seq());
        }
        primary.host.machine.run(primaryLife, this::pump);
    }

    private void acknowledge(long seq) {
        if (site.network.open(replica.host.name, primary.host.name)) {
            site.agenda.in(
                    site.network.streamDelay(replica.host.name, primary.host.name),
                    () -> primary.host.machine.run(primaryLife, () -> {
                        if (!deaf) {
                            primary.acknowledged(seq);
                        }
                    }));
        } else if (alive()) {
            site.agenda.in(AGAIN, () -> replica.host.machine.run(replicaLife, () -> acknowledge(seq)));
        }
    }
}
