package dev.understudy.core.readiness;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.candidate.RecentFailovers;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.readiness.Blocker.Reason;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What would come of it if the holder of a resource died now. Level-triggered like everything here: it follows from
/// what is known at this moment and remembers nothing.
///
/// @param next who would take over; null if nobody could
/// @param candidates every other member with its verdict, the eligible first and best first
/// @param within a host that falls silent is replaced when its lease is over everywhere: so long after its last
/// acknowledgement. A service that dies under a living agent waits for no lease.
public record Readiness(
        ResourceId resource,
        @Nullable String holder,
        @Nullable String next,
        Duration within,
        List<Candidate> candidates,
        List<Blocker> blockers) {

    public Readiness {
        candidates = List.copyOf(candidates);
        blockers = List.copyOf(blockers);
    }

    /// Whether a failover would work now, by itself and without loss of what was acknowledged.
    public boolean ready() {
        return blockers.isEmpty();
    }

    /// For people.
    public String describe() {
        return ready()
                ? "if %s died now: %s, within %.1f s".formatted(holder, next, within.toMillis() / 1000.0)
                : "not ready: " + blockers.stream().map(Blocker::because).collect(Collectors.joining("; "));
    }

    public static Readiness of(Evidence evidence, ResourceState resource) {
        List<Blocker> blockers = new ArrayList<>();
        controller(evidence, resource, blockers);
        holder(evidence, resource, blockers);
        List<Candidate> candidates =
                switch (resource) {
                    case AddressState address ->
                        AddressCandidates.of(evidence, address).stream()
                                .filter(c -> !c.host().equals(address.holder()))
                                .toList();
                    case PrimaryState primary -> PrimaryReadiness.of(evidence, primary, blockers);
                };
        candidates(evidence, resource, candidates, blockers);
        return new Readiness(
                resource.id(),
                resource.holder(),
                AddressCandidates.best(candidates).orElse(null),
                evidence.state().timing().lapseAfter(evidence.state().timing().ttl()),
                candidates,
                blockers);
    }

    private static void controller(Evidence evidence, ResourceState resource, List<Blocker> blockers) {
        String group = resource.id().group();
        if (!evidence.state().leading()) {
            blockers.add(new Blocker(Reason.NO_QUORUM, "this controller does not lead: it can write no decision"));
        }
        if (evidence.blind()) {
            blockers.add(new Blocker(
                    Reason.BLIND,
                    "the controller hears only " + evidence.freshHosts() + " of "
                            + evidence.spec().hosts().size() + " hosts"));
        }
        if (evidence.newerThan(resource.id(), resource.epoch())) {
            blockers.add(new Blocker(Reason.JOURNAL_TOO_OLD, "agents know of a later epoch than " + resource.epoch()));
        }
        if (evidence.mode(group) != Mode.AUTOMATIC) {
            blockers.add(new Blocker(Reason.HELD_BACK, "nothing moves by itself: " + evidence.restraint(group)));
        }
    }

    private static void holder(Evidence evidence, ResourceState resource, List<Blocker> blockers) {
        String holder = resource.holder();
        if (!resource.steady()) {
            blockers.add(new Blocker(
                    holder == null ? Reason.NO_HOLDER : Reason.MOVING, resource.id() + " is " + resource.phaseName()));
            return;
        }
        if (holder == null) {
            return;
        }
        if (!evidence.fresh(holder) || !evidence.holds(holder, resource.id(), resource.epoch())) {
            blockers.add(new Blocker(Reason.LEASE_AT_RISK, holder + " does not say that it holds a live lease"));
        }
        if (nobodyToClose(evidence, resource)) {
            blockers.add(new Blocker(
                    Reason.NOBODY_TO_CLOSE,
                    "no member is heard that could end the consent on which " + holder + " may live"));
        }
    }

    /// It may live on consent, or on nobody's (S5).
    private static boolean nobodyToClose(Evidence evidence, ResourceState resource) {
        return evidence.state().journaled().circle(resource).isPresent()
                && evidence.heardClosers(resource).isEmpty();
    }

    private static void candidates(
            Evidence evidence, ResourceState resource, List<Candidate> candidates, List<Blocker> blockers) {
        List<Candidate> eligible =
                candidates.stream().filter(Candidate::eligible).toList();
        if (eligible.isEmpty()) {
            if (blockers.stream().noneMatch(b -> b.reason() == Reason.LAG)) {
                blockers.add(
                        new Blocker(Reason.NO_CANDIDATE, "no member could take over (" + reasons(candidates) + ")"));
            }
            return;
        }
        String holder = String.valueOf(resource.holder());
        List<String> holds = eligible.stream()
                .flatMap(c -> RecentFailovers.hold(
                        evidence, resource.id(), holder, c.host(), key(evidence, resource, c.host()))
                        .map(RecentFailovers.Hold::because)
                        .stream())
                .toList();
        if (holds.size() == eligible.size()) {
            blockers.add(new Blocker(Reason.RECENT_FAILOVER, String.join("; ", holds)));
        }
    }

    private static String key(Evidence evidence, ResourceState resource, String member) {
        return resource instanceof AddressState
                ? evidence.serverBehind(member, resource.id())
                        .map(Evidence.Server::key)
                        .orElse("")
                : "database/" + resource.id().group();
    }

    private static String reasons(List<Candidate> candidates) {
        return candidates.isEmpty()
                ? "there is none"
                : candidates.stream().map(c -> c.host() + ": " + c.reason()).collect(Collectors.joining(", "));
    }
}
