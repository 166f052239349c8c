package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class NftTimeTest {

    @Test
    void readsDurationsAsNftPrintsThem() {
        assertThat(NftTime.duration("980ms")).isEqualTo(Duration.ofMillis(980));
        assertThat(NftTime.duration("1s")).isEqualTo(Duration.ofSeconds(1));
        assertThat(NftTime.duration("1m59s856ms")).isEqualTo(Duration.ofMillis(119_856));
        assertThat(NftTime.duration("1d2h3m"))
                .isEqualTo(Duration.ofDays(1).plusHours(2).plusMinutes(3));
        assertThat(NftTime.duration("never")).isEqualTo(Duration.ZERO);
    }

    /// nft multiplies what it reads by 10^9 in 64 bits.
    @Test
    void theNumberForAMomentComesOutAsThatMoment() {
        for (long nanos : new long[] {0, 512, 1_795_364_677_692_453_657L, 4_102_444_800_000_000_001L}) {
            long stored = Long.parseUnsignedLong(NftTime.exact(nanos)) * 1_000_000_000L;

            assertThat(nanos - stored).isBetween(0L, 511L);
        }
    }

    @Test
    void wholeSecondsAreRoundedUp() {
        assertThat(NftTime.wholeSeconds(1_000_000_001L)).isEqualTo("2");
        assertThat(NftTime.wholeSeconds(2_000_000_000L)).isEqualTo("2");
    }
}
