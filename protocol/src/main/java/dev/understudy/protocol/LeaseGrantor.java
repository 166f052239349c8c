package dev.understudy.protocol;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/// The controller's half of the lease protocol: when is a lease over for certain? The agent's half is [LeaseHolder].
///
/// The grantor counts from sending an acknowledgement (or an order that takes a lease, S2), which is always after
/// the heartbeat that it answers was sent; with drift and slack added, a lease is over at its holder before it is
/// over here. A grantor that has just started does not know what its predecessor granted and waits as if each
/// resource had been granted at its start (S4).
///
/// Immutable. Time comes in as a value.
///
/// @param longUntil when the last lease that was longer than the profile's ttl (S9) is over for certain
public record LeaseGrantor(
        TimingProfile timing, Moment unknownUntil, Map<ResourceId, Moment> lapseAt, Map<ResourceId, Moment> longUntil) {

    public LeaseGrantor {
        lapseAt = Map.copyOf(lapseAt);
        longUntil = Map.copyOf(longUntil);
    }

    /// A leader starts: whatever was granted before is over at `now + (authority window + ttl) × (1 + drift) +
    /// slack`.
    public static LeaseGrantor started(TimingProfile timing, Moment now) {
        Duration wait = timing.lapseAfter(timing.authorityWindow().plus(timing.ttl()));
        return new LeaseGrantor(timing, now.plus(wait), Map.of(), Map.of());
    }

    /// A lease of the given length is being sent now.
    public LeaseGrantor granted(ResourceId resource, Duration length, Moment now) {
        Moment until = now.plus(timing.lapseAfter(length));
        Map<ResourceId, Moment> next = new HashMap<>(lapseAt);
        next.merge(resource, until, Moment::latest);
        Map<ResourceId, Moment> longer = new HashMap<>(longUntil);
        if (length.compareTo(timing.ttl()) > 0) {
            longer.merge(resource, until, Moment::latest);
        }
        return new LeaseGrantor(timing, unknownUntil, next, longer);
    }

    /// Whether every lease that was longer than the profile's ttl is over, at its holder too.
    public boolean longLeaseOver(ResourceId resource, Moment now) {
        return !now.isBefore(longUntil.getOrDefault(resource, now));
    }

    /// Whether every lease ever granted for the resource is over, at its holder too.
    public boolean lapsed(ResourceId resource, Moment now) {
        return !now.isBefore(lapseAt(resource));
    }

    /// When the last lease for the resource is over for certain.
    public Moment lapseOf(ResourceId resource) {
        return lapseAt(resource);
    }

    private Moment lapseAt(ResourceId resource) {
        return lapseAt.getOrDefault(resource, unknownUntil).latest(unknownUntil);
    }
}
