package dev.understudy.agent;

import dev.understudy.agent.command.CommandRunner.CommandMetrics;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.agent.lease.LeaseMetrics;
import dev.understudy.agent.link.ControllerLink;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.metrics.Metrics;
import dev.understudy.wire.metrics.Metrics.Count;
import dev.understudy.wire.metrics.Metrics.Stopwatch;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/// The agent's own metrics, by their public names.
final class AgentMetrics implements LeaseMetrics, CommandMetrics {

    private final Metrics metrics;
    private final Count sent;
    private final Count acknowledged;
    private final Count fences;
    private final Count dropped;
    private final Stopwatch roundTrip;
    private final Stopwatch late;
    private final Set<ResourceId> leases = new HashSet<>();

    AgentMetrics(Metrics metrics, String version) {
        this.metrics = metrics;
        metrics.level("understudy_agent_up", "1 while the agent runs.", "version", version)
                .set(1);
        sent = metrics.counter("understudy_agent_heartbeats_sent_total", "Heartbeats sent.");
        acknowledged = metrics.counter("understudy_agent_heartbeats_acknowledged_total", "Heartbeats acknowledged.");
        fences = metrics.counter("understudy_agent_fences_total", "Leases that this agent fenced by itself.");
        dropped = metrics.counter(
                "understudy_agent_messages_dropped_total", "Messages of controllers dropped for want of room.");
        roundTrip = metrics.timer(
                "understudy_agent_heartbeat_round_trip_seconds", "From sending a heartbeat to its acknowledgement.");
        late = metrics.timer("understudy_agent_tick_late_seconds", "How late the ticks of the lease thread came.");
    }

    Metrics registry() {
        return metrics;
    }

    void heartbeatSent() {
        sent.increment();
    }

    void link(ControllerLink link) {
        metrics.gauge(
                "understudy_agent_link_up",
                "1 while the controller has welcomed this agent on a connection that stands.",
                () -> link.ready() ? 1 : 0,
                "controller",
                link.controller().getHost() + ":" + link.controller().getPort());
    }

    synchronized void lease(ResourceId resource, LeaseKeeper keeper) {
        if (leases.add(resource)) {
            metrics.gauge(
                    "understudy_agent_lease_held",
                    "1 while this host holds a live lease of the resource.",
                    () -> keeper.heldNow(resource) == null ? 0 : 1,
                    "resource",
                    resource.toString());
        }
    }

    @Override
    public void acknowledged(Duration roundTripTime) {
        acknowledged.increment();
        roundTrip.record(roundTripTime);
    }

    @Override
    public void late(Duration tickLate) {
        late.record(tickLate);
    }

    @Override
    public void fenced() {
        fences.increment();
    }

    @Override
    public void dropped() {
        dropped.increment();
    }

    @Override
    public void outcome(Command command, Outcome outcome) {
        metrics.counter(
                        "understudy_agent_commands_total",
                        "Commands answered.",
                        "verb",
                        command.verb(),
                        "outcome",
                        outcome.getClass().getSimpleName().toLowerCase(Locale.ROOT))
                .increment();
    }
}
