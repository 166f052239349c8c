package dev.understudy.core;

import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Where a resource stands. Journaled whole at each change.
///
/// `holder` is the only host that may hold it (it *does* hold it in the held phase); null only when it is certain that
/// nobody does. `epoch` rises with each new holder.
public sealed interface ResourceState {

    ResourceId id();

    @Nullable
    String holder();

    long epoch();

    @Nullable
    Plan plan();

    String phaseName();

    /// Whether the resource is held and nothing is under way.
    boolean steady();

    /// Whether it was certain, when this was journaled, that whoever held the epoch holds it no more.
    boolean fenced();

    enum AddressPhase {
        /// nobody holds the address
        VACANT,
        /// the holder has it under a lease
        HELD,
        /// the holder gets no more grants; waiting until it has released it or its lease is over
        RELEASING,
        /// the target has been told to take it
        TAKING
    }

    record AddressState(
            ResourceId id,
            AddressPhase phase,
            @Nullable String holder,
            long epoch,
            @Nullable Plan plan) implements ResourceState {
        @Override
        public String phaseName() {
            return phase.name();
        }

        @Override
        public boolean steady() {
            return phase == AddressPhase.HELD;
        }

        @Override
        public boolean fenced() {
            return holder == null;
        }
    }

    enum PrimaryPhase {
        /// nobody has been primary yet
        VACANT,
        /// the holder is the primary
        HELD,
        /// planned move: writes are being blocked on the primary
        BLOCKING,
        /// planned move: the target applies up to the primary's exact position
        REACHING,
        /// planned move undone: the primary is being opened again
        UNBLOCKING,
        /// no more grants; waiting until the old primary is fenced or its lease is over
        FENCING,
        /// every acker cuts the old primary off, stops its receiver and tells its position
        CUTTING,
        /// the target, better placed than the most advanced member, fetches from that what it lacks
        FETCHING,
        /// the target applies all that it has received
        CATCHING_UP,
        /// the target stops being a replica, still read-only
        STAGING,
        /// a follower is attached before writes are opened (S20)
        ATTACHING,
        /// the target opens under its lease
        OPENING,
        /// stopped: going on could lose acknowledged writes; waiting for members or for the operator
        BLOCKED
    }

    /// @param ackers members whose acknowledgement a commit may have been waiting for (S14)
    /// @param quarantined members that have transactions which the primary lacks
    /// @param alone the primary runs without any acknowledging replica; nothing is promotable
    /// @param incarnation the run of the server that was opened (S16): another one is no holder
    /// @param complete members that were seen to have everything that this primary has, with the run of their
    /// server then; in another run they may have lost what they acknowledged (S15)
    /// @param joined the members that have become ackers of this epoch, with the run of their server at that moment
    /// @param membership who may be promoted and who is leaving; null from a controller that did not keep it
    record PrimaryState(
            ResourceId id,
            PrimaryPhase phase,
            @Nullable String holder,
            long epoch,
            @Nullable Plan plan,
            List<String> ackers,
            List<Quarantine> quarantined,
            boolean alone,
            String incarnation,
            Map<String, String> complete,
            Map<String, String> joined,
            @Nullable Membership membership)
            implements ResourceState {
        public PrimaryState {
            ackers = List.copyOf(ackers);
            quarantined = List.copyOf(quarantined);
            complete = Map.copyOf(complete);
            joined = Map.copyOf(joined);
        }

        /// The run of the member's server in which it was last seen to have everything.
        public Optional<String> completeIn(String member) {
            return Optional.ofNullable(complete.get(member));
        }

        public PrimaryState withComplete(Map<String, String> next) {
            return new PrimaryState(
                    id, phase, holder, epoch, plan, ackers, quarantined, alone, incarnation, next, joined, membership);
        }

        /// Whether an acker can have lost nothing that it acknowledged: its server has run since it joined, or
        /// since it was seen to be complete.
        public boolean vouches(String acker, String run) {
            return completeIn(acker).equals(Optional.of(run)) || run.equals(joined.get(acker));
        }

        public boolean hasJoined(String member) {
            return joined.containsKey(member);
        }

        public PrimaryState withJoined(Map<String, String> next) {
            return new PrimaryState(
                    id,
                    phase,
                    holder,
                    epoch,
                    plan,
                    ackers,
                    quarantined,
                    alone,
                    incarnation,
                    complete,
                    next,
                    membership);
        }

        public PrimaryState withJoined(String member, String run) {
            Map<String, String> next = new TreeMap<>(joined);
            next.put(member, run);
            return withJoined(next);
        }

        public PrimaryState withComplete(String member, String run) {
            Map<String, String> next = new TreeMap<>(complete);
            next.put(member, run);
            return withComplete(next);
        }

        @Override
        public String phaseName() {
            return phase.name();
        }

        @Override
        public boolean steady() {
            return phase == PrimaryPhase.HELD;
        }

        @Override
        public boolean fenced() {
            return switch (phase) {
                case VACANT, CUTTING, FETCHING, CATCHING_UP, STAGING, ATTACHING, BLOCKED -> true;
                case HELD, BLOCKING, REACHING, UNBLOCKING, FENCING, OPENING -> false;
            };
        }

        public boolean isQuarantined(String host) {
            return quarantined.stream().anyMatch(q -> q.host().equals(host));
        }

        public PrimaryState in(PrimaryPhase next, @Nullable Plan nextPlan) {
            return new PrimaryState(
                    id,
                    next,
                    holder,
                    epoch,
                    nextPlan,
                    ackers,
                    quarantined,
                    alone,
                    incarnation,
                    complete,
                    joined,
                    membership);
        }

        public PrimaryState withAckers(List<String> next, boolean nowAlone) {
            return new PrimaryState(
                    id,
                    phase,
                    holder,
                    epoch,
                    plan,
                    next,
                    quarantined,
                    nowAlone,
                    incarnation,
                    complete,
                    joined,
                    membership);
        }

        public Membership members() {
            return membership == null ? Membership.NONE : membership;
        }

        public PrimaryState withMembers(Membership next) {
            return new PrimaryState(
                    id, phase, holder, epoch, plan, ackers, quarantined, alone, incarnation, complete, joined, next);
        }

        /// It is no acker any more, and nothing that was known of it counts (S14).
        public PrimaryState withoutAcker(String member) {
            Map<String, String> others = new TreeMap<>(complete);
            others.remove(member);
            Map<String, String> othersJoined = new TreeMap<>(joined);
            othersJoined.remove(member);
            return withAckers(ackers.stream().filter(a -> !a.equals(member)).toList(), alone)
                    .withComplete(others)
                    .withJoined(othersJoined);
        }

        /// It stays an acker until it has left in an orderly way.
        public PrimaryState withQuarantined(Quarantine member) {
            List<Quarantine> more = new ArrayList<>(quarantined);
            more.removeIf(q -> q.host().equals(member.host()));
            more.add(member);
            return new PrimaryState(
                    id, phase, holder, epoch, plan, ackers, more, alone, incarnation, complete, joined, membership);
        }

        /// Whoever was quarantined is looked at again.
        public PrimaryState withoutQuarantine() {
            return new PrimaryState(
                    id,
                    phase,
                    holder,
                    epoch,
                    plan,
                    ackers,
                    List.of(),
                    alone,
                    incarnation,
                    complete,
                    joined,
                    membership);
        }

        /// One member is quarantined no more.
        public PrimaryState withoutQuarantine(String host) {
            PrimaryState after = withoutQuarantine();
            for (Quarantine other : quarantined) {
                after = other.host().equals(host) ? after : after.withQuarantined(other);
            }
            return after;
        }

        public Optional<Quarantine> quarantine(String host) {
            return quarantined.stream().filter(q -> q.host().equals(host)).findFirst();
        }

        public PrimaryState heldBy(String host, long newEpoch, PrimaryPhase next, boolean nowAlone, String run) {
            return new PrimaryState(
                    id, next, host, newEpoch, plan, ackers, quarantined, nowAlone, run, complete, joined, membership);
        }
    }

    record Quarantine(String host, String reason) {}
}
