package dev.understudy.core.simulator;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ResourceId;
import java.util.HashMap;
import java.util.Map;

/// No host carries out an order that is older (by term or epoch) than one that it has accepted, takes an epoch that
/// it has released, or acts as holder under a lease that is over. Restarts of agents and hosts forget nothing (S3).
final class NoStaleCommandApplied implements Invariant {

    private final Map<String, Long> terms = new HashMap<>();
    private final Map<String, Long> epochs = new HashMap<>();
    private final Map<String, Long> released = new HashMap<>();

    @Override
    public void accepted(SimHost host, Order order) {
        Command command = order.command();
        String key = host.name + " " + command.resource();
        if (order.term() < terms.getOrDefault(host.name, 0L)) {
            violated(host, order, "has accepted term " + terms.get(host.name));
        }
        if (command.epoch() < epochs.getOrDefault(key, 0L)) {
            violated(host, order, "has accepted epoch " + epochs.get(key));
        }
        if (command.takesLease() && command.epoch() <= released.getOrDefault(key, 0L)) {
            violated(host, order, "has released epoch " + released.get(key));
        }
        terms.merge(host.name, order.term(), Math::max);
        epochs.merge(key, command.epoch(), Math::max);
    }

    @Override
    public void released(SimHost host, ResourceId resource, long upTo) {
        released.merge(host.name + " " + resource, upTo, Math::max);
    }

    @Override
    public void acting(SimHost host, Order order, SimAgent agent) {
        Command command = order.command();
        boolean asHolder = command.takesLease() || command instanceof Command.UnblockWrites;
        if (!asHolder) {
            return;
        }
        boolean live = agent.holder
                .lease(command.resource())
                .filter(lease -> lease.epoch() == command.epoch() && lease.liveAt(agent.now()))
                .isPresent();
        if (!live) {
            violated(host, order, "acts as holder without a live lease");
        }
    }

    private static void violated(SimHost host, Order order, String why) {
        throw new Violation(
                NoStaleCommandApplied.class,
                "%s does %s %s of term %d, epoch %d, and %s"
                        .formatted(
                                host.name,
                                order.command().verb(),
                                order.command().id(),
                                order.term(),
                                order.command().epoch(),
                                why));
    }
}
