package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which profiles a host may run with what its kernel enforces.
class EnforcedBoundTest {

    private static final List<TimingProfile> PROFILES =
            List.of(TimingProfile.FAST, TimingProfile.STANDARD, TimingProfile.RELAXED);

    @Test
    void s12_elementsAllowEveryProfileLifetimesTheSlowestAndNothingNone() {
        assertThat(allowed(EnforcedBound.ELEMENTS)).containsExactly("fast", "standard", "relaxed");
        assertThat(allowed(EnforcedBound.LIFETIMES)).containsExactly("relaxed");
        assertThat(allowed(EnforcedBound.NOTHING)).isEmpty();
    }

    @Test
    void s12_aProfileWhoseWaitLeavesTheKernelNoTimeIsRefused() {
        TimingProfile tight = new TimingProfile(
                "tight", Duration.ofMillis(10), Duration.ofMillis(100), Duration.ofMillis(50), Duration.ofMillis(5));

        assertThat(EnforcedBound.ELEMENTS.objection(tight)).isPresent();
    }

    /// The kernel was seen to end lifetimes up to half a second late.
    @Test
    void s12_aLifetimeEndsBeforeTheLeaseDoesHoweverLateTheKernelLooks() {
        Duration late = Duration.ofMillis(500);
        for (int millis = 0; millis <= 7000; millis += 7) {
            Duration left = Duration.ofMillis(millis);
            long seconds = EnforcedBound.safeLifetimeSeconds(left);

            if (seconds > 0) { // none is set otherwise
                assertThat(Duration.ofSeconds(seconds).plus(late)).isLessThanOrEqualTo(left);
            }
        }
        assertThat(EnforcedBound.safeLifetimeSeconds(Duration.ofMillis(5500))).isEqualTo(5);
    }

    private static List<String> allowed(EnforcedBound bound) {
        return PROFILES.stream()
                .filter(profile -> bound.objection(profile).isEmpty())
                .map(TimingProfile::name)
                .toList();
    }
}
