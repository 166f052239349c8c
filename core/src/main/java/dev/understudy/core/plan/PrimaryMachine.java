package dev.understudy.core.plan;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.candidate.PrimaryCandidates.Position;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.diagnosis.PrimaryDiagnosis;
import dev.understudy.core.diagnosis.PrimarySituation;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.core.policy.PrimaryPolicy;
import dev.understudy.core.policy.PrimaryPolicy.Action;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Carries out [PrimaryPolicy] for one database group.
public final class PrimaryMachine {

    private final Turn turn;
    private final ResourceId id;

    public PrimaryMachine(Turn turn, ResourceId id) {
        this.turn = turn;
        this.id = id;
    }

    /// Looks, asks the table, and does what its row says. True when the phase changed: look again.
    public boolean advance() {
        PrimaryState primary = state();
        Map<String, Outcome> answers = orders(primary);
        return follow(primary, diagnosis(primary, answers), answers, null);
    }

    /// A planned move, asked for by an operator.
    public void move(String requestId, @Nullable String to) {
        PrimaryState primary = state();
        Diagnosis<PrimarySituation> present = diagnosis(primary, Map.of());
        if (primary.phase() != PrimaryPhase.HELD || present.situation() != PrimarySituation.SERVING) {
            turn.answer(
                    requestId, false, id + " cannot be moved now: " + primary.phase() + ", " + present.because(), "");
            return;
        }
        List<Candidate> candidates = PrimaryCandidates.forMove(turn.evidence(), primary);
        Optional<Candidate> chosen = candidates.stream()
                .filter(c -> to == null ? c.eligible() : c.host().equals(to))
                .findFirst();
        if (chosen.isEmpty() || !chosen.get().eligible()) {
            turn.answer(requestId, false, AddressMachine.refusal(to, chosen, candidates), "");
            return;
        }
        String event = turn.nextEventId();
        String target = chosen.get().host();
        follow(
                primary,
                new Diagnosis<>(
                        PrimarySituation.MOVE_REQUESTED,
                        "planned move from " + primary.holder() + " to " + target,
                        candidates),
                Map.of(),
                target);
        turn.answer(requestId, true, "moving " + id + " to " + target, event);
    }

    /// An operator asks to go on with a plan that stopped, or to look again at members that were quarantined (and
    /// may have been repaired by hand).
    public void retry(String requestId) {
        PrimaryState primary = state();
        if (primary.steady() && !primary.quarantined().isEmpty()) {
            String event = turn.nextEventId();
            PrimaryState after = primary.withoutQuarantine();
            String text = "the operator asks to look again at "
                    + primary.quarantined().stream().map(q -> q.host()).toList();
            primary.quarantined().forEach(q -> turn.forget(MemberKeeper.followKey(primary, q.host())));
            turn.record(new JournalEntry.ResourceChanged(after, turn.event(primary, after, "", "", text, List.of())));
            turn.answer(requestId, true, text, event);
            return;
        }
        if (primary.phase() != PrimaryPhase.BLOCKED) {
            turn.answer(
                    requestId,
                    false,
                    id + " has not stopped (" + primary.phase() + ") and no member is quarantined",
                    "");
            return;
        }
        String event = turn.nextEventId();
        follow(
                primary,
                new Diagnosis<>(PrimarySituation.RETRY_REQUESTED, "asked by the operator", List.of()),
                Map.of(),
                null);
        turn.answer(requestId, true, "trying again", event);
    }

    private Diagnosis<PrimarySituation> diagnosis(PrimaryState primary, Map<String, Outcome> answers) {
        return new PrimaryDiagnosis(turn.evidence(), primary, answers).diagnose();
    }

    private boolean follow(
            PrimaryState primary,
            Diagnosis<PrimarySituation> diagnosis,
            Map<String, Outcome> answers,
            @Nullable String wanted) {
        Row<PrimaryPhase, PrimarySituation, Action> row =
                PrimaryPolicy.TABLE.row(primary.phase(), diagnosis.situation());
        PrimaryPhase next = row.next();
        String text = diagnosis.because() + ": " + row.because();
        String situation = diagnosis.situation().name();
        if (next == null) {
            if (row.action() == Action.NOTE) {
                turn.noteOnce(primary, id.toString(), row.id(), situation, text, diagnosis.candidates());
            } else {
                turn.nothingToSay(id.toString());
            }
            return false;
        }
        PrimaryState after = after(primary, row.action(), next, diagnosis, answers, wanted);
        turn.enter(after, turn.event(primary, after, row.id(), situation, text, diagnosis.candidates()));
        return true;
    }

    private PrimaryState after(
            PrimaryState primary,
            Action action,
            PrimaryPhase next,
            Diagnosis<PrimarySituation> diagnosis,
            Map<String, Outcome> answers,
            @Nullable String wanted) {
        Plan plan = primary.plan();
        Plan going = plan == null ? begin(primary, diagnosis, wanted) : plan.next();
        return switch (action) {
            case NONE, NOTE -> primary;
            case ADOPT -> adopt(primary, next, going);
            case ELECT, STAGE, UNBLOCK -> primary.in(next, going);
            case CUT -> primary.in(next, going.stoppedBy(List.of()));
            case BLOCK -> primary.in(next, going.target(String.valueOf(wanted)));
            case REACH -> primary.in(next, going.at(fact(answers, primary.holder(), "binlog"), false));
            case HAND_OVER -> primary.in(next, going.at(going.position(), true));
            case RESUME -> primary.in(next, null);
            case FENCE -> primary.in(next, fence(primary, diagnosis));
            case CHOOSE -> choose(primary, next, going, diagnosis, answers);
            case CHOOSE_AGAIN ->
                primary.in(next, going.reject(new Candidate(String.valueOf(going.to()), false, diagnosis.because())));
            case ATTACH -> attach(primary, next, going);
            case OPEN -> open(primary, next, going, false);
            case OPEN_ALONE -> open(primary, next, going, true);
            case CONFIRM ->
                primary.heldBy(
                                String.valueOf(primary.holder()),
                                primary.epoch(),
                                next,
                                primary.alone(),
                                serverStart(String.valueOf(primary.holder())))
                        .in(next, null);
            case STOP -> primary.in(next, going.stoppedBy(stoppedBy(primary, going, answers)));
        };
    }

    private Plan begin(PrimaryState primary, Diagnosis<PrimarySituation> diagnosis, @Nullable String wanted) {
        Plan.Kind kind =
                switch (diagnosis.situation()) {
                    case MOVE_REQUESTED -> Plan.Kind.SWITCHOVER;
                    case RESTARTED -> Plan.Kind.RESTART;
                    default -> primary.holder() == null ? Plan.Kind.FIRST : Plan.Kind.FAILOVER;
                };
        return new Plan(
                turn.nextPlanId(),
                kind,
                diagnosis.because(),
                primary.holder(),
                null,
                wanted,
                primary.epoch() + 1,
                "",
                false,
                0,
                List.of());
    }

    /// A plan that fences whoever may hold now. A planned move whose primary failed becomes a failover; a target
    /// that did not open is fenced like any holder.
    private Plan fence(PrimaryState primary, Diagnosis<PrimarySituation> diagnosis) {
        Plan fresh = begin(primary, diagnosis, null);
        Plan old = primary.plan();
        return old == null
                ? fresh
                : new Plan(
                        old.id(),
                        Plan.Kind.FAILOVER,
                        diagnosis.because(),
                        primary.holder(),
                        null,
                        null,
                        fresh.epoch(),
                        "",
                        false,
                        old.step() + 1,
                        List.of());
    }

    private PrimaryState adopt(PrimaryState primary, PrimaryPhase next, Plan plan) {
        String found = group().members().stream()
                .filter(m -> turn.evidence()
                        .database(m, id.group())
                        .map(d -> Boolean.FALSE.equals(d.readOnly()))
                        .orElse(false))
                .findFirst()
                .orElseThrow();
        List<String> others =
                group().members().stream().filter(m -> !m.equals(found)).toList();
        return primary.withAckers(others, false)
                .heldBy(found, plan.epoch(), next, false, "")
                .in(next, plan.target(found));
    }

    private PrimaryState choose(
            PrimaryState primary,
            PrimaryPhase next,
            Plan plan,
            Diagnosis<PrimarySituation> diagnosis,
            Map<String, Outcome> answers) {
        String target = PrimaryCandidates.best(diagnosis.candidates()).orElseThrow();
        Position position = new PrimaryDiagnosis(turn.evidence(), primary, answers)
                .positions()
                .get(target);
        if (position == null) {
            throw new IllegalStateException(target + " was chosen without a position");
        }
        String received = position.received().toString();
        return primary.in(next, plan.target(target).at(received, plan.reached()));
    }

    /// Whoever is about to be told to follow may acknowledge: they are ackers before the order leaves (S14). The old
    /// ackers stay in the set until the new primary opens.
    private PrimaryState attach(PrimaryState primary, PrimaryPhase next, Plan plan) {
        List<String> ackers = new ArrayList<>(primary.ackers());
        ackers.addAll(new PrimaryDiagnosis(turn.evidence(), primary, Map.of()).attachable());
        return primary.withAckers(ackers.stream().distinct().toList(), primary.alone())
                .in(next, plan);
    }

    /// The target becomes the holder of the new epoch, journaled before it is told. From here on only those who were
    /// told to follow it can acknowledge.
    private PrimaryState open(PrimaryState primary, PrimaryPhase next, Plan plan, boolean alone) {
        String target = String.valueOf(plan.to());
        List<String> ackers = new PrimaryDiagnosis(turn.evidence(), primary, Map.of())
                .attachable().stream()
                        .filter(m -> turn.state().orders().containsKey(orderId(primary, m)))
                        .toList();
        return primary.withAckers(ackers, alone)
                .heldBy(target, plan.epoch(), next, alone, "")
                .in(next, plan);
    }

    private List<Candidate> stoppedBy(PrimaryState primary, Plan plan, Map<String, Outcome> answers) {
        List<Candidate> missing = new ArrayList<>(plan.rejected());
        for (String host : new PrimaryDiagnosis(turn.evidence(), primary, answers).missing()) {
            missing.add(new Candidate(host, false, "its position is not known"));
        }
        return missing;
    }

    private static String fact(Map<String, Outcome> answers, @Nullable String host, String name) {
        return host != null && answers.get(host) instanceof Outcome.Done done
                ? done.facts().getOrDefault(name, "")
                : "";
    }

    private String serverStart(String host) {
        return turn.evidence()
                .database(host, id.group())
                .map(Observation.Database::serverStart)
                .orElse("");
    }

    /// The orders of the present phase, sent and repeated until they are answered; returns the answers by host.
    private Map<String, Outcome> orders(PrimaryState primary) {
        Map<String, Outcome> answers = new TreeMap<>();
        Plan plan = primary.plan();
        if (plan == null) {
            return answers;
        }
        long epoch = primary.epoch();
        String holder = String.valueOf(primary.holder());
        String target = String.valueOf(plan.to());
        PrimaryDiagnosis present = new PrimaryDiagnosis(turn.evidence(), primary, Map.of());
        switch (primary.phase()) {
            case VACANT, HELD, BLOCKED -> {}
            case BLOCKING ->
                ask(
                        primary,
                        holder,
                        answers,
                        order -> new Command.BlockWrites(order, id, epoch, Deadlines.BLOCKING.toMillis() / 2));
            case REACHING ->
                ask(
                        primary,
                        target,
                        answers,
                        order -> new Command.ReachPosition(
                                order, id, epoch, plan.position(), Deadlines.REACHING.toMillis()));
            case UNBLOCKING -> ask(primary, holder, answers, order -> new Command.UnblockWrites(order, id, epoch));
            case FENCING -> {
                if (turn.evidence().fresh(holder) && !turn.evidence().released(holder, id, epoch)) {
                    ask(
                            primary,
                            holder,
                            answers,
                            Again.AFTER_FAILURE,
                            order -> new Command.Release(order, id, epoch, epoch));
                }
            }
            case CUTTING -> {
                for (String member : present.asked()) {
                    String cutFrom = member.equals(plan.from()) ? "" : addressOf(plan.from());
                    ask(
                            primary,
                            member,
                            answers,
                            Again.AFTER_FAILURE,
                            order -> new Command.CutReceiver(order, id, plan.epoch(), cutFrom));
                }
            }
            case CATCHING_UP ->
                ask(
                        primary,
                        target,
                        answers,
                        order -> new Command.CatchUp(
                                order, id, plan.epoch(), Deadlines.CATCHING_UP.toMillis() * 9 / 10));
            case STAGING -> ask(primary, target, answers, order -> new Command.Stage(order, id, plan.epoch()));
            case ATTACHING -> {
                for (String member : present.attachable()) {
                    // a member that came back after the ackers were journaled is attached later (S14)
                    if (primary.ackers().contains(member)) {
                        ask(primary, member, answers, order -> followOrder(order, plan.epoch(), target));
                    }
                }
            }
            case OPENING ->
                ask(primary, holder, answers, order -> new Command.OpenWrites(order, id, epoch, primary.alone()));
        }
        return answers;
    }

    private Command followOrder(String order, long epoch, String primaryHost) {
        return new Command.Follow(
                order, id, epoch, addressOf(primaryHost), group().port(), Deadlines.ATTACHING.toMillis() * 9 / 10);
    }

    private void ask(
            PrimaryState primary, String host, Map<String, Outcome> answers, Function<String, Command> command) {
        ask(primary, host, answers, Again.NEVER, command);
    }

    private void ask(
            PrimaryState primary,
            String host,
            Map<String, Outcome> answers,
            Again again,
            Function<String, Command> command) {
        turn.ensure(host, orderId(primary, host), again, Deadlines.REPEAT, command)
                .map(Sent::outcome)
                .filter(outcome -> !(outcome instanceof Outcome.Unknown))
                .ifPresent(outcome -> answers.put(host, outcome));
    }

    static String orderId(PrimaryState primary, String host) {
        Plan plan = primary.plan();
        return (plan == null ? "P0.0" : plan.id() + "." + plan.step()) + "/" + primary.phase() + "/" + host;
    }

    private String addressOf(@Nullable String host) {
        return host == null
                ? ""
                : turn.state().spec().host(host).map(ClusterSpec.Host::address).orElse("");
    }

    private DatabaseGroup group() {
        return turn.state()
                .spec()
                .group(id.group())
                .filter(DatabaseGroup.class::isInstance)
                .map(DatabaseGroup.class::cast)
                .orElseThrow();
    }

    private PrimaryState state() {
        if (turn.resource(id) instanceof PrimaryState primary) {
            return primary;
        }
        throw new IllegalStateException(id + " is no primary role");
    }
}
