package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// A token bucket over a clock that goes only by its own waiting.
class ThrottleTest {

    private static final long SECOND = 1_000_000_000L;

    private final AtomicLong clock = new AtomicLong(77);

    @Test
    void no_more_than_the_rate_leaves_in_the_long_run() throws IOException {
        Throttle throttle = new Throttle(1_000_000, clock::get, clock::addAndGet);
        long start = clock.get();
        for (int i = 0; i < 1000; i++) {
            throttle.take(10_000);
        }
        assertThat(clock.get() - start).isBetween(9_700_000_000L, 10 * SECOND);
    }

    @Test
    void what_was_not_used_is_saved_for_a_quarter_of_a_second_only() throws IOException {
        Throttle throttle = new Throttle(1_000_000, clock::get, clock::addAndGet);
        clock.addAndGet(60 * SECOND);
        long start = clock.get();
        for (int i = 0; i < 100; i++) {
            throttle.take(10_000);
        }
        assertThat(clock.get() - start).isEqualTo(3 * SECOND / 4);
    }

    @Test
    void without_a_rate_nothing_waits() throws IOException {
        Throttle throttle = new Throttle(0, clock::get, _ -> {
            throw new AssertionError("waited");
        });
        throttle.take(1 << 30);
    }
}
