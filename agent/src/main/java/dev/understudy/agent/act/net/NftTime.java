package dev.understudy.agent.act.net;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Times as nft writes them.
final class NftTime {

    private static final Pattern DURATION =
            Pattern.compile("(?:(\\d+)d)?(?:(\\d+)h)?(?:(\\d+)m(?!s))?(?:(\\d+)s)?(?:(\\d+)ms)?");
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    /// 2^9 divides 10^9, so moments can be written in steps of 512 ns.
    private static final int STEP_BITS = 9;
    /// The inverse of 5^9 modulo 2^64 (5^9 is odd; 10^9 = 2^9 · 5^9).
    private static final long INVERSE = inverse(1_953_125L);

    private NftTime() {}

    /// The number that makes nft store exactly this moment of the wall clock (nanoseconds since 1970, rounded down
    /// to 512 ns) where its grammar takes whole seconds for `meta time`. nft multiplies the number by 10^9 modulo
    /// 2^64 (`date_type_parse` in nftables' src/meta.c), which has an inverse on multiples of 512. Whoever uses it
    /// reads one value back first and falls back to [#wholeSeconds] (KernelGate proves it at start).
    static String exact(long epochNanos) {
        long number = ((epochNanos >>> STEP_BITS) * INVERSE) & (-1L >>> STEP_BITS);
        if (number * NANOS_PER_SECOND != (epochNanos & -(1L << STEP_BITS))) {
            throw new IllegalStateException("no number for " + epochNanos);
        }
        return Long.toUnsignedString(number);
    }

    /// The moment rounded up to a whole second.
    static String wholeSeconds(long epochNanos) {
        return Long.toString(Math.ceilDiv(epochNanos, NANOS_PER_SECOND));
    }

    /// Reads `1h2m3s4ms`; zero if there is nothing of the kind.
    static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.lookingAt()) {
            return Duration.ZERO;
        }
        return Duration.ofDays(part(matcher, 1))
                .plusHours(part(matcher, 2))
                .plusMinutes(part(matcher, 3))
                .plusSeconds(part(matcher, 4))
                .plusMillis(part(matcher, 5));
    }

    private static long part(Matcher matcher, int group) {
        String digits = matcher.group(group);
        return digits == null ? 0 : Long.parseLong(digits);
    }

    private static long inverse(long odd) {
        long result = odd; // correct to 3 bits; each round doubles them
        for (int bits = 3; bits < Long.SIZE; bits *= 2) {
            result *= 2 - odd * result;
        }
        return result;
    }
}
