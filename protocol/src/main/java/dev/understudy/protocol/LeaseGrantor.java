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
/// A lease that is longer than the profile's ttl (S9) is of an epoch: a new one begins only when every lease of the one
/// before is over, so its holder is not waited for as long as the one before ([#begun]).
///
/// Immutable. Time comes in as a value.
///
/// @param lapseAt when the last lease would be over for certain if none were longer than the profile's ttl
/// @param longUntil when the last lease that was longer is over for certain
public record LeaseGrantor(
        TimingProfile timing, Moment unknownUntil, Map<ResourceId, Moment> lapseAt, Map<Longer, Moment> longUntil) {

    /// Whose lease was longer.
    public record Longer(ResourceId resource, long epoch) {}

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
    public LeaseGrantor granted(ResourceId resource, long epoch, Duration length, Moment now) {
        boolean isLonger = length.compareTo(timing.ttl()) > 0;
        Map<ResourceId, Moment> next = new HashMap<>(lapseAt);
        next.merge(resource, now.plus(timing.lapseAfter(isLonger ? timing.ttl() : length)), Moment::latest);
        Map<Longer, Moment> longer = new HashMap<>(longUntil);
        if (isLonger) {
            longer.merge(new Longer(resource, epoch), now.plus(timing.lapseAfter(length)), Moment::latest);
        }
        return new LeaseGrantor(timing, unknownUntil, next, longer);
    }

    /// The resource's epoch has begun: the holder before has released or its leases are over, the longer ones too.
    public LeaseGrantor begun(ResourceId resource, long epoch) {
        Map<Longer, Moment> longer = new HashMap<>(longUntil);
        boolean any = longer.keySet().removeIf(l -> l.resource().equals(resource) && l.epoch() < epoch);
        return any ? new LeaseGrantor(timing, unknownUntil, lapseAt, longer) : this;
    }

    /// Whether every lease that was longer than the profile's ttl is over, at its holder too.
    public boolean longLeaseOver(ResourceId resource, Moment now) {
        return !now.isBefore(longer(resource, now));
    }

    /// Whether every lease ever granted for the resource is over, at its holder too.
    public boolean lapsed(ResourceId resource, Moment now) {
        return !now.isBefore(lapseOf(resource));
    }

    /// When the last lease for the resource is over for certain.
    public Moment lapseOf(ResourceId resource) {
        return longer(resource, lapseAt.getOrDefault(resource, unknownUntil).latest(unknownUntil));
    }

    private Moment longer(ResourceId resource, Moment atLeast) {
        return longUntil.entrySet().stream()
                .filter(l -> l.getKey().resource().equals(resource))
                .map(Map.Entry::getValue)
                .reduce(atLeast, Moment::latest);
    }
}
