package dev.understudy.core.simulator;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Carries orders out as the agent does: a repeat of a finished id gets the same outcome, of a running one nothing;
/// an accepted one waits its turn; a newer epoch ends waits of an older one; a take that is not done is undone
/// before anyone hears of it.
final class SimCommands {

    private final Site site;
    private final SimAgent agent;
    private final Dice dice;
    private final Map<String, Outcome> finished = new HashMap<>();
    private final Map<String, Consumer<AgentMessage>> running = new HashMap<>();
    private final Map<ResourceId, Long> newest = new HashMap<>();
    private final Set<String> undone = new HashSet<>();
    private final Map<String, Long> words = new HashMap<>();
    private final Map<ResourceId, Long> opened = new HashMap<>();
    private final Map<String, Lane> lanes = new HashMap<>();

    /// Orders about one resource, one after another; copies are received in a lane of their own.
    private static final class Lane {
        final Deque<Order> waiting = new ArrayDeque<>();

        @Nullable
        Order current;

        int interrupts;
    }

    SimCommands(Site site, SimAgent agent) {
        this.site = site;
        this.agent = agent;
        dice = new Dice(site.seed, "commands " + agent.host.name + agent.now());
    }

    void order(Order order, Consumer<AgentMessage> reply) {
        if (site.has(Mutation.ORDERS_ARE_IGNORED_IN_THE_CALM) && site.calm()) {
            return;
        }
        Command command = order.command();
        Outcome known = finished.get(command.id());
        if (known != null) {
            reply.accept(new CommandReply(command.id(), known, List.of()));
            return;
        }
        if (running.containsKey(command.id())) {
            running.put(command.id(), reply);
            return;
        }
        if (!agent.member(command.resource())) {
            refuse(command, new Outcome.Refused("unsupported", "not a member"), reply);
            return;
        }
        if (command instanceof Command.BlockWrites block
                && undone.contains(block.plan())
                && !site.has(Mutation.UNDONE_MOVES_BLOCK)) {
            refuse(command, new Outcome.Refused("stale", "the move has been undone"), reply);
            return;
        }
        if (isLate(command)) {
            refuse(command, new Outcome.Refused("late", "a later word came before it"), reply);
            return;
        }
        switch (agent.admit(order)) {
            case Verdict.Rejected rejected -> refuse(command, rejected.outcome(), reply);
            case Verdict.Accepted _ -> {
                if (command instanceof Command.UnblockWrites unblock) {
                    undone.add(unblock.plan());
                }
                command.counted().ifPresent(c -> words.merge(c.subject(), c.number(), Math::max));
                site.witness.accepted(agent.host, order);
                newest.merge(command.resource(), command.epoch(), Math::max);
                Lane lane = lane(command);
                Order now = lane.current;
                if (now != null && now.command().epoch() < command.epoch()) {
                    lane.interrupts++;
                }
                running.put(command.id(), reply);
                start(order);
            }
        }
    }

    private boolean isLate(Command command) {
        return !site.has(Mutation.S20_A_LATE_WORD_IS_OBEYED)
                && command.counted()
                        .filter(c -> words.getOrDefault(c.subject(), 0L) > c.number())
                        .isPresent();
    }

    private void refuse(Command command, Outcome outcome, Consumer<AgentMessage> reply) {
        site.tell(() -> agent.host.name + ": " + command.verb() + " " + command.id() + " " + outcome.describe());
        reply.accept(new CommandReply(command.id(), outcome, List.of()));
    }

    private void start(Order order) {
        switch (order.command()) {
            case Command.CloseEpoch close -> finish(close, Outcome.Done.withoutFacts(), List.of());
            case Command.Release release -> release(release);
            case Command.Detach _, Command.Attach _ ->
                finish(order.command(), new Outcome.Refused("unsupported", "not modelled"), List.of());
            case Command.TakeAddress _,
                    Command.OpenWrites _,
                    Command.CutReceiver _,
                    Command.CatchUp _,
                    Command.Stage _,
                    Command.Follow _,
                    Command.BlockWrites _,
                    Command.UnblockWrites _,
                    Command.ReachPosition _,
                    Command.RestartService _,
                    Command.ShutOut _,
                    Command.LetIn _,
                    Command.OfferCopy _,
                    Command.ReceiveCopy _,
                    Command.AdoptCopy _,
                    Command.EndCopy _,
                    Command.SetServerState _ -> {
                Lane lane = lane(order.command());
                lane.waiting.add(order);
                next(lane);
            }
        }
    }

    private void release(Command.Release release) {
        Lease lease = agent.heldNow(release.resource());
        if (lease != null && lease.epoch() > release.releasedEpoch()) {
            finish(release, new Outcome.Refused("stale", "epoch " + lease.epoch() + " is held here"), List.of());
            return;
        }
        agent.release(release.resource(), release.releasedEpoch(), outcome -> finish(release, outcome, List.of()));
    }

    private Lane lane(Command command) {
        String name = (command instanceof Command.ReceiveCopy ? "copy " : "") + command.resource();
        return lanes.computeIfAbsent(name, _ -> new Lane());
    }

    private void next(Lane lane) {
        if (lane.current != null || lane.waiting.isEmpty()) {
            return;
        }
        Order order = lane.waiting.remove();
        lane.current = order;
        Command command = order.command();
        agent.host.machine.later(dice.between(0, 3), agent.life, () -> {
            boolean copies = command instanceof Command.ReceiveCopy; // whatever the epoch by now
            if (!copies && command.epoch() < newest.getOrDefault(command.resource(), 0L)) {
                ended(
                        lane,
                        order,
                        new Outcome.Refused("stale", "a newer epoch came while the command waited its turn"));
                return;
            }
            if (isLate(command)) {
                ended(lane, order, new Outcome.Refused("late", "a later word came while the command waited its turn"));
                return;
            }
            int seen = lane.interrupts;
            new SimActs(site, agent, order, () -> lane.interrupts != seen, outcome -> ended(lane, order, outcome))
                    .begin();
        });
    }

    /// What runs in the lane gives up its waiting.
    void interrupt(ResourceId resource) {
        lanes.values().stream()
                .filter(lane -> lane.current != null
                        && lane.current.command().resource().equals(resource))
                .forEach(lane -> lane.interrupts++);
    }

    private void ended(Lane lane, Order order, Outcome outcome) {
        lane.current = null;
        Command command = order.command();
        if (command instanceof Command.OpenWrites && outcome instanceof Outcome.Done) {
            opened.put(command.resource(), command.epoch());
        }
        boolean open =
                command instanceof Command.OpenWrites && opened.getOrDefault(command.resource(), 0L) == command.epoch();
        if (command.takesLease() && !open && !(outcome instanceof Outcome.Done)) {
            agent.task(() -> agent.release(
                    command.resource(),
                    command.epoch(),
                    released -> finish(
                            command, new Outcome.Failed(outcome.describe() + "; " + released.describe()), List.of())));
        } else {
            agent.task(() -> finish(command, outcome, agent.host.observe()));
        }
        next(lane);
    }

    private void finish(Command command, Outcome outcome, List<Observation> seen) {
        site.tell(() -> agent.host.name + ": " + command.verb() + " " + command.id() + " " + outcome.describe());
        Consumer<AgentMessage> reply = running.remove(command.id());
        boolean again = outcome instanceof Outcome.Unknown
                || (command instanceof Command.Follow && outcome instanceof Outcome.Refused);
        if (!again) {
            finished.put(command.id(), outcome);
        }
        if (reply != null) {
            reply.accept(new CommandReply(command.id(), outcome, seen));
        }
        agent.beat();
    }
}
