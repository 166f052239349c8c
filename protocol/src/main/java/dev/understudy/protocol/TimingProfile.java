package dev.understudy.protocol;

import java.time.Duration;

/// How fast a cluster notices and how long a lease lasts (DESIGN section 4). Checked by one inequality when made:
/// `3 × heartbeat ≤ ttl` and `authority window < ttl`.
///
/// @param heartbeat interval of the agents' heartbeats
/// @param ttl a lease's length, counted by the agent from sending a heartbeat
/// @param authorityWindow how long a leader may grant after the start of a linearizable read (S4)
/// @param slack added by the controller to every wait for a lapse: how late a host may enforce its own expiry
public record TimingProfile(String name, Duration heartbeat, Duration ttl, Duration authorityWindow, Duration slack) {

    /// The largest relative difference in speed of two hosts' monotonic clocks that leases are safe against: 1 %.
    /// The controller raises an alarm about a host beyond it.
    public static final double DRIFT = 0.01;

    /// How many looks at another host stay without an answer before an agent calls it silent.
    public static final int LOOKS = 3;

    private static final Duration FASTEST_LOOK = Duration.ofMillis(100);
    private static final Duration FAR_LOOK = Duration.ofSeconds(1);
    private static final Duration SHORTEST_TIME_OUT = Duration.ofMillis(250);

    public static final TimingProfile FAST = of("fast", 50, 300, 150, 50);
    public static final TimingProfile STANDARD = of("standard", 200, 1500, 700, 100);
    public static final TimingProfile RELAXED = of("relaxed", 1000, 6000, 3000, 200);

    public TimingProfile {
        if (heartbeat.multipliedBy(3).compareTo(ttl) > 0) {
            throw new IllegalArgumentException("3 x heartbeat (" + heartbeat + ") must not exceed ttl (" + ttl + ")");
        }
        if (authorityWindow.compareTo(ttl) >= 0) {
            throw new IllegalArgumentException("authority window " + authorityWindow + " must be below ttl " + ttl);
        }
        if (slack.isNegative() || heartbeat.isZero() || heartbeat.isNegative()) {
            throw new IllegalArgumentException("heartbeat must be positive and slack not negative");
        }
    }

    /// @throws IllegalArgumentException for a name that is no profile
    public static TimingProfile named(String name) {
        return switch (name) {
            case "fast" -> FAST;
            case "standard" -> STANDARD;
            case "relaxed" -> RELAXED;
            default -> throw new IllegalArgumentException("profile is fast, standard or relaxed, not '" + name + "'");
        };
    }

    /// How long after the last acknowledgement a lease of the given length is over everywhere: `length × (1 +
    /// drift) + slack`.
    public Duration lapseAfter(Duration length) {
        return Duration.ofNanos((long) Math.ceil(length.toNanos() * (1 + DRIFT)))
                .plus(slack);
    }

    /// How long a host may be silent before it is suspected: three heartbeats.
    public Duration silence() {
        return heartbeat.plus(heartbeat).plus(heartbeat); // asked for all the time: multipliedBy takes BigDecimals
    }

    /// How often an agent looks at another host.
    ///
    /// @param near a member of a group of its own: at each heartbeat, at most ten times a second; the others each
    /// second, or as seldom as heartbeats are
    public Duration look(boolean near) {
        return longer(heartbeat, near ? FASTEST_LOOK : FAR_LOOK);
    }

    /// How long such a look waits for an answer.
    public Duration lookTimeOut(boolean near) {
        return longer(look(near), SHORTEST_TIME_OUT);
    }

    /// After this time an agent has told that a host which it looks at is silent: the looks that it takes and one
    /// more, the last of which may take two time-outs.
    public Duration noticesSilenceWithin(boolean near) {
        return look(near).multipliedBy(LOOKS + 1L).plus(lookTimeOut(near).multipliedBy(2));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private static TimingProfile of(String name, int heartbeat, int ttl, int window, int slack) {
        return new TimingProfile(
                name,
                Duration.ofMillis(heartbeat),
                Duration.ofMillis(ttl),
                Duration.ofMillis(window),
                Duration.ofMillis(slack));
    }
}
