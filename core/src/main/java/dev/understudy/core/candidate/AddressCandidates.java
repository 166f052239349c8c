package dev.understudy.core.candidate;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Operations;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.Reading;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.Health;
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
    /// file, those that failed as holder lately, the host that holds or held it last, of a reader address the
    /// primary.
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
        candidates.sort(Comparator.comparingInt(c -> rank(c, wanted, last)
                + (failed.contains(c.host()) ? 1 : 0)
                + (isPrimary(evidence, address, c.host()) ? 3 : 0)));
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
        Optional<Evidence.Server> seen = evidence.serverBehind(member, address.id());
        if (seen.isEmpty()) {
            return new Candidate(member, false, "nothing is known of its " + kind(evidence, address) + " yet");
        }
        if (seen.get().health() != Health.UP) {
            return new Candidate(
                    member,
                    false,
                    "its " + kind(evidence, address) + " is " + seen.get().health());
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
        return reading(evidence, address, member)
                .map(reading -> new Candidate(member, reading.eligible(), "it " + reading.because()))
                .orElseGet(() -> new Candidate(member, true, "HAProxy serves"));
    }

    private static String kind(Evidence evidence, AddressState address) {
        return evidence.readsOf(address.id().group()).isPresent() ? "database" : "HAProxy";
    }

    /// What the member is worth as holder of a reader address; empty for any other address.
    private static Optional<Reading> reading(Evidence evidence, AddressState address, String member) {
        DatabaseGroup group = evidence.readsOf(address.id().group()).orElse(null);
        return group == null || group.reader() == null
                ? Optional.empty()
                : Optional.of(Reading.of(evidence, group, group.reader(), member));
    }

    /// Reads are for replicas; the primary has enough to do.
    private static boolean isPrimary(Evidence evidence, AddressState address, String member) {
        return reading(evidence, address, member)
                .filter(reading -> reading.grade() == Reading.Grade.PRIMARY)
                .isPresent();
    }
}
