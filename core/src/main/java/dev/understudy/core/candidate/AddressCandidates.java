package dev.understudy.core.candidate;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Operations;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Who could take a virtual address, the best first, and why the others could not.
public final class AddressCandidates {

    private AddressCandidates() {}

    /// Every member of the group with a verdict. Eligible ones come first: the wanted one, then the order of the
    /// file, those that failed as holder lately, the host that holds or held it last.
    public static List<Candidate> of(Evidence evidence, AddressState address) {
        List<String> members =
                evidence.spec().group(address.id().group()).map(Group::members).orElse(List.of());
        Plan plan = address.plan();
        String wanted = plan == null ? null : plan.wanted();
        String last = plan == null ? address.holder() : plan.from();
        List<Candidate> candidates = new ArrayList<>();
        for (String member : members) {
            candidates.add(judge(evidence, address, member));
        }
        Set<String> failed = RecentFailovers.failed(evidence, address.id());
        candidates.sort(Comparator.comparingInt(c -> rank(c, wanted, last) + (failed.contains(c.host()) ? 1 : 0)));
        return candidates;
    }

    public static Optional<String> best(List<Candidate> candidates) {
        return candidates.stream()
                .filter(Candidate::eligible)
                .map(Candidate::host)
                .findFirst();
    }

    private static int rank(Candidate candidate, @Nullable String wanted, @Nullable String last) {
        return (candidate.eligible() ? 0 : 8)
                + (candidate.host().equals(wanted) ? 0 : 4)
                + (candidate.host().equals(last) ? 2 : 0);
    }

    private static Candidate judge(Evidence evidence, AddressState address, String member) {
        Optional<Operations.Maintenance> maintenance = evidence.maintenance(member);
        if (maintenance.isPresent()) {
            return new Candidate(member, false, "it is " + maintenance.get().describe());
        }
        if (!evidence.fresh(member)) {
            return new Candidate(member, false, "its agent is not heard");
        }
        Optional<Observation.Balancer> seen =
                evidence.balancer(member, address.id().group());
        if (seen.isEmpty()) {
            return new Candidate(member, false, "nothing is known of its HAProxy yet");
        }
        if (seen.get().health() != Health.UP) {
            return new Candidate(member, false, "its HAProxy is " + seen.get().health());
        }
        Optional<String> clock = evidence.clockAlarm(member);
        if (clock.isPresent()) {
            return new Candidate(member, false, clock.get());
        }
        Plan plan = address.plan();
        if (plan != null && plan.isRejected(member)) {
            return new Candidate(member, false, "it failed to take the address in this plan");
        }
        boolean mayHold = member.equals(address.holder()) && !evidence.released(member, address.id(), address.epoch());
        if (mayHold) {
            return new Candidate(member, false, "it is the present holder");
        }
        return new Candidate(member, true, "HAProxy serves");
    }
}
