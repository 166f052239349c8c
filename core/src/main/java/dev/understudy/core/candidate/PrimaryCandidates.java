package dev.understudy.core.candidate;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Membership;
import dev.understudy.core.Operations;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.PromotionRules.Reluctance;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Trouble;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Who could become the primary, the best first, and why the others could not.
///
/// A candidate must have received everything that any member whose acknowledgement counted has received (S14), and be
/// set up for the work ([PromotionRules]). Among those, one of which nothing is known that speaks for another (a delay,
/// a
/// disk that is nearly full, a long lag) comes first, then one that has applied all, then the operator's wish, then
/// (after a restart, and when the whole site was started again) the last holder, then those that have not failed as
/// holder lately, then those that the specification prefers, then the order of the file.
public final class PrimaryCandidates {

    /// A member that lags more is no target of a planned move.
    private static final Duration MOST_LAG = Duration.ofSeconds(2);

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
        return ranked(evidence, primary, positions).stream()
                .map(Ranked::candidate)
                .toList();
    }

    /// Who would stand before the best candidate if it had everything, and could be promoted but for transactions that
    /// it lacks. For a reason that somebody gave: a drawback of the best one, a wish, a recent failure, or `prefer`
    /// in the specification; the order of the file decides between equals and is none. It has no drawback itself.
    /// Empty if there is none, if nobody is eligible, or when another plan than a failover is under way.
    public static Optional<String> preferred(Evidence evidence, PrimaryState primary, Map<String, Position> positions) {
        List<Ranked> all = ranked(evidence, primary, positions);
        Plan plan = primary.plan();
        Ranked best =
                all.stream().filter(r -> r.candidate().eligible()).findFirst().orElse(null);
        // the old primary stays cut off from everybody (S19): nobody fetches from it, and it fetches from nobody
        if (plan == null
                || best == null
                || !mayFetch(plan.kind())
                || best.candidate().host().equals(plan.from())) {
            return Optional.empty();
        }
        return all.stream()
                .filter(Ranked::lacksOnly)
                .filter(r -> r.claim() < best.claim() && r.claim() < DRAWBACK && r.total() < best.total())
                .filter(r -> !r.candidate().host().equals(plan.from()))
                .min(Comparator.comparingInt(Ranked::total).thenComparingInt(Ranked::rank))
                .map(r -> r.candidate().host());
    }

    /// A restarted primary is elected where it is, and nobody is in a hurry for a first one.
    private static boolean mayFetch(Plan.Kind kind) {
        return switch (kind) {
            case FAILOVER, ORDERED -> true;
            case SWITCHOVER, FIRST, RESTART -> false;
        };
    }

    private static List<Ranked> ranked(Evidence evidence, PrimaryState primary, Map<String, Position> positions) {
        List<String> members =
                evidence.spec().group(primary.id().group()).map(Group::members).orElse(List.of());
        List<Ranked> ranked = new ArrayList<>();
        for (String member : members) {
            ranked.add(judge(evidence, primary, member, positions, members.indexOf(member)));
        }
        ranked.sort(Comparator.comparingInt(Ranked::rank));
        return List.copyOf(ranked);
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
                .sorted(Comparator.<Candidate, Boolean>comparing(c -> !c.eligible())
                        .thenComparingInt(c -> preference(evidence, primary, c.host())))
                .toList();
    }

    /// Who looks better than a primary that lives and cannot do its work: heard, answering, replicating until now,
    /// and with a disk that works. Positions are compared later, when the primary is fenced.
    public static List<Candidate> standIns(Evidence evidence, PrimaryState primary) {
        List<Candidate> verdicts = new ArrayList<>();
        for (String member :
                evidence.spec().group(primary.id().group()).map(Group::members).orElse(List.of())) {
            if (!member.equals(primary.holder())) {
                verdicts.add(standIn(evidence, primary, member));
            }
        }
        return verdicts;
    }

    private static Candidate standIn(Evidence evidence, PrimaryState primary, String member) {
        Observation.Database seen =
                evidence.database(member, primary.id().group()).orElse(null);
        if (!evidence.fresh(member) || seen == null || seen.health() != Health.UP) {
            return new Candidate(member, false, "it does not answer");
        }
        if (primary.isQuarantined(member)) {
            return new Candidate(member, false, "it is quarantined: it has transactions of its own");
        }
        if (cannotWrite(seen)) {
            return new Candidate(member, false, "it cannot write either: " + seen.troubles());
        }
        Optional<String> clock = evidence.clockAlarm(member);
        if (clock.isPresent()) {
            return new Candidate(member, false, clock.get());
        }
        Optional<String> unfit = new PromotionRules(evidence, primary).unfit(member, history(seen));
        if (unfit.isPresent()) {
            return new Candidate(member, false, unfit.get());
        }
        return new Candidate(
                member, seen.replica() != null, seen.replica() == null ? "it follows nobody" : "it answers");
    }

    static GtidList history(Observation.Database seen) {
        return GtidList.parse(seen.binlogPosition()).merge(GtidList.parse(seen.appliedPosition()));
    }

    private static boolean cannotWrite(Observation.Database seen) {
        return seen.troubles().contains(Trouble.DISK_FULL)
                || seen.troubles().contains(Trouble.DISK_STALLED)
                || seen.troubles().contains(Trouble.READ_ONLY_DISK);
    }

    /// The weight of one drawback: nothing else outweighs it.
    private static final int DRAWBACK = 1600;

    private static final int NOT_ELIGIBLE = 2_000_000;

    /// @param rank the best first; of who is not eligible the order in which they are told
    /// @param claim what somebody said of it, whatever it has received and applied; the less, the better
    /// @param total the same with what it has applied of that
    /// @param lacksOnly it is not eligible, and only for transactions that it lacks
    private record Ranked(Candidate candidate, int rank, int claim, int total, boolean lacksOnly) {}

    private static Ranked judge(
            Evidence evidence, PrimaryState primary, String member, Map<String, Position> positions, int order) {
        Position mine = positions.get(member);
        if (mine == null) {
            boolean left = primary.members().isAt(member, Membership.Stage.LEFT);
            return no(member, order, left ? "it had left the ackers" : "its position is not known");
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
        boolean unsure = primary.alone() || primary.members().promotable().isEmpty();
        String from = plan == null ? null : plan.from();
        boolean givenUp = plan != null && plan.givesUp(from);
        if (unsure && from != null && !givenUp && !positions.containsKey(from)) {
            return no(member, order, "nobody is promotable before " + from + " has told what it has");
        }
        if (!belongs(evidence, primary, member)) {
            return no(member, order, "its history was never compared with that of " + primary.holder());
        }
        Optional<String> lacks = Optional.empty();
        for (Map.Entry<String, Position> other : positions.entrySet()) {
            boolean related = !primary.isQuarantined(other.getKey()) && belongs(evidence, primary, other.getKey());
            boolean counts = related || primary.ackers().contains(other.getKey());
            if (lacks.isEmpty()
                    && counts
                    && !mine.received().reached(other.getValue().received())) {
                lacks = Optional.of("it has received %s, %s has %s"
                        .formatted(
                                mine.received(),
                                other.getKey(),
                                other.getValue().received()));
            }
        }
        Optional<String> against = against(evidence, primary, member, mine);
        if (against.isPresent()) {
            return no(member, order, lacks.orElse(against.get()));
        }
        return standing(evidence, primary, member, mine, order, lacks);
    }

    /// What forbids to promote it, whatever the others have.
    private static Optional<String> against(Evidence evidence, PrimaryState primary, String member, Position mine) {
        if (!evidence.fresh(member)) {
            return Optional.of("its agent is not heard");
        }
        Optional<Operations.Maintenance> maintenance = evidence.maintenance(member);
        if (maintenance.isPresent()) {
            return Optional.of("it is " + maintenance.get().describe());
        }
        Optional<String> clock = evidence.clockAlarm(member);
        if (clock.isPresent()) {
            return clock;
        }
        Optional<Observation.Database> seen =
                evidence.database(member, primary.id().group());
        if (seen.map(PrimaryCandidates::cannotWrite).orElse(false)) {
            return Optional.of("it cannot write: " + seen.get().troubles());
        }
        Optional<String> unfit = new PromotionRules(evidence, primary).unfit(member, mine.received());
        if (unfit.isPresent()) {
            return unfit;
        }
        Observation.Replica replica = seen.map(Observation.Database::replica).orElse(null);
        if (replica != null && replica.applierErrno() != 0 && !mine.allApplied()) {
            return Optional.of("its applier is broken: " + replica.error());
        }
        return Optional.empty();
    }

    private static Ranked standing(
            Evidence evidence, PrimaryState primary, String member, Position mine, int order, Optional<String> lacks) {
        Plan plan = primary.plan();
        PromotionRules rules = new PromotionRules(evidence, primary);
        boolean wanted = plan != null && member.equals(plan.wanted());
        boolean last = plan != null
                && member.equals(plan.from())
                && (plan.kind() == Plan.Kind.RESTART || coldStart(evidence, primary));
        boolean failed = RecentFailovers.failed(evidence, primary.id()).contains(member);
        Optional<Reluctance> reluctance =
                rules.reluctant(member).or(() -> mine.allApplied() ? Optional.empty() : rules.late(member));
        int claim = reluctance.map(Reluctance::weight).orElse(0) * DRAWBACK
                + (wanted ? 0 : 400)
                + (last ? 0 : 200)
                + (failed ? 100 : 0)
                + preference(evidence, primary, member);
        int total = claim + (mine.allApplied() ? 0 : 800);
        if (lacks.isPresent()) {
            return new Ranked(new Candidate(member, false, lacks.get()), NOT_ELIGIBLE + order, claim, total, true);
        }
        // in hundreds, so that the order of the file decides only between equals
        int rank = total * 100 + order;
        String told = "received %s, applied %s".formatted(mine.received(), mine.applied())
                + reluctance
                        .map(r -> "; only for want of a better one: " + r.because())
                        .orElse("");
        return new Ranked(new Candidate(member, true, told), rank, claim, total, false);
    }

    /// No acker's server is in the run in which it acknowledged: the site lost power. Moving the role would then gain
    /// nothing (S25).
    private static boolean coldStart(Evidence evidence, PrimaryState primary) {
        return primary.ackers().stream()
                .noneMatch(acker -> evidence.database(acker, primary.id().group())
                        .filter(seen -> primary.vouches(acker, seen.serverStart()))
                        .isPresent());
    }

    private static Ranked no(String member, int order, String reason) {
        return new Ranked(
                new Candidate(member, false, reason), NOT_ELIGIBLE + order, NOT_ELIGIBLE, NOT_ELIGIBLE, false);
    }

    /// A place in the list of the preferred is worth less than all that comes before it in the order above.
    private static int preference(Evidence evidence, PrimaryState primary, String member) {
        int place = evidence.spec()
                .group(primary.id().group())
                .filter(DatabaseGroup.class::isInstance)
                .map(group -> ((DatabaseGroup) group).preference(member))
                .orElse(0);
        return Math.min(place, 99);
    }

    /// Its history is one with the old primary's: it was seen to have everything, or is that primary itself. Only
    /// then do sequence numbers say who is ahead.
    private static boolean belongs(Evidence evidence, PrimaryState primary, String member) {
        Plan plan = primary.plan();
        return plan == null
                || plan.from() == null
                || member.equals(plan.from())
                || plan.givesUp(plan.from())
                || primary.completeIn(member).isPresent()
                || (primary.hasJoined(member) && follows(evidence, primary, member, plan.from()));
    }

    /// It was pointed at that primary, which it refuses when its history differs (S17).
    private static boolean follows(Evidence evidence, PrimaryState primary, String member, String source) {
        String address =
                evidence.spec().host(source).map(ClusterSpec.Host::address).orElse("");
        return evidence.database(member, primary.id().group())
                .map(Observation.Database::replica)
                .filter(replica -> replica.source().equals(address))
                .isPresent();
    }

    private static Candidate judgeMove(Evidence evidence, PrimaryState primary, String member) {
        if (!evidence.fresh(member)) {
            return new Candidate(member, false, "its agent is not heard");
        }
        if (primary.isQuarantined(member)) {
            return new Candidate(member, false, "it is quarantined: it has transactions of its own");
        }
        Optional<Operations.Maintenance> maintenance = evidence.maintenance(member);
        if (maintenance.isPresent()) {
            return new Candidate(member, false, "it is " + maintenance.get().describe());
        }
        Optional<String> clock = evidence.clockAlarm(member);
        if (clock.isPresent()) {
            return new Candidate(member, false, clock.get());
        }
        if (primary.alone()) {
            return new Candidate(member, false, "the primary runs alone: nobody is known to have everything");
        }
        Observation.Database seen =
                evidence.database(member, primary.id().group()).orElse(null);
        Observation.Replica replica = seen == null ? null : seen.replica();
        if (seen == null || replica == null) {
            return new Candidate(member, false, "it follows nobody");
        }
        if (!replica.receiver().equals("Yes") || !replica.applier().equals("Yes")) {
            return new Candidate(
                    member,
                    false,
                    "its replication does not run (receiver %s, applier %s %s)"
                            .formatted(replica.receiver(), replica.applier(), replica.error()));
        }
        PromotionRules rules = new PromotionRules(evidence, primary);
        Optional<String> against = rules.unfit(member, history(seen))
                .or(() -> rules.reluctant(member).map(Reluctance::because));
        if (against.isPresent()) {
            return new Candidate(member, false, against.get());
        }
        Optional<ReplicationLag> lag = ReplicationLag.of(evidence, primary.id().group(), member);
        String told = lag.map(ReplicationLag::describe).orElse("does not tell how far it lags");
        return lag.filter(PrimaryCandidates::lagsTooMuch).isPresent()
                ? new Candidate(member, false, "it " + told)
                : new Candidate(member, true, "it follows and " + told);
    }

    /// A planned move waits until its target has everything, with writes blocked: it would be undone.
    public static boolean lagsTooMuch(ReplicationLag lag) {
        return lag.length().compareTo(lag.byRow() ? MOST_LAG.plus(ReplicationLag.GRAIN) : MOST_LAG) > 0;
    }
}
