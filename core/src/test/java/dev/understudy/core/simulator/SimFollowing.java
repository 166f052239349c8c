package dev.understudy.core.simulator;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;

/// A server is made to follow a primary: what the old receiver brought is applied first (S18), the histories are
/// compared by presence in the primary's binary log (S17), then it is pointed there and its receiver is waited for.
final class SimFollowing {

    private final Site site;
    private final SimDatabase database;
    private final SimReplica replica;
    private final SimActs acts;
    private final Moment deadline;

    SimFollowing(Site site, SimDatabase database, SimActs acts, Moment deadline) {
        this.site = site;
        this.database = database;
        this.replica = database.replica;
        this.acts = acts;
        this.deadline = deadline;
    }

    void begin(Command.Follow command) {
        SimDatabase primary = site.databaseAt(command.primaryAddress());
        if (primary == null) {
            acts.end(new Outcome.Failed("no such primary"));
            return;
        }
        acts.acting();
        boolean same = replica.source() == primary && database.readOnly() && replica.semiSync() && !database.semiSync();
        if (same && replica.receiver() == SimReplica.Receiver.YES && replica.applier()) {
            finish();
            return;
        }
        if ((!database.readOnly() || database.waitingCommits() > 0) && database.fence()) {
            acts.end(new Outcome.Unknown("the server was writable and had to be killed first"));
            return;
        }
        replica.cutOff(null);
        acts.then(2, 40, () -> {
            if (!usable(primary)) {
                acts.end(new Outcome.Failed("no session to the primary"));
            } else if (same && replica.receiver() == SimReplica.Receiver.NO && replica.applier()) {
                replica.startReceiver();
                await(primary);
            } else {
                finishOld(primary);
            }
        });
    }

    private void finishOld(SimDatabase primary) {
        if (replica.source() == null) {
            compare(primary);
            return;
        }
        if (replica.receiver() != SimReplica.Receiver.NO && replica.applier()) {
            if (replica.source() != primary) {
                replica.cutOff(replica.source());
            }
            replica.stopReceiver();
        }
        acts.catchUp(database, deadline, outcome -> {
            if (outcome instanceof Outcome.Done) {
                compare(primary);
            } else {
                acts.end(outcome);
            }
        });
    }

    private void compare(SimDatabase primary) {
        acts.then(1, 10, () -> {
            if (!usable(primary)) {
                acts.end(new Outcome.Failed("the primary's binary log could not be compared"));
                return;
            }
            Row extra = replica.beyond(primary);
            if (extra != null && !site.has(Mutation.S17_BELIEVES_ITSELF_CLEAN)) {
                acts.end(new Outcome.Refused("diverged", "transactions that the primary lacks: up to " + extra.gtid()));
                return;
            }
            acts.acting();
            database.semiSync(false);
            replica.follow(primary);
            await(primary);
        });
    }

    private void await(SimDatabase primary) {
        acts.poll(
                () -> {
                    if (!database.up() || replica.source() != primary) {
                        return new Outcome.Failed("replication was reset by someone else");
                    }
                    if (replica.receiver() == SimReplica.Receiver.YES) {
                        return Outcome.Done.withoutFacts();
                    }
                    if (replica.errno() == SimReplica.NOT_IN_PRIMARYS_LOG) {
                        replica.forget();
                        return new Outcome.Refused("diverged", "error 1236");
                    }
                    return acts.late(deadline) ? new Outcome.Failed("the receiver is not connected in time") : null;
                },
                outcome -> {
                    if (outcome instanceof Outcome.Done) {
                        finish();
                    } else {
                        acts.end(outcome);
                    }
                });
    }

    private void finish() {
        replica.cutOff(null);
        acts.end(Outcome.Done.withoutFacts());
    }

    private boolean usable(SimDatabase primary) {
        return database.up() && replica.reaches(primary);
    }
}
