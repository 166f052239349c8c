package dev.understudy.protocol;

/// One act that the controller orders of one agent. Every command is idempotent: an agent that receives the same id
/// again answers with the outcome that it has, or does the work again to the same end.
///
/// `epoch` is the fencing token: an agent refuses (code `stale`) a command whose epoch is below the highest that it has
/// seen for the resource, or whose term is below the highest that it has seen at all (S2).
public sealed interface Command {

    /// Unique for plan, step, host and attempt; at most 120 characters.
    String id();

    ResourceId resource();

    long epoch();

    /// A take is an acknowledgement (S2): it needs a live lease, counted from the heartbeat that its order answers.
    default boolean takesLease() {
        return switch (this) {
            case TakeAddress _, OpenWrites _ -> true;
            case Release _,
                    CutReceiver _,
                    CatchUp _,
                    Stage _,
                    Follow _,
                    BlockWrites _,
                    UnblockWrites _,
                    ReachPosition _,
                    SetServerState _ -> false;
        };
    }

    /// One word for logs and pages, such as `take-address`.
    default String verb() {
        return switch (this) {
            case TakeAddress _ -> "take-address";
            case Release _ -> "release";
            case CutReceiver _ -> "cut-receiver";
            case CatchUp _ -> "catch-up";
            case Stage _ -> "stage";
            case Follow _ -> "follow";
            case OpenWrites _ -> "open-writes";
            case BlockWrites _ -> "block-writes";
            case UnblockWrites _ -> "unblock-writes";
            case ReachPosition _ -> "reach-position";
            case SetServerState _ -> "set-server-state";
        };
    }

    /// Put the virtual address on the interface under the lease, open its gate, announce it.
    record TakeAddress(String id, ResourceId resource, long epoch) implements Command {}

    /// Give the resource up: remove the address; for a primary also make the server read-only and end its clients'
    /// sessions (kill the server when commits wait for an acknowledgement: they must not be acknowledged). Done
    /// means: kernel element removed, floor `released ≥ releasedEpoch` on disk (S9's order). `epoch` may be above
    /// the released one.
    record Release(String id, ResourceId resource, long epoch, long releasedEpoch) implements Command {}

    /// On a replica: reject the old primary with a TCP reset (S19), start the applier if it is stopped, then stop
    /// the receiver with the applier running (S18). Done facts: `received`, `applied`, `binlog`, `serverStart`. A
    /// member that follows nobody answers with its positions. The address is empty where nobody is to be cut off (a
    /// first election, and the old primary itself).
    record CutReceiver(String id, ResourceId resource, long epoch, String primaryAddress) implements Command {}

    /// Apply everything received. Done when nothing received is unapplied; Failed when the applier is broken or the
    /// time is over. Done facts: `applied`.
    record CatchUp(String id, ResourceId resource, long epoch, long timeoutMillis) implements Command {}

    /// Prepare a caught-up replica to be primary, still read-only: stop and reset replication, semi-sync on for the
    /// primary role and off for the replica role. Refused when something received is unapplied. After a cut the
    /// receiver is stopped already; in a planned move it still runs, from a primary that lives, and is stopped
    /// here.
    record Stage(String id, ResourceId resource, long epoch) implements Command {}

    /// Follow the given primary by GTID. Refused with code `diverged` when this server has transactions that the
    /// primary lacks (S17); never purges what is not applied (S18): waits for the applier, up to the time-out. Done
    /// when the receiver is connected. Removes the rule that cut off an old primary.
    record Follow(String id, ResourceId resource, long epoch, String primaryAddress, int port, long timeoutMillis)
            implements Command {}

    /// Open the staged server to writes under the lease and take the writer address. `alone` says that it was
    /// journaled that no replica acknowledges: semi-sync is off. Otherwise semi-sync is on without a time-out
    /// (S20).
    record OpenWrites(String id, ResourceId resource, long epoch, boolean alone) implements Command {}

    /// Planned move, on the primary: read-only once running transactions are through, within the budget. Done facts:
    /// `binlog`, the exact position. On Failed the server is writable again.
    record BlockWrites(String id, ResourceId resource, long epoch, long budgetMillis) implements Command {}

    /// Undo of [BlockWrites]: writable again, if the lease is live.
    record UnblockWrites(String id, ResourceId resource, long epoch) implements Command {}

    /// On a replica: wait until everything up to the GTID list is applied. Done facts: `applied`.
    record ReachPosition(String id, ResourceId resource, long epoch, String position, long timeoutMillis)
            implements Command {}

    /// On a balancer: set a server's state through HAProxy's runtime socket and read it back.
    ///
    /// @param group the balancer group
    /// @param state `ready`, `drain` or `maint`
    record SetServerState(
            String id, ResourceId resource, long epoch, String group, String backend, String server, String state)
            implements Command {}
}
