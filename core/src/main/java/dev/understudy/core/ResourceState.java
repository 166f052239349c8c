package dev.understudy.core;

import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.List;
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
    record PrimaryState(
            ResourceId id,
            PrimaryPhase phase,
            @Nullable String holder,
            long epoch,
            @Nullable Plan plan,
            List<String> ackers,
            List<Quarantine> quarantined,
            boolean alone,
            String incarnation)
            implements ResourceState {
        public PrimaryState {
            ackers = List.copyOf(ackers);
            quarantined = List.copyOf(quarantined);
        }

        @Override
        public String phaseName() {
            return phase.name();
        }

        @Override
        public boolean steady() {
            return phase == PrimaryPhase.HELD;
        }

        public boolean isQuarantined(String host) {
            return quarantined.stream().anyMatch(q -> q.host().equals(host));
        }

        public PrimaryState in(PrimaryPhase next, @Nullable Plan nextPlan) {
            return new PrimaryState(id, next, holder, epoch, nextPlan, ackers, quarantined, alone, incarnation);
        }

        public PrimaryState withAckers(List<String> next, boolean nowAlone) {
            return new PrimaryState(id, phase, holder, epoch, plan, next, quarantined, nowAlone, incarnation);
        }

        public PrimaryState withQuarantined(Quarantine member) {
            List<Quarantine> more = new ArrayList<>(quarantined);
            more.removeIf(q -> q.host().equals(member.host()));
            more.add(member);
            List<String> left =
                    ackers.stream().filter(a -> !a.equals(member.host())).toList();
            return new PrimaryState(id, phase, holder, epoch, plan, left, more, alone, incarnation);
        }

        /// Whoever was quarantined is looked at again.
        public PrimaryState withoutQuarantine() {
            return new PrimaryState(id, phase, holder, epoch, plan, ackers, List.of(), alone, incarnation);
        }

        public PrimaryState heldBy(String host, long newEpoch, PrimaryPhase next, boolean nowAlone, String run) {
            return new PrimaryState(id, next, host, newEpoch, plan, ackers, quarantined, nowAlone, run);
        }
    }

    record Quarantine(String host, String reason) {}
}
