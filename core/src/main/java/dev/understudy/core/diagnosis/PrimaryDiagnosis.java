package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.candidate.PrimaryCandidates.Position;
import dev.understudy.core.candidate.RecentFailovers;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Evidence and answers → the situation of a primary role.
public final class PrimaryDiagnosis {

    private final Evidence evidence;
    private final PrimaryState primary;
    private final Map<String, Outcome> answers;
    private final DatabaseGroup group;

    /// @param answers by host: the outcome of the order that the present phase gave it
    public PrimaryDiagnosis(Evidence evidence, PrimaryState primary, Map<String, Outcome> answers) {
        this.evidence = evidence;
        this.primary = primary;
        this.answers = Map.copyOf(answers);
        this.group = evidence.spec()
                .group(primary.id().group())
                .filter(DatabaseGroup.class::isInstance)
                .map(DatabaseGroup.class::cast)
                .orElseThrow(() -> new IllegalStateException(primary.id() + " is in no database group"));
    }

    public Diagnosis<PrimarySituation> diagnose() {
        return switch (primary.phase()) {
            case VACANT -> vacant();
            case HELD -> held();
            case BLOCKING -> planned(Deadlines.BLOCKING.plus(group.patience().patience()), holder());
            case REACHING -> planned(Deadlines.REACHING, target());
            case UNBLOCKING -> planned(Deadlines.UNBLOCKING, holder());
            case FENCING -> fencing();
            case CUTTING -> cutting();
            case FETCHING -> new FetchDiagnosis(evidence, primary, answers).diagnose();
            case CATCHING_UP -> catchingUp();
            case STAGING -> step(Deadlines.STAGING, target());
            case ATTACHING -> attaching();
            case OPENING -> opening();
            case BLOCKED -> blocked();
        };
    }

    /// The members that must tell their positions before anybody is promoted (S14): every acker; where none was
    /// ever journaled, the primary ran alone or nobody is promotable, every member and the primary itself (S25). A
    /// primary that was restarted in place is one of them. When an acker may have lost what it acknowledged, only
    /// the old primary with everybody else can say what there was (S15).
    public List<String> required() {
        Plan plan = primary.plan();
        boolean doubt = primary.ackers().stream().anyMatch(this::mayHaveLost);
        boolean unsure =
                primary.ackers().isEmpty() || primary.members().promotable().isEmpty();
        boolean everybody = primary.alone() || unsure || doubt;
        List<String> required = new ArrayList<>(primary.ackers());
        if (everybody) {
            required.addAll(group.members());
        }
        if (plan != null && (plan.kind() == Plan.Kind.RESTART || doubt) && plan.from() != null) {
            required.add(plan.from());
        }
        // one that is quarantined has left the ackers, or may still be the only one with a row
        required.removeIf(m -> primary.isQuarantined(m) && !primary.ackers().contains(m));
        required.removeIf(m -> plan != null && plan.givesUp(m));
        return required.stream().distinct().toList();
    }

    /// The members that a plan which stopped waits for and that do not answer now: what they alone acknowledged would
    /// be lost without them.
    public List<String> unaccounted() {
        Plan plan = primary.plan();
        if (plan == null || primary.phase() != PrimaryPhase.BLOCKED) {
            return List.of();
        }
        List<String> waitedFor = new ArrayList<>(required());
        plan.rejected().forEach(missing -> waitedFor.add(missing.host()));
        return waitedFor.stream()
                .filter(m -> !answers(m) && !plan.givesUp(m))
                .distinct()
                .sorted()
                .toList();
    }

    /// It told its position from another run of its server than the one that can have lost nothing.
    private boolean mayHaveLost(String acker) {
        return answers.get(acker) instanceof Outcome.Done done
                && !primary.vouches(acker, done.facts().getOrDefault("serverStart", ""));
    }

    /// The members that are asked for their positions: those that must answer, and a former primary that handed
    /// over.
    public List<String> asked() {
        Plan plan = primary.plan();
        List<String> asked = new ArrayList<>(required());
        if (plan != null && plan.reached() && plan.from() != null) {
            asked.add(plan.from());
        }
        return asked.stream().distinct().toList();
    }

    /// The required members whose positions are not known.
    public List<String> missing() {
        return required().stream()
                .filter(m -> !(answers.get(m) instanceof Outcome.Done))
                .toList();
    }

    /// The positions that have been told in the phase CUTTING.
    public Map<String, Position> positions() {
        Map<String, Position> positions = new TreeMap<>();
        answers.forEach((host, outcome) -> {
            if (outcome instanceof Outcome.Done done) {
                positions.put(host, Position.of(done.facts()));
            }
        });
        return positions;
    }

    /// Who would be promoted if it had everything; one fetch in a plan.
    public Optional<String> preferred() {
        Plan plan = primary.plan();
        return plan == null || plan.fetch() != null
                ? Optional.empty()
                : PrimaryCandidates.preferred(evidence, primary, positions());
    }

    /// Members that can be attached to the target before it opens.
    public List<String> attachable() {
        Plan plan = primary.plan();
        return group.members().stream()
                .filter(m -> !m.equals(target()))
                .filter(m -> !primary.isQuarantined(m))
                .filter(evidence::fresh)
                .filter(m -> evidence.database(m, group.name())
                        .map(d -> d.health() == Health.UP)
                        .orElse(false))
                .filter(m -> plan == null || plan.reached() || !m.equals(plan.from()))
                .toList();
    }

    private Diagnosis<PrimarySituation> vacant() {
        if (evidence.blind()) {
            return Diagnosis.of(PrimarySituation.BLIND, hears());
        }
        if (evidence.newerThan(primary.id(), primary.epoch())) {
            return Diagnosis.of(
                    PrimarySituation.JOURNAL_TOO_OLD, "agents know of a later epoch than " + primary.epoch());
        }
        boolean allAnswer = group.members().stream().allMatch(this::answers);
        if (!evidence.lapsed(primary.id()) || !allAnswer) {
            return Diagnosis.of(PrimarySituation.WARMING_UP, "every member has to answer before one is chosen");
        }
        List<String> writable = group.members().stream().filter(this::writable).toList();
        return switch (writable.size()) {
            case 0 ->
                FoundHistories.apart(evidence, group)
                        .map(because -> Diagnosis.of(
                                PrimarySituation.HISTORIES_APART,
                                because + "; the one that is opened by hand (read_only = 0) is adopted"))
                        .orElseGet(this::noneFound);
            case 1 ->
                Diagnosis.of(PrimarySituation.PRIMARY_FOUND, writable.getFirst() + " is the only writable member");
            default -> Diagnosis.of(PrimarySituation.SEVERAL_FOUND, "writable at once: " + writable);
        };
    }

    private Diagnosis<PrimarySituation> noneFound() {
        return mode() == Mode.AUTOMATIC
                ? Diagnosis.of(PrimarySituation.NONE_FOUND, "all members answer and are read-only")
                : Diagnosis.of(
                        PrimarySituation.HELD_BACK,
                        "all members answer and are read-only, " + evidence.restraint(group.name()));
    }

    private Diagnosis<PrimarySituation> held() {
        String holder = holder();
        if (evidence.blind()) {
            return evidence.leading().compareTo(Deadlines.HEARING) < 0
                    ? Diagnosis.of(PrimarySituation.WARMING_UP, "this controller has just started")
                    : Diagnosis.of(PrimarySituation.BLIND, hears());
        }
        if (evidence.newerThan(primary.id(), primary.epoch())) {
            return Diagnosis.of(
                    PrimarySituation.JOURNAL_TOO_OLD, "agents know of a later epoch than " + primary.epoch());
        }
        if (!evidence.fresh(holder)) {
            return silent();
        }
        Optional<Observation.Database> seen = evidence.database(holder, group.name());
        ServiceState service = seen.map(Observation.Database::service).orElse(ServiceState.UNKNOWN);
        if (service == ServiceState.ENDED) {
            return trouble(PrimarySituation.SERVICE_DOWN, "the database on " + holder + " died");
        }
        if (evidence.released(holder, primary.id(), primary.epoch())) {
            return trouble(PrimarySituation.HOLDER_RELEASED, holder + " gave the role up by itself");
        }
        if (!evidence.holds(holder, primary.id(), primary.epoch())) {
            return evidence.lapsed(primary.id())
                    ? trouble(PrimarySituation.HOLDER_LAPSED, holder + " holds no lease any more")
                    : Diagnosis.of(PrimarySituation.UNSURE, holder + " does not say that it holds the lease");
        }
        if (service == ServiceState.STOPPED) {
            Duration stopped = evidence.inStateFor(holder, "database/" + group.name());
            return stopped.compareTo(group.cleanStopWait()) < 0
                    ? Diagnosis.of(
                            PrimarySituation.STOPPED_CLEANLY, "the database on " + holder + " was stopped cleanly")
                    : trouble(
                            PrimarySituation.STOPPED_TOO_LONG,
                            "the database on " + holder + " was stopped cleanly and is not back after "
                                    + group.cleanStopWait().toSeconds() + " s");
        }
        Optional<Diagnosis<PrimarySituation>> trouble = TroubledPrimary.of(evidence, primary, seen);
        if (trouble.isPresent()) {
            PrimarySituation situation = trouble.get().situation();
            return TroubledPrimary.moves(situation)
                    ? ifBetter(situation, trouble.get().because())
                    : trouble.get();
        }
        if (seen.isEmpty() || seen.get().health() != Health.UP || seen.get().readOnly() == null) {
            return Diagnosis.of(
                    PrimarySituation.UNSURE, "the database on " + holder + " lives but gives no full answer");
        }
        if (!seen.get().serverStart().equals(primary.incarnation())) {
            return trouble(PrimarySituation.RESTARTED, "the database on " + holder + " was restarted");
        }
        return Boolean.TRUE.equals(seen.get().readOnly())
                ? Diagnosis.of(PrimarySituation.READ_ONLY, "somebody set the database on " + holder + " read-only")
                : Isolation.of(evidence, primary)
                        .map(because -> ifBetter(PrimarySituation.ISOLATED, because))
                        .orElseGet(() -> Diagnosis.of(PrimarySituation.SERVING, holder + " serves"));
    }

    /// The primary lives after a fashion: it is given up only if another member looks better.
    private Diagnosis<PrimarySituation> ifBetter(PrimarySituation situation, String because) {
        List<Candidate> candidates = PrimaryCandidates.standIns(evidence, primary);
        return PrimaryCandidates.best(candidates).isPresent()
                ? trouble(situation, because)
                : new Diagnosis<>(
                        PrimarySituation.NO_CANDIDATE, because + ", and no other member is better", candidates);
    }

    private Diagnosis<PrimarySituation> silent() {
        Silence silence = Silence.of(evidence, primary);
        return switch (silence.kind()) {
            case LEASE_MAY_LIVE -> Diagnosis.of(PrimarySituation.HOLDER_SILENT, silence.because());
            case CONSENT ->
                Isolation.of(evidence, primary)
                        .map(because -> ifBetter(PrimarySituation.ISOLATED, because))
                        .orElseGet(() -> Diagnosis.of(PrimarySituation.HELD_BY_CONSENT, silence.because()));
            case NOBODY_TO_CLOSE -> Diagnosis.of(PrimarySituation.CANNOT_CLOSE, silence.because());
            case AGENT_DOWN -> trouble(PrimarySituation.AGENT_DOWN, silence.because());
            case HOST_FROZEN -> trouble(PrimarySituation.HOST_FROZEN, silence.because());
            case ASYMMETRIC -> trouble(PrimarySituation.ASYMMETRIC, silence.because());
            case HOST_DOWN -> trouble(PrimarySituation.HOST_DOWN, silence.because());
        };
    }

    private Diagnosis<PrimarySituation> planned(Duration deadline, String actor) {
        String holder = holder();
        boolean gone = evidence.released(holder, primary.id(), primary.epoch())
                || evidence.database(holder, group.name())
                        .map(d -> d.service() == ServiceState.ENDED)
                        .orElse(false)
                || (!evidence.fresh(holder)
                        && evidence.lapsed(primary.id())
                        && evidence.promising(primary.id()).isEmpty());
        return gone
                ? Diagnosis.of(PrimarySituation.HOLDER_GONE, holder + " failed in the middle of the planned move")
                : step(deadline, actor);
    }

    private Diagnosis<PrimarySituation> step(Duration deadline, String actor) {
        Outcome outcome = answers.get(actor);
        boolean overdue = evidence.inPhase(primary.id()).compareTo(deadline) > 0;
        String says = actor + " " + (outcome == null ? "has not answered" : outcome.describe());
        return switch (outcome) {
            case Outcome.Done _ -> Diagnosis.of(PrimarySituation.STEP_DONE, says);
            case Outcome.Refused _, Outcome.Failed _ -> Diagnosis.of(PrimarySituation.STEP_FAILED, says);
            case Outcome.Unknown _ -> pendingOr(overdue, says);
            case null -> pendingOr(overdue, says);
        };
    }

    private static Diagnosis<PrimarySituation> pendingOr(boolean overdue, String says) {
        return Diagnosis.of(overdue ? PrimarySituation.OVERDUE : PrimarySituation.STEP_PENDING, says);
    }

    private Diagnosis<PrimarySituation> fencing() {
        String holder = primary.holder();
        Plan plan = primary.plan();
        if (!evidence.gone(primary)) {
            return Diagnosis.of(PrimarySituation.NOT_FENCED_YET, holder + " may still act");
        }
        String because = holder == null
                ? "nobody held the role"
                : evidence.released(holder, primary.id(), primary.epoch())
                        ? holder + " has fenced itself"
                        : "every lease of " + holder + " is over";
        return Diagnosis.of(
                plan != null && plan.reached() ? PrimarySituation.FENCED_AT_POSITION : PrimarySituation.FENCED,
                because);
    }

    private Diagnosis<PrimarySituation> cutting() {
        List<String> missing = missing();
        if (!missing.isEmpty()) {
            boolean overdue = evidence.inPhase(primary.id()).compareTo(Deadlines.CUTTING) > 0;
            String because = "positions are missing of " + missing + describe(missing);
            return pendingOr(overdue, because);
        }
        List<Candidate> candidates = PrimaryCandidates.of(evidence, primary, positions());
        Optional<String> best = PrimaryCandidates.best(candidates);
        Optional<String> preferred = preferred();
        if (best.isPresent() && preferred.isPresent()) {
            return new Diagnosis<>(
                    PrimarySituation.PREFERRED_LACKS,
                    "every acker has told its position, " + best.get() + " has everything and " + preferred.get()
                            + " is better placed",
                    candidates);
        }
        return best.isPresent()
                ? new Diagnosis<>(PrimarySituation.CANDIDATE_FOUND, "every acker has told its position", candidates)
                : new Diagnosis<>(PrimarySituation.NO_CANDIDATE, "nobody can be promoted without loss", candidates);
    }

    /// Done counts only at the position that was told: a server that was restarted since has nothing left to apply,
    /// and may have lost what it told of.
    private Diagnosis<PrimarySituation> catchingUp() {
        Plan plan = primary.plan();
        if (plan != null && answers.get(target()) instanceof Outcome.Done done) {
            String applied = done.facts().getOrDefault("applied", plan.position());
            if (!GtidList.parse(applied).reached(GtidList.parse(plan.position()))) {
                return Diagnosis.of(
                        PrimarySituation.STEP_FAILED,
                        target() + " told of " + plan.position() + " and has only " + applied + " now");
            }
        }
        return step(Deadlines.CATCHING_UP, target());
    }

    private Diagnosis<PrimarySituation> attaching() {
        List<String> attachable = attachable();
        for (String member : attachable) {
            if (answers.get(member) instanceof Outcome.Done && hasReceived(member)) {
                return Diagnosis.of(PrimarySituation.STEP_DONE, member + " follows " + target());
            }
        }
        if (!evidence.fresh(target())
                && evidence.inPhase(primary.id())
                                .compareTo(evidence.state().timing().ttl())
                        > 0) {
            return Diagnosis.of(PrimarySituation.STEP_FAILED, target() + " is not heard any more");
        }
        boolean allFailed = attachable.stream()
                .allMatch(m -> answers.get(m) instanceof Outcome.Refused || answers.get(m) instanceof Outcome.Failed);
        if (attachable.isEmpty() || allFailed) {
            return Diagnosis.of(
                    PrimarySituation.NOBODY_TO_ATTACH, "no follower can be attached" + describe(attachable));
        }
        return pendingOr(evidence.inPhase(primary.id()).compareTo(Deadlines.ATTACHING) > 0, "attaching " + attachable);
    }

    /// A follower counts only when it has received all that the target has: otherwise the only copy of an
    /// acknowledged row could be the target's.
    public boolean hasReceived(String member) {
        Plan plan = primary.plan();
        Observation.Replica replica = evidence.database(member, group.name())
                .map(Observation.Database::replica)
                .orElse(null);
        return plan != null
                && replica != null
                && GtidList.parse(replica.receivedPosition())
                        .merge(GtidList.parse(evidence.database(member, group.name())
                                .map(Observation.Database::binlogPosition)
                                .orElse("")))
                        .reached(GtidList.parse(plan.position()));
    }

    /// The target has what it was chosen for; after a restart it may have lost some of it.
    public boolean stillComplete() {
        Plan plan = primary.plan();
        return plan != null
                && evidence.database(holder(), group.name())
                        .map(d -> GtidList.parse(d.binlogPosition()).reached(GtidList.parse(plan.position())))
                        .orElse(false);
    }

    private Diagnosis<PrimarySituation> opening() {
        String holder = holder();
        if (evidence.holds(holder, primary.id(), primary.epoch()) && writable(holder)) {
            return Diagnosis.of(PrimarySituation.OPENED, holder + " is writable under epoch " + primary.epoch());
        }
        if (evidence.released(holder, primary.id(), primary.epoch())) {
            return Diagnosis.of(PrimarySituation.STEP_FAILED, holder + " gave the role up again");
        }
        Diagnosis<PrimarySituation> step = step(Deadlines.OPENING, holder);
        return step.situation() == PrimarySituation.STEP_DONE
                ? pendingOr(
                        evidence.inPhase(primary.id()).compareTo(Deadlines.OPENING) > 0,
                        holder + " has opened; its heartbeat is waited for")
                : step;
    }

    private Diagnosis<PrimarySituation> blocked() {
        Plan plan = primary.plan();
        List<String> stoppedBy = plan == null
                ? List.of()
                : plan.rejected().stream().map(Candidate::host).toList();
        // each fruitless pass waits longer
        Duration wait = stoppedBy.isEmpty() || plan == null
                ? Deadlines.BLOCKED
                : Deadlines.RETRY.multipliedBy(1L << Math.min(plan.step() / 2, 5));
        boolean again = evidence.inPhase(primary.id()).compareTo(wait) > 0
                && required().stream().allMatch(this::answers)
                && stoppedBy.stream().allMatch(this::answers)
                && required().stream().noneMatch(this::appliesNothing);
        return again
                ? Diagnosis.of(PrimarySituation.MEMBERS_ANSWER, "every required member answers: " + required())
                : Diagnosis.of(PrimarySituation.STILL_BLOCKED, "required: " + required() + ", stopped by " + stoppedBy);
    }

    private boolean appliesNothing(String member) {
        Observation.Replica replica = evidence.database(member, group.name())
                .map(Observation.Database::replica)
                .orElse(null);
        return replica != null && replica.applierErrno() != 0;
    }

    private Diagnosis<PrimarySituation> trouble(PrimarySituation situation, String because) {
        if (mode() != Mode.AUTOMATIC) {
            return Diagnosis.of(PrimarySituation.HELD_BACK, because + ", but " + evidence.restraint(group.name()));
        }
        return situation == PrimarySituation.RESTARTED
                ? Diagnosis.of(situation, because)
                : recent().map(hold -> heldBack(hold, because)).orElseGet(() -> Diagnosis.of(situation, because));
    }

    /// While anti-flap holds a failover back, a primary that was started again where it was is elected anew.
    private Diagnosis<PrimarySituation> heldBack(RecentFailovers.Hold hold, String because) {
        boolean back = answers(holder())
                && evidence.database(holder(), group.name())
                        .filter(d -> !d.serverStart().equals(primary.incarnation()))
                        .isPresent();
        return back
                ? Diagnosis.of(PrimarySituation.RESTARTED, "the database on " + holder() + " was restarted")
                : Diagnosis.of(
                        PrimarySituation.RECENT_FAILOVER,
                        because + ", but " + hold.because() + "; held back until " + hold.until());
    }

    /// Empty when some member that could take over is not held back, or when there is none at all.
    private Optional<RecentFailovers.Hold> recent() {
        Optional<RecentFailovers.Hold> hold = Optional.empty();
        for (String member : group.members()) {
            if (!member.equals(holder())
                    && answers(member)
                    && !primary.isQuarantined(member)
                    && evidence.maintenance(member).isEmpty()) {
                hold = RecentFailovers.hold(evidence, primary.id(), holder(), member, "database/" + group.name());
                if (hold.isEmpty()) {
                    return hold;
                }
            }
        }
        return hold;
    }

    private String describe(List<String> members) {
        StringBuilder text = new StringBuilder();
        for (String member : members) {
            Outcome outcome = answers.get(member);
            if (outcome != null) {
                text.append("; ").append(member).append(' ').append(outcome.describe());
            }
        }
        return text.toString();
    }

    private boolean answers(String member) {
        return evidence.fresh(member)
                && evidence.database(member, group.name())
                        .map(d -> d.health() == Health.UP && d.readOnly() != null)
                        .orElse(false);
    }

    private boolean writable(String member) {
        return evidence.database(member, group.name())
                .map(d -> Boolean.FALSE.equals(d.readOnly()))
                .orElse(false);
    }

    private String holder() {
        return String.valueOf(primary.holder());
    }

    private String target() {
        Plan plan = primary.plan();
        return plan == null ? "" : String.valueOf(plan.to());
    }

    private Mode mode() {
        return evidence.mode(group.name());
    }

    private String hears() {
        return "the controller hears only " + evidence.freshHosts() + " of "
                + evidence.spec().hosts().size() + " hosts and suspects itself";
    }
}
