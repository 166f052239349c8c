package dev.understudy.core.candidate;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Trouble;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Whose data a member could be rebuilt from, the best first, and why not from the others: a replica that follows and
/// has everything, the least lagging one; the primary only when no replica will do, or when it is asked for by name.
public final class Donors {

    private Donors() {}

    /// @param host the member that is to be rebuilt
    public static List<Candidate> of(Evidence evidence, PrimaryState primary, String host) {
        List<Judged> judged = new ArrayList<>();
        for (String member :
                evidence.spec().group(primary.id().group()).map(Group::members).orElse(List.of())) {
            if (!member.equals(host)) {
                judged.add(judge(evidence, primary, member, host));
            }
        }
        judged.sort(Comparator.comparing((Judged j) -> !j.candidate().eligible())
                .thenComparing(j -> j.candidate().host().equals(primary.holder()))
                .thenComparing(Judged::lag));
        return judged.stream().map(Judged::candidate).toList();
    }

    /// The operator's choice, else the best; empty if that will not do.
    public static Optional<String> best(List<Candidate> candidates, @org.jspecify.annotations.Nullable String wanted) {
        return candidates.stream()
                .filter(c -> c.eligible() && (wanted == null || wanted.equals(c.host())))
                .map(Candidate::host)
                .findFirst();
    }

    private record Judged(Candidate candidate, Duration lag) {}

    private static Judged judge(Evidence evidence, PrimaryState primary, String member, String host) {
        boolean isPrimary = member.equals(primary.holder());
        Optional<ReplicationLag> lag = ReplicationLag.of(evidence, primary.id().group(), member);
        return objection(evidence, primary, member, host)
                .map(why -> new Judged(new Candidate(member, false, why), Duration.ZERO))
                .orElseGet(() -> isPrimary
                        ? new Judged(
                                new Candidate(member, true, "it is the primary: only if no replica will do"),
                                Duration.ZERO)
                        : new Judged(
                                new Candidate(
                                        member,
                                        true,
                                        "it follows and has everything"
                                                + lag.map(l -> ", " + l.describe())
                                                        .orElse("")),
                                lag.map(ReplicationLag::length).orElse(Duration.ofDays(1))));
    }

    private static Optional<String> objection(Evidence evidence, PrimaryState primary, String member, String host) {
        String group = primary.id().group();
        Observation.Database seen = evidence.database(member, group).orElse(null);
        Observation.Data data = evidence.data(member, group).orElse(null);
        if (!evidence.fresh(member) || seen == null || seen.health() != Health.UP) {
            return Optional.of("it does not answer");
        }
        if (primary.isQuarantined(member)) {
            return Optional.of("it is quarantined");
        }
        if (evidence.maintenance(member).isPresent()) {
            return Optional.of("it is in maintenance");
        }
        if (seen.troubles().contains(Trouble.DISK_STALLED) || seen.troubles().contains(Trouble.READ_ONLY_DISK)) {
            return Optional.of("its disk is in trouble: " + seen.troubles());
        }
        if (data == null || data.dataBytes() < 0) {
            return Optional.of("how much data it has is not known yet");
        }
        if (!data.cannotGive().isEmpty()) {
            return Optional.of(data.cannotGive());
        }
        if (differs(evidence, group, seen, host)) {
            return Optional.of("its server is of another version (" + seen.version() + ")");
        }
        return member.equals(primary.holder())
                ? evidence.holds(member, primary.id(), primary.epoch())
                        ? Optional.empty()
                        : Optional.of("it does not say that it is the primary")
                : replicaObjection(evidence, primary, member, seen);
    }

    private static Optional<String> replicaObjection(
            Evidence evidence, PrimaryState primary, String member, Observation.Database seen) {
        String source = evidence.spec()
                .host(String.valueOf(primary.holder()))
                .map(ClusterSpec.Host::address)
                .orElse("");
        Observation.Replica replica = seen.replica();
        boolean follows = replica != null
                && replica.source().equals(source)
                && replica.receiver().equals("Yes")
                && replica.applier().equals("Yes");
        if (!follows) {
            return Optional.of("it does not follow the primary");
        }
        return primary.completeIn(member).equals(Optional.of(seen.serverStart()))
                ? Optional.empty()
                : Optional.of("it has not been seen with everything in this run of its server");
    }

    /// A copy works under the same major version only. A server that is dead has told its version before, or not.
    private static boolean differs(Evidence evidence, String group, Observation.Database seen, String host) {
        String other = evidence.database(host, group)
                .map(Observation.Database::version)
                .orElse("");
        return !other.isEmpty() && !seen.version().isEmpty() && !major(other).equals(major(seen.version()));
    }

    private static String major(String version) {
        String[] parts = version.split("[.-]", -1);
        return parts.length < 2 ? version : parts[0] + "." + parts[1];
    }
}
