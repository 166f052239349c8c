package dev.understudy.core;

import dev.understudy.core.clock.ClockRate;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the controller has heard from one host's agent. Immutable.
///
/// @param connected a connection is open; says nothing about the host
/// @param heard when the last message arrived
/// @param seq the highest heartbeat of this connection, 0 for none: orders answer it
/// @param observations by key
/// @param since when the observation of that key last changed in a way that matters to a deadline
/// @param leases by resource
/// @param everReached resources that this host has reached through their addresses at some time
/// @param clock how fast its clock runs, by this controller's
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
        Map<ResourceId, LeaseReport> leases,
        Set<ResourceId> everReached,
        ClockRate clock) {

    public HostView {
        observations = Map.copyOf(observations);
        since = Map.copyOf(since);
        leases = Map.copyOf(leases);
        everReached = Set.copyOf(everReached);
    }

    /// A connection begins: what was seen over an earlier one stands until it is replaced, the heartbeat count does
    /// not.
    ///
    /// @param known what was known of the host before, null for nothing
    public static HostView greeted(String host, Hello hello, @Nullable HostView known, Moment now) {
        boolean same =
                known != null && known.incarnation.equals(hello.incarnation()) && known.bootId.equals(hello.bootId());
        ClockRate clock = known == null ? ClockRate.UNKNOWN : same ? known.clock : known.clock.restarted();
        return new HostView(
                host,
                true,
                now,
                0,
                hello.incarnation(),
                hello.bootId(),
                0,
                Map.of(),
                Map.of(),
                known == null ? Map.of() : known.leases,
                known == null ? Set.of() : known.everReached,
                clock);
    }

    /// A heartbeat that was overtaken by a later one says nothing that is not known better.
    ///
    /// @param window of the measuring of the clock, see [ClockRate#heard]
    public HostView after(Heartbeat beat, Moment now, Duration window) {
        if (beat.seq() < seq) {
            return this;
        }
        Map<ResourceId, LeaseReport> nextLeases = new HashMap<>(leases);
        beat.leases().forEach(lease -> nextLeases.put(lease.resource(), lease));
        return seen(beat.observations(), now)
                .with(true, now, Math.max(seq, beat.seq()), beat.lateMillis(), nextLeases)
                .with(clock.heard(beat.seq(), beat.clock(), now, window));
    }

    public HostView seen(Collection<Observation> news, Moment now) {
        Map<String, Observation> next = new HashMap<>(observations);
        Map<String, Moment> nextSince = new HashMap<>(since);
        Set<ResourceId> reached = new HashSet<>(everReached);
        for (Observation observation : news) {
            if (observation instanceof Observation.Path path && path.reach() == Observation.Reach.ANSWERS) {
                reached.add(path.resource());
            }
            Observation before = next.put(observation.key(), observation);
            if (before == null || !stateOf(before).equals(stateOf(observation))) {
                nextSince.put(observation.key(), now);
            }
        }
        return new HostView(
                host, connected, now, seq, incarnation, bootId, lateMillis, next, nextSince, leases, reached, clock);
    }

    public HostView disconnected() {
        return new HostView(
                host,
                false,
                heard,
                0,
                incarnation,
                bootId,
                lateMillis,
                observations,
                since,
                leases,
                everReached,
                clock);
    }

    /// The controller's own lateness must not look like the host's silence (S8).
    public HostView heardAgain(Moment now) {
        return connected ? with(true, heard.latest(now), seq, lateMillis, leases) : this;
    }

    private HostView with(
            boolean isConnected, Moment at, long newSeq, long late, Map<ResourceId, LeaseReport> newLeases) {
        return new HostView(
                host,
                isConnected,
                at,
                newSeq,
                incarnation,
                bootId,
                late,
                observations,
                since,
                newLeases,
                everReached,
                clock);
    }

    public HostView with(ClockRate rate) {
        return new HostView(
                host,
                connected,
                heard,
                seq,
                incarnation,
                bootId,
                lateMillis,
                observations,
                since,
                leases,
                everReached,
                rate);
    }

    private static String stateOf(Observation observation) {
        return switch (observation) {
            case Observation.Balancer b -> b.service() + "/" + b.health();
            case Observation.Database d -> d.service() + "/" + d.health() + "/" + d.troubles() + "/" + d.serverStart();
            case Observation.Web w -> w.health().name();
            case Observation.Address a -> String.valueOf(a.present());
            case Observation.HostBasics h -> h.bootId();
            case Observation.Attachment a -> String.valueOf(a.detached());
            case Observation.Peer p -> p.reach().name();
            case Observation.Path p -> String.valueOf(p.reach() == Observation.Reach.ANSWERS);
            case Observation.Gateway g -> g.reach().name();
            case Observation.Settings s -> s.findings().toString();
            case Observation.Backup b -> b.file();
            case Observation.Data d -> d.cannotGive() + "/" + d.cannotReceive();
        };
    }
}
