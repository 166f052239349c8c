package dev.understudy.core;

import dev.understudy.core.evidence.Reading;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.LeaseGrantor;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// All that the controller knows. `journaled` is replicated; the rest is volatile: a leader that has just started
/// fills it from the agents' next heartbeats. Immutable.
///
/// @param startedAt when this process began to lead
/// @param phaseSince when each resource entered its phase (for a new leader: when it started)
/// @param orders every order that matters to a phase under way, by command id
/// @param said the last situation of each resource or member that was noted without acting, so that it is noted once
/// @param catchingUp this controller was asleep and has not yet heard all that came meanwhile: until the next tick
/// what it hears is only noted, nobody is judged by it (S8)
/// @param readings what each member is worth as holder of its group's reader address, and since when; by `group/host`
public record State(
        Journaled journaled,
        long term,
        boolean leading,
        Moment startedAt,
        LeaseGrantor leases,
        Map<String, HostView> hosts,
        Map<ResourceId, Moment> phaseSince,
        Map<String, Sent> orders,
        Map<String, String> said,
        boolean catchingUp,
        Map<String, Graded> readings) {

    /// An order that was sent, and its outcome once there is one.
    ///
    /// @param attempts how many attempts with other ids came before this one
    public record Sent(
            String host, Moment at, long term, @Nullable Outcome outcome, Moment answeredAt, int attempts) {

        /// Whether the order was not carried out for a reason that passes by itself: the member is bound by a
        /// promise (S6), or cannot tell. It is given again.
        public static boolean waits(Outcome outcome) {
            return outcome instanceof Outcome.Unknown
                    || (outcome instanceof Outcome.Refused refused
                            && refused.code().equals("promised"));
        }
    }

    /// A grade, and since when without a break.
    public record Graded(Reading.Grade grade, Moment since) {}

    public State {
        hosts = Map.copyOf(hosts);
        phaseSince = Map.copyOf(phaseSince);
        orders = Map.copyOf(orders);
        said = Map.copyOf(said);
        readings = Map.copyOf(readings);
    }

    /// The state of a controller that has read its journal and begins to lead in the given term.
    public static State start(Journaled journaled, long term, Now now) {
        TimingProfile timing = journaled.spec() == null
                ? TimingProfile.STANDARD
                : journaled.spec().timing();
        LeaseGrantor leases = LeaseGrantor.started(timing, now.mono());
        for (Map.Entry<ResourceId, LongLease> lease : journaled.longLeases().entrySet()) {
            ResourceState resource = journaled.resources().get(lease.getKey());
            long epoch = resource == null ? 0 : resource.epoch();
            leases = leases.granted(lease.getKey(), epoch, lease.getValue().length(), now.mono());
        }
        return new State(
                journaled, term, true, now.mono(), leases, Map.of(), Map.of(), Map.of(), Map.of(), false, Map.of());
    }

    /// @throws IllegalStateException while there is no specification
    public ClusterSpec spec() {
        ClusterSpec spec = journaled.spec();
        if (spec == null) {
            throw new IllegalStateException("no cluster specification yet");
        }
        return spec;
    }

    public TimingProfile timing() {
        return leases.timing();
    }

    public State with(Journaled next) {
        return new State(next, term, leading, startedAt, leases, hosts, phaseSince, orders, said, catchingUp, readings);
    }

    public State with(LeaseGrantor next) {
        return new State(
                journaled, term, leading, startedAt, next, hosts, phaseSince, orders, said, catchingUp, readings);
    }

    public State with(HostView view) {
        Map<String, HostView> next = new HashMap<>(hosts);
        next.put(view.host(), view);
        return withHosts(next);
    }

    public State withHosts(Map<String, HostView> next) {
        return new State(
                journaled, term, leading, startedAt, leases, next, phaseSince, orders, said, catchingUp, readings);
    }

    public State withOrders(Map<String, Sent> next) {
        return new State(
                journaled, term, leading, startedAt, leases, hosts, phaseSince, next, said, catchingUp, readings);
    }

    public State entered(ResourceId resource, Moment at) {
        Map<ResourceId, Moment> next = new HashMap<>(phaseSince);
        next.put(resource, at);
        return new State(journaled, term, leading, startedAt, leases, hosts, next, orders, said, catchingUp, readings);
    }

    public State saying(String subject, String what) {
        Map<String, String> next = new HashMap<>(said);
        next.put(subject, what);
        return new State(
                journaled, term, leading, startedAt, leases, hosts, phaseSince, orders, next, catchingUp, readings);
    }

    public State withReadings(Map<String, Graded> next) {
        return new State(
                journaled, term, leading, startedAt, leases, hosts, phaseSince, orders, said, catchingUp, next);
    }

    public State leading(long newTerm, boolean nowLeading) {
        return new State(
                journaled,
                newTerm,
                nowLeading,
                startedAt,
                leases,
                hosts,
                phaseSince,
                orders,
                said,
                catchingUp,
                readings);
    }

    /// This controller slept, or has heard all that came meanwhile.
    public State catchingUp(boolean now) {
        return new State(journaled, term, leading, startedAt, leases, hosts, phaseSince, orders, said, now, readings);
    }
}
