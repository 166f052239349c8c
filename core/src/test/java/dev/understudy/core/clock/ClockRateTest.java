package dev.understudy.core.clock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.clock.ClockRate.Halves;
import dev.understudy.protocol.AgentMessage.ClockReading;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Heartbeats over one ordered connection with jitter, between a host and a controller that freeze now and then.
class ClockRateTest {

    private static final Duration WINDOW = ClockRate.window(TimingProfile.STANDARD);
    private static final long HEARTBEAT = 200_000_000L;
    private static final long SECOND = 1_000_000_000L;

    @ParameterizedTest
    @ValueSource(doubles = {1, 1.0099, 1 / 1.0099})
    void a_clock_within_the_bound_is_never_called_too_fast_or_too_slow(double rate) {
        for (int seed = 0; seed < 300; seed++) {
            Exchange exchange = new Exchange(seed, rate);
            exchange.freezes = true;
            for (int beat = 0; beat < 1000; beat++) {
                exchange.beat();
                assertThat(exchange.verdict())
                        .as("seed %d, beat %d", seed, beat)
                        .isZero();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1.015, 1 / 1.015})
    void a_clock_beyond_the_bound_is_found_within_fifteen_seconds_of_a_quiet_network(double rate) {
        for (int seed = 0; seed < 100; seed++) {
            Exchange exchange = new Exchange(seed, rate);
            exchange.slowest = 2_000_000;
            for (int beat = 0; beat < 75; beat++) {
                exchange.beat();
            }
            assertThat(exchange.verdict()).as("seed %d", seed).isEqualTo(rate > 1 ? 1 : -1);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1.015, 1 / 1.015})
    void a_clock_beyond_the_bound_is_found_among_jitter_and_freezes(double rate) {
        for (int seed = 0; seed < 100; seed++) {
            Exchange exchange = new Exchange(seed, rate);
            exchange.freezes = true;
            int beats = 0;
            while (exchange.verdict() == 0 && beats < 1500) {
                exchange.beat();
                beats++;
            }
            assertThat(exchange.verdict()).as("seed %d", seed).isEqualTo(rate > 1 ? 1 : -1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-5 * SECOND, -SECOND / 2, SECOND / 2, 5 * SECOND})
    void a_jump_is_no_rate(long jump) {
        for (int seed = 0; seed < 100; seed++) {
            Exchange exchange = new Exchange(seed, 1);
            exchange.slowest = 5_000_000;
            for (int beat = 0; beat < 500; beat++) {
                if (beat == 100 + seed) {
                    exchange.offset += jump;
                }
                exchange.beat();
                assertThat(exchange.verdict())
                        .as("seed %d, beat %d", seed, beat)
                        .isZero();
            }
            assertThat(exchange.halves().isSettled(WINDOW)).isTrue();
            assertThat(exchange.halves().agreesWith(Halves.OWN)).isTrue();
        }
    }

    @Test
    void two_members_within_the_bound_of_the_controller_can_be_too_far_from_each_other() {
        Exchange fast = new Exchange(1, 1.008);
        Exchange slow = new Exchange(2, 0.992);
        fast.slowest = 2_000_000;
        slow.slowest = 2_000_000;
        for (int beat = 0; beat < 100; beat++) {
            fast.beat();
            slow.beat();
        }
        assertThat(fast.verdict()).isZero();
        assertThat(slow.verdict()).isZero();
        assertThat(fast.halves().isSurelyTooFastFor(slow.halves())).isTrue();
        assertThat(slow.halves().isSurelyTooFastFor(fast.halves())).isFalse();
    }

    @Test
    void another_incarnation_is_measured_anew_and_keeps_the_alarm() {
        Exchange exchange = new Exchange(1, 1.02);
        exchange.slowest = 2_000_000;
        for (int beat = 0; beat < 100; beat++) {
            exchange.beat();
        }
        ClockRate restarted = exchange.clock.alarmed("too fast").restarted();
        assertThat(restarted).isEqualTo(ClockRate.UNKNOWN.alarmed("too fast"));
    }

    @Test
    void what_makes_no_sense_is_not_looked_at() {
        ClockRate one = ClockRate.UNKNOWN.heard(7, new ClockReading(1000, 0, 0), new Moment(50), WINDOW);
        assertThat(one.open()).hasSize(1);
        assertThat(one.heard(8, ClockReading.NONE, new Moment(60), WINDOW)).isEqualTo(one);
        assertThat(one.heard(7, new ClockReading(1000, 0, 0), new Moment(60), WINDOW))
                .isEqualTo(one);
        // an answer before the question, and one to a heartbeat that never arrived here
        assertThat(one.heard(8, new ClockReading(2000, 7, 999), new Moment(60), WINDOW)
                        .samples())
                .isEmpty();
        assertThat(one.heard(8, new ClockReading(2000, 6, 1500), new Moment(60), WINDOW)
                        .samples())
                .isEmpty();
        assertThat(one.heard(8, new ClockReading(2000, 7, 1500), new Moment(60), WINDOW)
                        .samples())
                .containsExactly(new ClockRate.Sample(new Moment(50), new Moment(50), 1000, 1500));
    }

    @Test
    void what_is_kept_is_bounded() {
        Exchange exchange = new Exchange(3, 1);
        for (int beat = 0; beat < 5000; beat++) {
            exchange.beat();
        }
        assertThat(exchange.clock.samples()).hasSizeBetween(ClockRate.WINDOWS / 2, ClockRate.WINDOWS + 1);
        assertThat(exchange.clock.open()).hasSizeLessThanOrEqualTo(8);
    }

    /// One agent and one controller.
    private static final class Exchange {
        private record Answer(long seq, long at) {}

        private final SplittableRandom random;
        private final double rate;
        private final Deque<Answer> answers = new ArrayDeque<>();
        private ClockRate clock = ClockRate.UNKNOWN;
        private long slowest = 20_000_000;
        private boolean freezes;
        private long offset = 123 * SECOND;
        private long now;
        private long seq;
        private long hostFrozenUntil;
        private long controllerFrozenUntil;
        private long arrivesAfter;
        private long answeredAfter;
        private Answer latest = new Answer(0, 0);

        Exchange(long seed, double rate) {
            random = new SplittableRandom(seed);
            this.rate = rate;
        }

        private long hostClock(long at) {
            return offset + (long) (at * rate);
        }

        private long delay() {
            long worst = freezes && random.nextInt(20) == 0 ? slowest * 50 : slowest;
            return random.nextLong(slowest / 20, worst);
        }

        void beat() {
            now += HEARTBEAT;
            if (freezes && random.nextInt(60) == 0) {
                hostFrozenUntil = now + random.nextLong(8 * SECOND);
            }
            if (freezes && random.nextInt(60) == 0) {
                controllerFrozenUntil = now + random.nextLong(6 * SECOND);
            }
            long sent = Math.max(now, hostFrozenUntil);
            now = sent;
            while (!answers.isEmpty() && answers.getFirst().at <= sent) {
                latest = answers.removeFirst();
            }
            ClockReading reading =
                    new ClockReading(hostClock(sent), latest.seq, latest.seq == 0 ? 0 : hostClock(latest.at));
            long heard = Math.max(Math.max(sent + delay(), controllerFrozenUntil), arrivesAfter + 1);
            arrivesAfter = heard;
            clock = clock.heard(++seq, reading, new Moment(heard), WINDOW);
            long answered = Math.max(heard + delay(), answeredAfter + 1);
            if (freezes && random.nextInt(30) == 0) {
                hostFrozenUntil = answered + random.nextLong(3 * SECOND);
                answered = hostFrozenUntil;
            }
            answeredAfter = answered;
            answers.add(new Answer(seq, answered));
        }

        Halves halves() {
            return Objects.requireNonNull(clock.halves());
        }

        int verdict() {
            Halves halves = clock.halves();
            return halves == null
                    ? 0
                    : halves.isSurelyTooFastFor(Halves.OWN) ? 1 : Halves.OWN.isSurelyTooFastFor(halves) ? -1 : 0;
        }
    }
}
