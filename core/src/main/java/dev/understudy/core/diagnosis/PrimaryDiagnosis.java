package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.candidate.PrimaryCandidates.Position;
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
            case BLOCKING -> planned(Deadlines.BLOCKING, holder());
            case REACHING -> planned(Deadlines.REACHING, target());
            case UNBLOCKING -> planned(Deadlines.UNBLOCKING, holder());
            case FENCING -> fencing();
            case CUTTING -> cutting();
            case CATCHING_UP -> step(Deadlines.CATCHING_UP, target());
            case STAGING -> step(Deadlines.STAGING, target());
            case ATTACHING -> attaching();
            case OPENING -> opening();
            case BLOCKED -> blocked();
        };
    }

    /// The members that must tell their positions before anybody is promoted (S14): every acker; where none was ever
    /// journaled, or the primary ran alone, every member and the primary itself (S25). A primary that was restarted
    /// in place is one of them.
    public List<String> required() {
        Plan plan = primary.plan();
        boolean everybody = primary.alone() || primary.ackers().isEmpty();
        List<String> required = new ArrayList<>(everybody ? group.members() : primary.ackers());
        if (plan != null && plan.kind() == Plan.Kind.RESTART && plan.from() != null) {
            required.add(plan.from());
        }
        required.removeIf(primary::isQuarantined);
        return required.stream().distinct().toList();
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
        if (mode() != Mode.AUTOMATIC) {
            return Diagnosis.of(PrimarySituation.HELD_BACK, "mode is " + mode());
        }
        boolean allAnswer = group.members().stream().allMatch(this::answers);
        if (!evidence.lapsed(primary.id()) || !allAnswer) {
            return Diagnosis.of(PrimarySituation.WARMING_UP, "every member has to answer before one is chosen");
        }
        List<String> writable = group.members().stream().filter(this::writable).toList();
        return switch (writable.size()) {
            case 0 -> Diagnosis.of(PrimarySituation.NONE_FOUND, "all members answer and are read-only");
            case 1 ->
                Diagnosis.of(PrimarySituation.PRIMARY_FOUND, writable.getFirst() + " is the only writable member");
            default -> Diagnosis.of(PrimarySituation.SEVERAL_FOUND, "writable at once: " + writable);
        };
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
            return evidence.lapsed(primary.id())
                    ? trouble(PrimarySituation.HOLDER_LAPSED, holder + " is not heard and its lease is over")
                    : Diagnosis.of(PrimarySituation.HOLDER_SILENT, holder + " is not heard; its lease may be alive");
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
        if (seen.isEmpty() || seen.get().health() != Health.UP || seen.get().readOnly() == null) {
            return Diagnosis.of(
                    PrimarySituation.UNSURE, "the database on " + holder + " lives but gives no full answer");
        }
        if (!seen.get().serverStart().equals(primary.incarnation())) {
            return trouble(PrimarySituation.RESTARTED, "the database on " + holder + " was restarted");
        }
        return Boolean.TRUE.equals(seen.get().readOnly())
                ? Diagnosis.of(PrimarySituation.READ_ONLY, "somebody set the database on " + holder + " read-only")
                : Diagnosis.of(PrimarySituation.SERVING, holder + " serves");
    }

    private Diagnosis<PrimarySituation> planned(Duration deadline, String actor) {
        String holder = holder();
        boolean gone = evidence.released(holder, primary.id(), primary.epoch())
                || evidence.database(holder, group.name())
                        .map(d -> d.service() == ServiceState.ENDED)
                        .orElse(false)
                || (!evidence.fresh(holder) && evidence.lapsed(primary.id()));
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
        if (holder != null
                && !evidence.released(holder, primary.id(), primary.epoch())
                && !evidence.lapsed(primary.id())) {
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
        return PrimaryCandidates.best(candidates).isPresent()
                ? new Diagnosis<>(PrimarySituation.CANDIDATE_FOUND, "every acker has told its position", candidates)
                : new Diagnosis<>(PrimarySituation.NO_CANDIDATE, "nobody can be promoted without loss", candidates);
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
    private boolean hasReceived(String member) {
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
        return mode() == Mode.AUTOMATIC
                ? Diagnosis.of(situation, because)
                : Diagnosis.of(PrimarySituation.HELD_BACK, because + ", but mode is " + mode());
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
        return group.mode();
    }

    private String hears() {
        return "the controller hears only " + evidence.freshHosts() + " of "
                + evidence.spec().hosts().size() + " hosts and suspects itself";
    }
}
