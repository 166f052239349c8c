package dev.understudy.core.candidate;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Who could become the primary, the best first, and why the others could not.
///
/// A candidate must have received everything that any member whose acknowledgement counted has received (S14);
/// among those, one that has applied all comes first, then the operator's wish, then (after a restart) the last
/// holder, then the order of the file.
public final class PrimaryCandidates {

    private PrimaryCandidates() {}

    /// What a member told when its receiver had been stopped.
    public record Position(GtidList received, GtidList applied) {

        /// From the facts of a done [dev.understudy.protocol.Command.CutReceiver].
        ///
        /// @throws IllegalArgumentException if a fact is no GTID list
        public static Position of(Map<String, String> facts) {
            GtidList binlog = GtidList.parse(facts.getOrDefault("binlog", ""));
            GtidList applied = GtidList.parse(facts.getOrDefault("applied", "")).merge(binlog);
            return new Position(
                    GtidList.parse(facts.getOrDefault("received", "")).merge(applied), applied);
        }

        boolean allApplied() {
            return applied.reached(received);
        }
    }

    /// Everybody's verdict, the eligible first and best first. `positions` holds every member that answered.
    public static List<Candidate> of(Evidence evidence, PrimaryState primary, Map<String, Position> positions) {
        List<String> members =
                evidence.spec().group(primary.id().group()).map(Group::members).orElse(List.of());
        List<Ranked> ranked = new ArrayList<>();
        for (String member : members) {
            ranked.add(judge(evidence, primary, member, positions, members.indexOf(member)));
        }
        ranked.sort(Comparator.comparingInt(Ranked::rank));
        return ranked.stream().map(Ranked::candidate).toList();
    }

    public static Optional<String> best(List<Candidate> candidates) {
        return AddressCandidates.best(candidates);
    }

    /// Who could be the target of a planned move now: alive, following and not lagging; nothing is blocked for
    /// others.
    public static List<Candidate> forMove(Evidence evidence, PrimaryState primary) {
        Map<String, Candidate> verdicts = new TreeMap<>();
        for (String member :
                evidence.spec().group(primary.id().group()).map(Group::members).orElse(List.of())) {
            if (!member.equals(primary.holder())) {
                verdicts.put(member, judgeMove(evidence, primary, member));
            }
        }
        return verdicts.values().stream()
                .sorted(Comparator.comparing(c -> !c.eligible()))
                .toList();
    }

    private record Ranked(Candidate candidate, int rank) {}

    private static Ranked judge(
            Evidence evidence, PrimaryState primary, String member, Map<String, Position> positions, int order) {
        Position mine = positions.get(member);
        if (mine == null) {
            return no(member, order, "its position is not known");
        }
        if (primary.isQuarantined(member)) {
            return no(member, order, "it is quarantined: it has transactions of its own");
        }
        Plan plan = primary.plan();
        if (plan != null && plan.isRejected(member)) {
            String why = plan.rejected().stream()
                    .filter(c -> c.host().equals(member))
                    .map(Candidate::reason)
                    .findFirst()
                    .orElse("");
            return no(member, order, "it failed in this plan: " + why);
        }
        for (Map.Entry<String, Position> other : positions.entrySet()) {
            if (!primary.isQuarantined(other.getKey())
                    && !mine.received().reached(other.getValue().received())) {
                return no(
                        member,
                        order,
                        "it has received %s, %s has %s"
                                .formatted(
                                        mine.received(),
                                        other.getKey(),
                                        other.getValue().received()));
            }
        }
        if (!evidence.fresh(member)) {
            return no(member, order, "its agent is not heard");
        }
        Optional<Observation.Database> seen =
                evidence.database(member, primary.id().group());
        Observation.Replica replica = seen.map(Observation.Database::replica).orElse(null);
        if (replica != null && replica.applierErrno() != 0 && !mine.allApplied()) {
            return no(member, order, "its applier is broken: " + replica.error());
        }
        boolean wanted = plan != null && member.equals(plan.wanted());
        boolean restarted = plan != null && plan.kind() == Plan.Kind.RESTART && member.equals(plan.from());
        int rank = (mine.allApplied() ? 0 : 400) + (wanted ? 0 : 200) + (restarted ? 0 : 100) + order;
        return new Ranked(
                new Candidate(member, true, "received %s, applied %s".formatted(mine.received(), mine.applied())),
                rank);
    }

    private static Ranked no(String member, int order, String reason) {
        return new Ranked(new Candidate(member, false, reason), 1000 + order);
    }

    private static Candidate judgeMove(Evidence evidence, PrimaryState primary, String member) {
        if (!evidence.fresh(member)) {
            return new Candidate(member, false, "its agent is not heard");
        }
        if (primary.isQuarantined(member)) {
            return new Candidate(member, false, "it is quarantined: it has transactions of its own");
        }
        if (primary.alone()) {
            return new Candidate(member, false, "the primary runs alone: nobody is known to have everything");
        }
        Observation.Database seen =
                evidence.database(member, primary.id().group()).orElse(null);
        Observation.Replica replica = seen == null ? null : seen.replica();
        if (replica == null) {
            return new Candidate(member, false, "it follows nobody");
        }
        if (!replica.receiver().equals("Yes") || !replica.applier().equals("Yes")) {
            return new Candidate(
                    member,
                    false,
                    "its replication does not run (receiver %s, applier %s %s)"
                            .formatted(replica.receiver(), replica.applier(), replica.error()));
        }
        if (replica.secondsBehind() > 2) {
            return new Candidate(member, false, "it lags by " + replica.secondsBehind() + " s");
        }
        return new Candidate(member, true, "it follows and lags by " + replica.secondsBehind() + " s");
    }
}
