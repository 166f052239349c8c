package dev.understudy.core.plan;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.diagnosis.AddressDiagnosis;
import dev.understudy.core.diagnosis.AddressSituation;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.AddressPolicy;
import dev.understudy.core.policy.AddressPolicy.Action;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ResourceId;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Carries out [AddressPolicy] for one virtual address.
public final class AddressMachine {

    private final Turn turn;
    private final ResourceId id;

    public AddressMachine(Turn turn, ResourceId id) {
        this.turn = turn;
        this.id = id;
    }

    /// Looks, asks the table, and does what its row says. True when the phase changed: look again.
    public boolean advance() {
        AddressState address = state();
        orders(address);
        Diagnosis<AddressSituation> diagnosis = AddressDiagnosis.of(turn.evidence(), address, takeOrder(address));
        return follow(address, diagnosis, null);
    }

    /// A planned move, asked for by an operator.
    public void move(String requestId, @Nullable String to) {
        AddressState address = state();
        if (address.phase() != AddressPhase.HELD) {
            turn.answer(requestId, false, id + " is not held now: " + address.phase(), "");
            return;
        }
        List<Candidate> candidates = AddressCandidates.of(turn.evidence(), address);
        Optional<Candidate> chosen = candidates.stream()
                .filter(c -> to == null ? c.eligible() : c.host().equals(to))
                .findFirst();
        if (chosen.isEmpty() || !chosen.get().eligible()) {
            turn.answer(requestId, false, refusal(to, chosen, candidates), "");
            return;
        }
        String event = turn.nextEventId();
        follow(
                address,
                new Diagnosis<>(
                        AddressSituation.MOVE_REQUESTED,
                        "planned move from " + address.holder() + " to "
                                + chosen.get().host(),
                        candidates),
                chosen.get().host());
        turn.answer(requestId, true, "moving " + id + " to " + chosen.get().host(), event);
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
        String text = diagnosis.because() + ": " + row.because();
        switch (row.action()) {
            case NONE -> turn.nothingToSay(id.toString());
            case NOTE ->
                turn.noteOnce(
                        address, id.toString(), row.id(), diagnosis.situation().name(), text, diagnosis.candidates());
            case FREE_IT, GIVE, CONFIRM, CONFIRM_MOVE, RETRACT, RETRACT_MOVE, VACATE -> {
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
            case GIVE -> {
                String target = AddressCandidates.best(diagnosis.candidates()).orElseThrow();
                Plan going = plan == null ? begin(address, diagnosis, null) : plan.next();
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
            case VACATE -> new AddressState(id, next, null, epoch, null);
            case NONE, NOTE -> address;
        };
    }

    private Plan begin(AddressState address, Diagnosis<AddressSituation> diagnosis, @Nullable String wanted) {
        Plan.Kind kind = diagnosis.situation() == AddressSituation.MOVE_REQUESTED
                ? Plan.Kind.SWITCHOVER
                : address.holder() == null ? Plan.Kind.FIRST : Plan.Kind.FAILOVER;
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
        if (holder == null || address.plan() == null) {
            return;
        }
        switch (address.phase()) {
            case VACANT, HELD -> {}
            case RELEASING -> {
                if (turn.evidence().fresh(holder) && !turn.evidence().released(holder, id, address.epoch())) {
                    turn.ensure(
                            holder,
                            orderId(address, holder),
                            Again.AFTER_FAILURE,
                            Deadlines.REPEAT,
                            order -> new Command.Release(order, id, address.epoch(), address.epoch()));
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
                            order -> new Command.TakeAddress(order, id, address.epoch() + 1));
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
