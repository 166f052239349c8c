package dev.understudy.agent.act.net;

import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.Optional;

/// How late the kernel may end a lease by itself (S12), and whether a profile can live with it: controllers wait
/// `ttl × (1 + drift) + slack`, drift is for the clocks, so what the kernel needs must fit into the slack. Pure.
enum EnforcedBound {
    /// nftables elements: to the millisecond, give or take the kernel's tick.
    ELEMENTS,
    /// Lifetimes of addresses: whole seconds, and the kernel was seen to look up to half a second late (IPv4, a
    /// lifetime of 2 s).
    LIFETIMES,
    /// Nothing ends it.
    NOTHING;

    private static final Duration ELEMENT_LATE = Duration.ofMillis(10);
    private static final Duration LIFETIME_LATE = Duration.ofMillis(500);

    /// What to set as an address's lifetime so that it has certainly ended when `left` is over: whole seconds,
    /// rounded down; 0 if there is no such lifetime.
    static long safeLifetimeSeconds(Duration left) {
        return Math.max(0, left.minus(LIFETIME_LATE).toSeconds());
    }

    /// Why leases of this profile must not be taken under this bound; empty if they may.
    Optional<String> objection(TimingProfile timing) {
        return switch (this) {
            case ELEMENTS ->
                ELEMENT_LATE.compareTo(timing.slack()) <= 0
                        ? Optional.empty()
                        : Optional.of("profile " + timing.name() + " leaves "
                                + timing.slack().toMillis() + " ms for the kernel, elements need "
                                + ELEMENT_LATE.toMillis());
            case LIFETIMES -> lifetimes(timing);
            case NOTHING -> Optional.of("nothing in the kernel ends a lease");
        };
    }

    /// A lifetime that never outlives the lease must still bridge the silence that a holder is allowed, counted from
    /// a renewal that arrives a heartbeat late.
    private static Optional<String> lifetimes(TimingProfile timing) {
        long seconds = safeLifetimeSeconds(timing.ttl().minus(timing.heartbeat()));
        return Duration.ofSeconds(seconds).compareTo(timing.silence()) >= 0
                ? Optional.empty()
                : Optional.of("profile " + timing.name() + " is too fast for address lifetimes: whole seconds that end"
                        + " up to " + LIFETIME_LATE.toMillis() + " ms late leave " + seconds + " s of a ttl of "
                        + timing.ttl().toMillis() + " ms, and heartbeats may be "
                        + timing.silence().toMillis() + " ms apart");
    }
}
