package dev.understudy.core.plan;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Operations.Restart;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.diagnosis.AddressDiagnosis;
import dev.understudy.core.diagnosis.AddressSituation;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.diagnosis.Restarts;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.AddressPolicy;
import dev.understudy.core.policy.AddressPolicy.Action;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Carries out [AddressPolicy] for one virtual address.
public final class AddressMachine implements ResourceMachine {

    private final Turn turn;
    private final ResourceId id;

    public AddressMachine(Turn turn, ResourceId id) {
        this.turn = turn;
        this.id = id;
    }

    @Override
    public boolean advance() {
        AddressState address = state();
        orders(address);
        removeStrays(address);
        Diagnosis<AddressSituation> diagnosis = AddressDiagnosis.of(turn.evidence(), address, takeOrder(address));
        return follow(address, diagnosis, null);
    }

    /// Beside a steady holder no other member may have the address: an agent that came later, on a host where
    /// somebody configured it, is told to remove it.
    private void removeStrays(AddressState address) {
        String holder = address.holder();
        if (address.phase() != AddressPhase.HELD || holder == null) {
            return;
        }
        for (String member : AddressDiagnosis.found(turn.evidence(), address)) {
            if (!member.equals(holder)
                    && turn.evidence().inStateFor(member, "address/" + id).compareTo(Deadlines.RETRY) > 0) {
                turn.ensure(
                        member,
                        "stray/" + id + "/" + address.epoch() + "/" + member,
                        Again.ALWAYS,
                        Deadlines.RETRY,
                        order -> new Command.Release(order, id, address.epoch(), address.epoch() - 1));
            }
        }
    }

    @Override
    public void move(String requestId, @Nullable String to) {
        AddressState address = state();
        if (address.phase() == AddressPhase.VACANT) {
            first(requestId, address, to);
        } else if (address.phase() == AddressPhase.HELD) {
            replace(requestId, address, to, AddressSituation.MOVE_REQUESTED, "planned move from ");
        } else {
            turn.answer(requestId, false, id + " is not held now: " + address.phase(), "");
        }
    }

    /// It is asked to release, and its lease is waited for if it does not.
    @Override
    public void failover(String requestId, @Nullable String to) {
        AddressState address = state();
        if (address.phase() != AddressPhase.HELD) {
            turn.answer(requestId, false, id + " is not held now: " + address.phase(), "");
            return;
        }
        replace(requestId, address, to, AddressSituation.FAILOVER_REQUESTED, "failover from ");
    }

    private void first(String requestId, AddressState address, @Nullable String to) {
        Diagnosis<AddressSituation> present = AddressDiagnosis.of(turn.evidence(), address, Optional.empty());
        List<Candidate> candidates =
                switch (present.situation()) {
                    case ADDRESS_FOUND -> present.candidates();
                    case HELD_BACK, CANDIDATE_READY, NO_CANDIDATE -> AddressCandidates.of(turn.evidence(), address);
                    default -> List.of();
                };
        if (candidates.isEmpty()) {
            turn.answer(requestId, false, id + " cannot be given to anybody now: " + present.because(), "");
            return;
        }
        Optional<Candidate> chosen = choose(requestId, to, candidates);
        if (chosen.isPresent()) {
            String host = chosen.get().host();
            String event = turn.nextEventId();
            follow(address, new Diagnosis<>(AddressSituation.MOVE_REQUESTED, "first holder " + host, candidates), host);
            turn.answer(requestId, true, "giving " + id + " to " + host, event);
        }
    }

    private void replace(
            String requestId, AddressState address, @Nullable String to, AddressSituation why, String what) {
        List<Candidate> candidates = AddressCandidates.of(turn.evidence(), address);
        Optional<Candidate> chosen = choose(requestId, to, candidates);
        if (chosen.isPresent()) {
            String host = chosen.get().host();
            String event = turn.nextEventId();
            follow(address, new Diagnosis<>(why, what + address.holder() + " to " + host, candidates), host);
            turn.answer(requestId, true, "moving " + id + " to " + host, event);
        }
    }

    /// Empty, and answered, when nobody can.
    private Optional<Candidate> choose(String requestId, @Nullable String to, List<Candidate> candidates) {
        Optional<Candidate> chosen = candidates.stream()
                .filter(c -> to == null ? c.eligible() : c.host().equals(to))
                .findFirst();
        if (chosen.isEmpty() || !chosen.get().eligible()) {
            turn.answer(requestId, false, refusal(to, chosen, candidates), "");
            return Optional.empty();
        }
        return chosen;
    }

    static String refusal(@Nullable String to, Optional<Candidate> chosen, List<Candidate> candidates) {
        StringBuilder reasons = new StringBuilder();
        for (Candidate candidate : candidates) {
            reasons.append(reasons.isEmpty() ? "" : "; ")
                    .append(candidate.host())
                    .append(": ")
                    .append(candidate.reason());
        }
        return to == null
                ? "no member can take over (" + reasons + ")"
                : chosen.map(c -> to + " cannot take over: " + c.reason())
                        .orElse(to + " is no other member of the group (" + reasons + ")");
    }

    private boolean follow(AddressState address, Diagnosis<AddressSituation> diagnosis, @Nullable String wanted) {
        Row<AddressPhase, AddressSituation, Action> row =
                AddressPolicy.TABLE.row(address.phase(), diagnosis.situation());
        AddressPhase next = row.next();
        String text = diagnosis.because() + ": " + row.because()
                + (row.action() == Action.CONFIRM_MOVE ? connections(address) : "");
        switch (row.action()) {
            case NONE -> turn.nothingToSay(id.toString());
            case NOTE ->
                turn.noteOnce(
                        address, id.toString(), row.id(), diagnosis.situation().name(), text, diagnosis.candidates());
            case RESTART -> {
                Restart attempt = new Restart(turn.now().wall(), String.valueOf(address.holder()), address.epoch());
                turn.record(new JournalEntry.Operated(
                        turn.evidence().operations().restarting(id, attempt, Recovery.RESTART_WINDOW),
                        turn.event(
                                address,
                                address,
                                row.id(),
                                diagnosis.situation().name(),
                                text,
                                List.of())));
                return true;
            }
            case FREE_IT, HAND_OVER, GIVE_BACK, GIVE, CONFIRM, CONFIRM_MOVE, RETRACT, RETRACT_MOVE, VACATE -> {
                AddressState after =
                        after(address, row.action(), next == null ? address.phase() : next, diagnosis, wanted);
                turn.enter(
                        after,
                        turn.event(
                                address, after, row.id(), diagnosis.situation().name(), text, diagnosis.candidates()));
            }
        }
        return next != null;
    }

    private AddressState after(
            AddressState address,
            Action action,
            AddressPhase next,
            Diagnosis<AddressSituation> diagnosis,
            @Nullable String wanted) {
        long epoch = address.epoch();
        String holder = address.holder();
        Plan plan = address.plan();
        return switch (action) {
            case FREE_IT -> new AddressState(id, next, holder, epoch, begin(address, diagnosis, wanted));
            case HAND_OVER -> {
                String best = AddressCandidates.best(diagnosis.candidates()).orElseThrow();
                yield new AddressState(id, next, holder, epoch, begin(address, diagnosis, best));
            }
            case GIVE_BACK -> new AddressState(id, next, holder, epoch, begin(address, diagnosis, holder));
            case GIVE -> {
                String target = wanted != null
                        ? wanted
                        : AddressCandidates.best(diagnosis.candidates()).orElseThrow();
                Plan going = plan == null ? begin(address, diagnosis, wanted) : plan.next();
                yield new AddressState(id, next, target, epoch + 1, going.target(target));
            }
            case CONFIRM -> new AddressState(id, next, holder, epoch, null);
            case CONFIRM_MOVE -> new AddressState(id, next, target(address), epoch + 1, null);
            case RETRACT_MOVE ->
                new AddressState(
                        id,
                        next,
                        target(address),
                        epoch + 1,
                        plan == null
                                ? null
                                : plan.next().reject(new Candidate(target(address), false, diagnosis.because())));
            case RETRACT ->
                new AddressState(
                        id,
                        next,
                        holder,
                        epoch,
                        plan == null
                                ? null
                                : plan.next()
                                        .reject(new Candidate(String.valueOf(holder), false, diagnosis.because())));
            // members may have closed the old epoch: the next one is the lowest that nobody has refused
            case VACATE -> new AddressState(id, next, null, epoch + 1, null);
            case NONE, NOTE, RESTART -> address;
        };
    }

    private Plan begin(AddressState address, Diagnosis<AddressSituation> diagnosis, @Nullable String wanted) {
        Plan.Kind kind =
                switch (diagnosis.situation()) {
                    case MOVE_REQUESTED -> address.holder() == null ? Plan.Kind.FIRST : Plan.Kind.SWITCHOVER;
                    case READER_BEHIND, READER_AT_PRIMARY -> Plan.Kind.SWITCHOVER;
                    case FAILOVER_REQUESTED -> Plan.Kind.ORDERED;
                    case RESTARTED -> Plan.Kind.RESTART;
                    default -> address.holder() == null ? Plan.Kind.FIRST : Plan.Kind.FAILOVER;
                };
        return new Plan(
                turn.nextPlanId(),
                kind,
                diagnosis.because(),
                address.holder(),
                wanted,
                wanted,
                address.epoch() + 1,
                "",
                false,
                0,
                List.of());
    }

    /// The orders of the present phase, sent and repeated until they are answered.
    private void orders(AddressState address) {
        String holder = address.holder();
        if (holder == null) {
            return;
        }
        if (address.plan() == null) {
            restart(address, holder);
            return;
        }
        switch (address.phase()) {
            case VACANT, HELD -> {}
            case RELEASING -> {
                closeEpoch(address, holder);
                if (turn.evidence().fresh(holder) && !turn.evidence().released(holder, id, address.epoch())) {
                    turn.ensure(
                            holder,
                            orderId(address, holder),
                            Again.AFTER_FAILURE,
                            Deadlines.REPEAT,
                            order -> new Command.Release(
                                    order, id, address.epoch(), address.epoch(), drainMillis(address)));
                }
                // a planned move has journaled its target and epoch: the take follows the release without another
                // commit
                if (turn.evidence().released(holder, id, address.epoch())
                        && address.plan().to() != null) {
                    String target = target(address);
                    turn.ensure(
                            target,
                            orderId(address, target),
                            Again.NEVER,
                            Deadlines.REPEAT,
                            order -> new Command.TakeAddress(order, id, address.epoch() + 1, giver(address)));
                }
            }
            case TAKING ->
                turn.ensure(
                        holder,
                        orderId(address, holder),
                        Again.NEVER,
                        Deadlines.REPEAT,
                        order -> new Command.TakeAddress(order, id, address.epoch()));
        }
    }

    /// Only the holder from whom a planned move began drains (S13): a target that is freed again may have failed.
    private long drainMillis(AddressState address) {
        Plan plan = address.plan();
        boolean planned = plan != null
                && plan.kind() == Plan.Kind.SWITCHOVER
                && plan.to() != null
                && !plan.to().equals(address.holder())
                && Objects.equals(plan.from(), address.holder());
        return planned
                        && turn.evidence().spec().group(id.group()).orElse(null)
                                instanceof ClusterSpec.BalancerGroup balancer
                ? balancer.drainTime().toMillis()
                : 0;
    }

    /// What the old holder said when it released: it comes ahead of the heartbeat that shows the release. A leader
    /// that has not heard it lets the flows be reset.
    private Optional<Outcome.Done> release(AddressState address) {
        Sent sent = turn.state().orders().get(orderId(address, String.valueOf(address.holder())));
        return drainMillis(address) > 0 && sent != null && sent.outcome() instanceof Outcome.Done done
                ? Optional.of(done)
                : Optional.empty();
    }

    /// What becomes of the established connections, for the event of the move.
    private String connections(AddressState address) {
        Optional<Outcome.Done> release = release(address);
        if (release.isEmpty()) {
            return "";
        }
        Map<String, String> given = release.get().facts();
        Map<String, String> taken = takeOrder(address)
                                .flatMap(sent -> Optional.ofNullable(sent.outcome()))
                                .orElse(null)
                        instanceof Outcome.Done done
                ? done.facts()
                : Map.of();
        String reason = taken.getOrDefault(
                Command.Release.NO_DRAIN, given.getOrDefault(Command.Release.NO_DRAIN, "nothing was drained"));
        return Command.Giver.of(given)
                .filter(_ -> !taken.containsKey(Command.Release.NO_DRAIN))
                .map(giver -> "; established connections go on at " + address.holder() + " for at most "
                        + Duration.ofMillis(giver.millis()).toSeconds() + " s")
                .orElse("; established connections are reset: " + reason);
    }

    private Command.@Nullable Giver giver(AddressState address) {
        return release(address).flatMap(done -> Command.Giver.of(done.facts())).orElse(null);
    }

    /// The old holder may live on consent: those who give it are to close its epoch (S5). They are asked when it is
    /// not heard, or has had the time of its lease to release by itself.
    private void closeEpoch(AddressState address, String holder) {
        if (!turn.evidence().released(holder, id, address.epoch())
                && (!turn.evidence().fresh(holder) || turn.evidence().lapsed(id))) {
            turn.closeEpoch(address, host -> orderId(address, host) + "/close");
        }
    }

    /// An attempt that was journaled is ordered until it is answered or too old.
    private void restart(AddressState address, String holder) {
        boolean wanted = turn.evidence().fresh(holder)
                && turn.evidence().released(holder, id, address.epoch())
                && Restarts.of(turn.evidence(), id, holder, address.epoch())
                        .filter(r -> Restarts.age(turn.evidence(), r).compareTo(Deadlines.RESTARTING) < 0)
                        .isPresent();
        if (wanted) {
            turn.ensure(
                    holder,
                    Restarts.orderKey(id, address.epoch(), holder),
                    Again.NEVER,
                    Deadlines.REPEAT,
                    order -> new Command.RestartService(order, id, address.epoch()));
        }
    }

    private Optional<Sent> takeOrder(AddressState address) {
        String taker = address.phase() == AddressPhase.TAKING ? String.valueOf(address.holder()) : target(address);
        return Optional.ofNullable(turn.state().orders().get(orderId(address, taker)));
    }

    private static String target(AddressState address) {
        Plan plan = address.plan();
        return plan == null ? "" : String.valueOf(plan.to());
    }

    private static String orderId(AddressState address, String host) {
        Plan plan = address.plan();
        return (plan == null ? "P0.0" : plan.id() + "." + plan.step()) + "/" + address.phase() + "/" + host;
    }

    private AddressState state() {
        if (turn.resource(id) instanceof AddressState address) {
            return address;
        }
        throw new IllegalStateException(id + " is no virtual address");
    }
}
