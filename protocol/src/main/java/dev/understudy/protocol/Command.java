package dev.understudy.protocol;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
                    SetServerState _,
                    CloseEpoch _,
                    RestartService _,
                    Detach _,
                    Attach _ -> false;
        };
    }

    /// Whether a member that has promised the holder of an older epoch not to be promoted must refuse it while the
    /// promise is alive (S5, S6): everything that takes, or that touches replication.
    default boolean breaksPromise() {
        return switch (this) {
            case TakeAddress _,
                    OpenWrites _,
                    CutReceiver _,
                    CatchUp _,
                    Stage _,
                    Follow _,
                    BlockWrites _,
                    UnblockWrites _,
                    ReachPosition _ -> true;
            case CloseEpoch _, Release _, SetServerState _, RestartService _, Detach _, Attach _ -> false;
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
            case CloseEpoch _ -> "close-epoch";
            case RestartService _ -> "restart-service";
            case Detach _ -> "detach";
            case Attach _ -> "attach";
        };
    }

    /// Put the virtual address on the interface under the lease, open its gate, announce it. What was forwarded for
    /// the address before ends first.
    ///
    /// @param giver only in a planned move: who goes on with the established connections; packets of flows that
    /// nobody knows here go there. Without one such flows get a reset.
    record TakeAddress(
            String id,
            ResourceId resource,
            long epoch,
            @Nullable Giver giver) implements Command {
        /// Unplanned, or from a holder that does not drain.
        public TakeAddress(String id, ResourceId resource, long epoch) {
            this(id, resource, epoch, null);
        }
    }

    /// A host that drains an address (S13): it holds it no more, answers nobody who asks for it, and takes no new
    /// connection; those that it has go on until they end or its time is over.
    ///
    /// @param address its own address on the virtual address's interface, of the same family
    /// @param link the hardware address of that interface, such as `02:00:00:00:00:01`: what comes from there is
    /// never sent back
    /// @param millis how long it drains at most
    record Giver(String address, String link, long millis) {

        private static final String ADDRESS = "drainsAt";
        private static final String LINK = "drainsLink";
        private static final String MILLIS = "drainsMillis";

        /// Of a release that began to drain.
        public Map<String, String> facts() {
            return Map.of(ADDRESS, address, LINK, link, MILLIS, Long.toString(millis));
        }

        /// Empty when the release did not begin to drain.
        public static Optional<Giver> of(Map<String, String> facts) {
            String address = facts.get(ADDRESS);
            String link = facts.get(LINK);
            String millis = facts.get(MILLIS);
            return address == null || link == null || millis == null || !millis.matches("\\d{1,9}")
                    ? Optional.empty()
                    : Optional.of(new Giver(address, link, Long.parseLong(millis)));
        }
    }

    /// Close every epoch below `epoch` (S5): this host's floor rises to `epoch`, durably, so it consents to no
    /// older holder any more. It touches nothing else; a promise that is alive still runs out by itself. Whether it
    /// has is told in the heartbeats.
    record CloseEpoch(String id, ResourceId resource, long epoch) implements Command {}

    /// Start the group's service again where it died; nothing happens when it runs. It holds nothing by that: a
    /// database comes up read-only (S16), an address is given anew. Done when the start command has returned.
    record RestartService(String id, ResourceId resource, long epoch) implements Command {}

    /// Leave the host as it is, for good: an address that is held becomes permanent, its gate is removed, the
    /// database stays as it is, the lease is given up without any of it being taken back; durable. From then on
    /// this host takes part in nothing that concerns the resource until [Attach].
    record Detach(String id, ResourceId resource, long epoch) implements Command {}

    /// End of [Detach]: what is there is found as it is and may be adopted.
    record Attach(String id, ResourceId resource, long epoch) implements Command {}

    /// Give the resource up: remove the address; for a primary also make the server read-only and end its clients'
    /// sessions (kill the server when commits wait for an acknowledgement: they must not be acknowledged). Done
    /// means: kernel element removed, floor `released ≥ releasedEpoch` on disk (S9's order). `epoch` may be above
    /// the released one.
    ///
    /// @param drainMillis only in a planned move of a virtual address: how long its established connections may go
    /// on here (S13), 0 for not at all. A host that cannot drain gives it up all the same. Done facts: those of
    /// [Giver] when it drains, otherwise [#NO_DRAIN].
    record Release(String id, ResourceId resource, long epoch, long releasedEpoch, long drainMillis)
            implements Command {

        /// The fact that says why a release that was to drain does not.
        public static final String NO_DRAIN = "notDrained";

        /// Without draining.
        public Release(String id, ResourceId resource, long epoch, long releasedEpoch) {
            this(id, resource, epoch, releasedEpoch, 0);
        }
    }

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
    /// when the receiver is connected. Removes the rule that cut off an old primary. Done facts: [#DROPPED]
    /// when this server's last start took transactions from its binary log that the primary lacks (S16).
    record Follow(String id, ResourceId resource, long epoch, String primaryAddress, int port, long timeoutMillis)
            implements Command {

        /// The fact that names them, and the file in which they were decoded.
        public static final String DROPPED = "dropped";
    }

    /// Open the staged server to writes under the lease and take the writer address. `alone` says that it was
    /// journaled that no replica acknowledges: semi-sync is off. Otherwise semi-sync is on without a time-out
    /// (S20).
    record OpenWrites(String id, ResourceId resource, long epoch, boolean alone) implements Command {}

    /// Planned move, on the primary: read-only once running transactions are through, within the budget. Done facts:
    /// `binlog`, the exact position. On Failed the server is writable again.
    ///
    /// @param plan the move that it belongs to; refused once [UnblockWrites] of that move has arrived
    record BlockWrites(String id, ResourceId resource, long epoch, String plan, long budgetMillis) implements Command {}

    /// Undo of [BlockWrites]: writable again, if the lease is live.
    ///
    /// @param plan the move that is undone: an order of it to block that arrives later is refused, or the primary
    /// would stay read-only for good
    record UnblockWrites(String id, ResourceId resource, long epoch, String plan) implements Command {}

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
