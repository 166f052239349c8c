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
                    ShutOut _,
                    LetIn _,
                    Detach _,
                    Attach _,
                    OfferCopy _,
                    ReceiveCopy _,
                    AdoptCopy _,
                    EndCopy _ -> false;
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
                    ReachPosition _,
                    AdoptCopy _ -> true;
            case CloseEpoch _,
                    Release _,
                    SetServerState _,
                    RestartService _,
                    ShutOut _,
                    LetIn _,
                    Detach _,
                    Attach _,
                    OfferCopy _,
                    ReceiveCopy _,
                    EndCopy _ -> false;
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
            case ShutOut _ -> "shut-out";
            case LetIn _ -> "let-in";
            case Detach _ -> "detach";
            case Attach _ -> "attach";
            case OfferCopy _ -> "offer-copy";
            case ReceiveCopy _ -> "receive-copy";
            case AdoptCopy _ -> "adopt-copy";
            case EndCopy _ -> "end-copy";
        };
    }

    /// What a word about the same thing is counted by: one with a lower number than the agent has had is late, and
    /// refused as `late`, also while it waits its turn. Empty where order does not matter.
    default Optional<Counted> counted() {
        return switch (this) {
            case OpenWrites open ->
                Optional.ofNullable(open.number()).map(number -> new Counted(open.resource() + " waits", number));
            case ShutOut out -> Optional.of(new Counted(out.resource() + " " + out.address(), out.number()));
            case LetIn in -> Optional.of(new Counted(in.resource() + " " + in.address(), in.number()));
            case TakeAddress _,
                    Release _,
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
                    Attach _,
                    OfferCopy _,
                    ReceiveCopy _,
                    AdoptCopy _,
                    EndCopy _ -> Optional.empty();
        };
    }

    /// @param subject what the command says something about, within its host
    record Counted(String subject, long number) {}

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
    /// primary role and off for the replica role; nobody is shut out any more. Refused when something received is
    /// unapplied. After a cut the receiver is stopped already; in a planned move it still runs, from a primary that
    /// lives, and is stopped here.
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
    ///
    /// @param number rises with each change of `alone`: an order that comes late must not end the waiting for
    /// acknowledgements again; null from a controller that does not count
    record OpenWrites(
            String id,
            ResourceId resource,
            long epoch,
            boolean alone,
            @Nullable Long number) implements Command {
        /// Uncounted.
        public OpenWrites(String id, ResourceId resource, long epoch, boolean alone) {
            this(id, resource, epoch, alone, null);
        }
    }

    /// On the primary: a replica that leaves the ackers is rejected at the server's port by the kernel, then its dump
    /// threads are ended (S14). Done means that nothing that it acknowledges is heard any more, until [LetIn]. Done
    /// facts: `binlog`, the position *after* that: rows beyond it were acknowledged by others.
    ///
    /// @param address the replica's, as the specification has it
    /// @param number rises with each order to shut this replica out or to let it in
    record ShutOut(String id, ResourceId resource, long epoch, String address, long number) implements Command {}

    /// On the primary: end of [ShutOut]; the replica is journaled as an acker again.
    record LetIn(String id, ResourceId resource, long epoch, String address, long number) implements Command {}

    /// Planned move, on the primary: first long transactions are waited for while everybody writes on, then read-only
    /// once the short ones are through, within the budget. Done facts: `binlog`, the exact position. On Failed the
    /// server is writable, as it was.
    ///
    /// @param waitMillis how long transactions that are long already are waited for
    /// @param end whether those that have not ended then are ended; otherwise nothing is blocked, and it is Failed
    /// @param plan the move that it belongs to; refused once [UnblockWrites] of that move has arrived
    record BlockWrites(
            String id, ResourceId resource, long epoch, String plan, long budgetMillis, long waitMillis, boolean end)
            implements Command {}

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

    /// On the donor of a rebuild: hold a copy of the running server's data ready for one receiver that knows the
    /// ticket. Done means that one connection is awaited, for `timeoutMillis` at most. Ends by itself when the
    /// copy was given, the connection broke, or this host is needed for a plan. Done facts: [#PORT], [#BYTES].
    ///
    /// @param bytesPerSecond at most so many leave this host, 0 for as many as can
    record OfferCopy(
            String id, ResourceId resource, long epoch, CopyTicket ticket, long bytesPerSecond, long timeoutMillis)
            implements Command {

        /// The port at which it is awaited.
        public static final String PORT = "port";
        /// How much data there is to give, about.
        public static final String BYTES = "bytes";
    }

    /// On the member that is rebuilt: fetch the copy that the ticket is for into a folder beside the data folder and
    /// make it ready to be used. Its server is not touched. Whatever an earlier attempt left is removed first. Done
    /// when it is complete and checked; it takes as long as it takes. Done facts: [#POSITION].
    ///
    /// @param bytes how much it is, about: refused with code `space` where that has no room
    record ReceiveCopy(
            String id, ResourceId resource, long epoch, CopyTicket ticket, String address, int port, long bytes)
            implements Command {

        /// The GTID list up to which the copy has everything.
        public static final String POSITION = "position";
    }

    /// On the member that is rebuilt, which is no acker any more: stop the server, put the copy in the place of its
    /// data, start it, and say where it stands. The old data stay beside it until the server follows. Repeated
    /// after a crash it goes on where that left it. Done when the server answers, read-only, with the copy's
    /// position.
    ///
    /// @param copy the ticket's name
    record AdoptCopy(String id, ResourceId resource, long epoch, String copy) implements Command {}

    /// On donor or receiver: the copy is not wanted any more. What of it was given or received ends and is removed;
    /// one that is in its place already stays there.
    record EndCopy(String id, ResourceId resource, long epoch, String copy) implements Command {}
}
