package dev.understudy.core.plan;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Membership;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.candidate.PrimaryCandidates.Position;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.diagnosis.FetchStep;
import dev.understudy.core.diagnosis.PrimaryDiagnosis;
import dev.understudy.core.diagnosis.PrimarySituation;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.core.policy.PrimaryPolicy;
import dev.understudy.core.policy.PrimaryPolicy.Action;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Carries out [PrimaryPolicy] for one database group.
public final class PrimaryMachine implements ResourceMachine {

    private final Turn turn;
    private final ResourceId id;

    public PrimaryMachine(Turn turn, ResourceId id) {
        this.turn = turn;
        this.id = id;
    }

    @Override
    public boolean advance() {
        PrimaryState primary = state();
        Map<String, Outcome> answers = orders(primary);
        return follow(primary, diagnosis(primary, answers), answers, null);
    }

    @Override
    public void move(String requestId, @Nullable String to) {
        PrimaryState primary = state();
        Diagnosis<PrimarySituation> present = diagnosis(primary, Map.of());
        if (primary.phase() == PrimaryPhase.VACANT) {
            first(requestId, primary, present, to);
            return;
        }
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

    /// A first primary, though the mode does not let one be chosen. One that is found is adopted without being asked
    /// for.
    private void first(
            String requestId, PrimaryState primary, Diagnosis<PrimarySituation> present, @Nullable String to) {
        if (present.situation() != PrimarySituation.HELD_BACK) {
            turn.answer(requestId, false, id + " has no primary, and cannot get one now: " + present.because(), "");
            return;
        }
        if (to != null && !group().members().contains(to)) {
            turn.answer(requestId, false, to + " is no member of the group", "");
            return;
        }
        String event = turn.nextEventId();
        String wish = to == null ? "" : ", " + to + " when it has everything";
        follow(
                primary,
                new Diagnosis<>(PrimarySituation.MOVE_REQUESTED, "first primary" + wish, List.of()),
                Map.of(),
                to);
        turn.answer(requestId, true, "electing a first primary of " + id + wish, event);
    }

    /// The present primary is fenced, or its lease waited for, and the best member is promoted as in any failover.
    @Override
    public void failover(String requestId, @Nullable String to) {
        PrimaryState primary = state();
        if (primary.phase() != PrimaryPhase.HELD) {
            turn.answer(requestId, false, id + " is not held now: " + primary.phase(), "");
            return;
        }
        List<String> others = group().members().stream()
                .filter(m -> !m.equals(primary.holder()) && !primary.isQuarantined(m))
                .filter(turn.evidence()::fresh)
                .filter(m -> turn.evidence().maintenance(m).isEmpty())
                .filter(m -> turn.evidence().clockAlarm(m).isEmpty())
                .toList();
        if (primary.alone() || others.isEmpty() || (to != null && !others.contains(to))) {
            String why = primary.alone()
                    ? "the primary runs alone: nobody is known to have everything"
                    : "members that could be promoted: " + others;
            turn.answer(requestId, false, id + " cannot be taken from " + primary.holder() + ": " + why, "");
            return;
        }
        String event = turn.nextEventId();
        String text = "failover from " + primary.holder() + (to == null ? "" : " to " + to + " when it has everything");
        follow(primary, new Diagnosis<>(PrimarySituation.FAILOVER_REQUESTED, text, List.of()), Map.of(), to);
        turn.answer(requestId, true, text, event);
    }

    /// An operator asks to go on with a plan that stopped, or to look again at members that were quarantined (and
    /// may have been repaired by hand).
    public void retry(String requestId) {
        PrimaryState primary = state();
        List<String> looked = primary.quarantined().stream()
                .map(q -> q.host())
                .filter(host -> !turn.evidence().operations().isRebuilt(id.group(), host))
                .toList();
        if (primary.steady() && !looked.isEmpty()) {
            String event = turn.nextEventId();
            PrimaryState after = primary;
            for (String host : looked) {
                after = after.withoutQuarantine(host);
                turn.forget(MemberKeeper.followKey(primary, host));
            }
            String text = "the operator asks to look again at " + looked;
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

    /// An operator lets a plan that stopped go on without the members that do not answer. Journaled with who said so
    /// and whom it concerns; nothing else ever leads there.
    public void acceptLoss(String requestId, String who, String words) {
        PrimaryState primary = state();
        Plan plan = primary.plan();
        List<String> unaccounted = new PrimaryDiagnosis(turn.evidence(), primary, Map.of()).unaccounted();
        if (plan == null || unaccounted.isEmpty()) {
            String why = primary.phase() == PrimaryPhase.BLOCKED
                    ? "every member that it waits for answers: nothing is lost by waiting"
                    : "it has not stopped (" + primary.phase() + ")";
            turn.answer(requestId, false, id + ": no loss is to be accepted, " + why, "");
            return;
        }
        if (!words.equals(words(unaccounted))) {
            String text = "%s does not know what %s acknowledged: whoever accepts that it is lost types '%s', not '%s'"
                    .formatted(id, String.join(", ", unaccounted), words(unaccounted), words);
            turn.answer(requestId, false, text, "");
            return;
        }
        String event = turn.nextEventId();
        List<String> all = new ArrayList<>(unaccounted);
        all.addAll(plan.givenUp() == null ? List.of() : plan.givenUp());
        String text = "%s accepts the loss of whatever %s alone acknowledged"
                .formatted(who.isEmpty() ? "the operator" : who, String.join(", ", unaccounted));
        follow(
                primary.in(
                        primary.phase(), plan.givingUp(all.stream().distinct().toList())),
                new Diagnosis<>(PrimarySituation.LOSS_ACCEPTED, text, List.of()),
                Map.of(),
                null);
        turn.answer(requestId, true, text, event);
    }

    /// What an operator types to accept that what these members alone acknowledged is lost.
    public static String words(List<String> unaccounted) {
        return "lose " + String.join(",", unaccounted);
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
            case FENCE -> primary.in(next, fence(primary, diagnosis, wanted));
            case CHOOSE -> choose(primary, next, going, diagnosis, answers);
            case FETCH -> fetch(primary, next, going, diagnosis, answers);
            case FETCHED -> primary.in(next, going);
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
                        .withMembers(primary.members().waitingSince(unacknowledged(primary)))
                        .in(next, null);
            case STOP -> primary.in(next, going.stoppedBy(stoppedBy(primary, going, answers)));
        };
    }

    private Plan begin(PrimaryState primary, Diagnosis<PrimarySituation> diagnosis, @Nullable String wanted) {
        Plan.Kind kind =
                switch (diagnosis.situation()) {
                    case MOVE_REQUESTED -> primary.holder() == null ? Plan.Kind.FIRST : Plan.Kind.SWITCHOVER;
                    case FAILOVER_REQUESTED -> Plan.Kind.ORDERED;
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
    private Plan fence(PrimaryState primary, Diagnosis<PrimarySituation> diagnosis, @Nullable String wanted) {
        Plan fresh = begin(primary, diagnosis, wanted);
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
                .withComplete(Map.of())
                .withJoined(others.stream().collect(Collectors.toMap(Function.identity(), this::serverStart)))
                // nobody has seen yet that any of them has everything
                .withMembers(Membership.NONE.voided(turn.state().journaled().nextEvent()))
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

    /// The better placed candidate becomes the target, at the position of the one that has everything.
    private PrimaryState fetch(
            PrimaryState primary,
            PrimaryPhase next,
            Plan plan,
            Diagnosis<PrimarySituation> diagnosis,
            Map<String, Outcome> answers) {
        PrimaryDiagnosis told = new PrimaryDiagnosis(turn.evidence(), primary, answers);
        String donor = PrimaryCandidates.best(diagnosis.candidates()).orElseThrow();
        Position position = told.positions().get(donor);
        if (position == null) {
            throw new IllegalStateException(donor + " was chosen without a position");
        }
        return primary.in(
                next,
                plan.fetching(
                        told.preferred().orElseThrow(),
                        donor,
                        position.received().toString()));
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
    /// told to follow it can acknowledge, also one that is in the group no more: it leaves as others do.
    private PrimaryState open(PrimaryState primary, PrimaryPhase next, Plan plan, boolean alone) {
        String target = String.valueOf(plan.to());
        List<String> attachable = new PrimaryDiagnosis(turn.evidence(), primary, Map.of()).attachable();
        List<String> members = group().members();
        List<String> ackers = Stream.concat(members.stream(), primary.ackers().stream())
                .distinct()
                .filter(m -> !m.equals(target))
                .filter(m -> (turn.state().orders().containsKey(orderId(primary, m))
                                && (attachable.contains(m) || (!members.contains(m) && mayAnswer(primary, m))))
                        || mayFollowUnasked(primary, m, target))
                .toList();
        Map<String, String> complete = new TreeMap<>();
        PrimaryDiagnosis seen = new PrimaryDiagnosis(turn.evidence(), primary, Map.of());
        ackers.stream()
                .filter(members::contains)
                .filter(seen::hasReceived)
                .forEach(m -> complete.put(m, serverStart(m)));
        long event = turn.state().journaled().nextEvent();
        List<String> promotable = alone ? List.of() : List.copyOf(complete.keySet());
        return primary.withAckers(ackers, alone)
                .heldBy(target, plan.epoch(), next, alone, "")
                .withComplete(alone ? Map.of() : complete)
                .withJoined(ackers.stream()
                        .filter(attachable::contains)
                        .collect(Collectors.toMap(Function.identity(), this::serverStart)))
                .withMembers(new Membership(promotable, Map.of(), 0, event))
                .in(next, plan);
    }

    private long unacknowledged(PrimaryState primary) {
        return turn.evidence()
                .database(String.valueOf(primary.holder()), id.group())
                .map(AckerKeeper::counted)
                .orElse(0L);
    }

    /// A server that was told long ago to follow the target, or of which nothing is known, may connect by itself as
    /// soon as it can, and acknowledge (S14). A server that was started again waits to be told (S15).
    private boolean mayFollowUnasked(PrimaryState primary, String member, String target) {
        Observation.Database seen = turn.evidence().database(member, id.group()).orElse(null);
        if (!mayAnswer(primary, member)) {
            return false;
        }
        Plan plan = primary.plan();
        Plan.Fetch fetch = plan == null ? null : plan.fetch();
        return seen == null
                || seen.health() != Health.UP
                || (fetch != null && fetch.by().equals(member) && fetch.from().equals(target))
                || (seen.replica() != null && seen.replica().source().equals(addressOf(target)));
    }

    private boolean mayAnswer(PrimaryState primary, String member) {
        return !primary.isQuarantined(member)
                && turn.evidence()
                        .database(member, id.group())
                        .filter(seen -> seen.health() == Health.DOWN)
                        .isEmpty();
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
                        order -> new Command.BlockWrites(
                                order,
                                id,
                                epoch,
                                plan.id(),
                                Deadlines.BLOCKING.toMillis() / 2,
                                group().patience().patience().toMillis(),
                                group().patience().end()));
            case REACHING ->
                ask(
                        primary,
                        target,
                        answers,
                        order -> new Command.ReachPosition(
                                order, id, epoch, plan.position(), Deadlines.REACHING.toMillis()));
            case UNBLOCKING ->
                ask(primary, holder, answers, order -> new Command.UnblockWrites(order, id, epoch, plan.id()));
            case FENCING -> {
                // closed first, touched after (S6)
                if (primary.holder() != null
                        && !turn.evidence().released(holder, id, epoch)
                        && (!turn.evidence().fresh(holder) || turn.evidence().lapsed(id))) {
                    turn.closeEpoch(primary, host -> orderId(primary, host) + "/close");
                }
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
                present.asked().forEach(member -> askPosition(primary, plan, member, answers));
                // what they say may leave a doubt that only others can settle (S15)
                new PrimaryDiagnosis(turn.evidence(), primary, answers)
                        .asked().stream()
                                .filter(member -> !answers.containsKey(member))
                                .toList()
                                .forEach(member -> askPosition(primary, plan, member, answers));
            }
            case FETCHING -> fetchOrders(primary, plan, answers);
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
            case OPENING -> {
                if (present.stillComplete()) {
                    long event = primary.members().number();
                    long number = primary.alone() ? AckerKeeper.alone(event) : AckerKeeper.acknowledged(event);
                    ask(
                            primary,
                            holder,
                            answers,
                            order -> new Command.OpenWrites(order, id, epoch, primary.alone(), number));
                }
            }
        }
        return answers;
    }

    /// One step after another, each when those before it are done. All of them end with the phase, so that nothing is
    /// waited for afterwards.
    private void fetchOrders(PrimaryState primary, Plan plan, Map<String, Outcome> answers) {
        Plan.Fetch fetch = plan.fetch();
        if (fetch == null) {
            return;
        }
        Duration left = Deadlines.FETCHING
                .multipliedBy(9)
                .dividedBy(10)
                .minus(turn.evidence().inPhase(id));
        long millis = Math.max(100, left.toMillis());
        for (FetchStep step : FetchStep.values()) {
            if (!step.isDue(answers)) {
                return;
            }
            String host = step.atDonor() ? fetch.from() : fetch.by();
            turn.ensure(
                            host,
                            orderId(primary, host) + "/" + step.word(),
                            Again.NEVER,
                            Deadlines.REPEAT,
                            order -> fetchOrder(step, order, plan, fetch, millis))
                    .map(Sent::outcome)
                    .filter(outcome -> !Sent.waits(outcome))
                    .ifPresent(outcome -> answers.put(step.word(), outcome));
        }
    }

    private Command fetchOrder(FetchStep step, String order, Plan plan, Plan.Fetch fetch, long millis) {
        long epoch = plan.epoch();
        String donor = addressOf(fetch.from());
        return switch (step) {
            case DONOR_APPLIES, APPLIES -> new Command.CatchUp(order, id, epoch, millis);
            case FOLLOWS -> new Command.Follow(order, id, epoch, donor, group().port(), millis);
            case REACHES -> new Command.ReachPosition(order, id, epoch, plan.position(), millis);
            case PARTS -> new Command.CutReceiver(order, id, epoch, donor);
            case IS_CUT -> new Command.CutReceiver(order, id, epoch, addressOf(plan.from()));
        };
    }

    private void askPosition(PrimaryState primary, Plan plan, String member, Map<String, Outcome> answers) {
        String cutFrom = member.equals(plan.from()) ? "" : addressOf(sourceToCut(plan, member));
        ask(
                primary,
                member,
                answers,
                Again.AFTER_FAILURE,
                order -> new Command.CutReceiver(order, id, plan.epoch(), cutFrom));
    }

    /// A fetch that was given up may have left its receiver connected to the donor, which may be frozen by now (S19).
    private @Nullable String sourceToCut(Plan plan, String member) {
        Plan.Fetch fetch = plan.fetch();
        boolean fetches = fetch != null
                && fetch.by().equals(member)
                && turn.evidence()
                        .database(member, id.group())
                        .map(Observation.Database::replica)
                        .filter(replica -> replica.source().equals(addressOf(fetch.from())))
                        .isPresent();
        return fetch != null && fetches ? fetch.from() : plan.from();
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
                .filter(outcome -> !Sent.waits(outcome))
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
