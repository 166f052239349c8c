package dev.understudy.core;

import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/// What the controller has heard from one host's agent. Immutable.
///
/// @param connected a connection is open; says nothing about the host
/// @param heard when the last message arrived
/// @param seq the highest heartbeat of this connection, 0 for none: orders answer it
/// @param observations by key
/// @param since when the observation of that key last changed in a way that matters to a deadline
/// @param leases by resource
public record HostView(
        String host,
        boolean connected,
        Moment heard,
        long seq,
        String incarnation,
        String bootId,
        long lateMillis,
        Map<String, Observation> observations,
        Map<String, Moment> since,
        Map<ResourceId, LeaseReport> leases) {

    public HostView {
        observations = Map.copyOf(observations);
        since = Map.copyOf(since);
        leases = Map.copyOf(leases);
    }

    /// A connection begins: what was seen over an earlier one stands until it is replaced, the heartbeat count does
    /// not.
    public static HostView greeted(String host, Hello hello, Map<ResourceId, LeaseReport> known, Moment now) {
        return new HostView(host, true, now, 0, hello.incarnation(), hello.bootId(), 0, Map.of(), Map.of(), known);
    }

    public HostView after(Heartbeat beat, Moment now) {
        Map<ResourceId, LeaseReport> nextLeases = new HashMap<>(leases);
        beat.leases().forEach(lease -> nextLeases.put(lease.resource(), lease));
        return seen(beat.observations(), now).with(true, now, Math.max(seq, beat.seq()), beat.lateMillis(), nextLeases);
    }

    public HostView seen(Collection<Observation> news, Moment now) {
        Map<String, Observation> next = new HashMap<>(observations);
        Map<String, Moment> nextSince = new HashMap<>(since);
        for (Observation observation : news) {
            Observation before = next.put(observation.key(), observation);
            if (before == null || !stateOf(before).equals(stateOf(observation))) {
                nextSince.put(observation.key(), now);
            }
        }
        return new HostView(host, connected, now, seq, incarnation, bootId, lateMillis, next, nextSince, leases);
    }

    public HostView disconnected() {
        return new HostView(host, false, heard, 0, incarnation, bootId, lateMillis, observations, since, leases);
    }

    /// The controller's own lateness must not look like the host's silence (S8).
    public HostView heardAgain(Moment now) {
        return connected ? with(true, heard.latest(now), seq, lateMillis, leases) : this;
    }

    private HostView with(
            boolean isConnected, Moment at, long newSeq, long late, Map<ResourceId, LeaseReport> newLeases) {
        return new HostView(host, isConnected, at, newSeq, incarnation, bootId, late, observations, since, newLeases);
    }

    private static String stateOf(Observation observation) {
        return switch (observation) {
            case Observation.Balancer b -> b.service() + "/" + b.health();
            case Observation.Database d -> d.service() + "/" + d.health();
            case Observation.Web w -> w.health().name();
            case Observation.Address a -> String.valueOf(a.present());
            case Observation.HostBasics h -> h.bootId();
        };
    }
}
