package dev.understudy.lab.kernel;

import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waiting by condition.
public final class Waiting {

    private Waiting() {}

    /// Something that should have become true did not in time.
    public static final class TimedOut extends RuntimeException {
        TimedOut(String message) {
            super(message);
        }
    }

    /// Looks every few milliseconds until the condition holds.
    ///
    /// @throws TimedOut when it does not within the limit
    public static void until(String what, Duration limit, BooleanSupplier condition) {
        untilNoObjection(limit, () -> condition.getAsBoolean() ? Optional.empty() : Optional.of(what));
    }

    /// Looks until nothing is objected; the last objection goes into the exception.
    public static void untilNoObjection(Duration limit, Supplier<Optional<String>> objection) {
        long end = System.nanoTime() + limit.toNanos();
        long pause = 5;
        while (true) {
            Optional<String> now = objection.get();
            if (now.isEmpty()) {
                return;
            }
            if (System.nanoTime() >= end) {
                throw new TimedOut("after " + limit.toMillis() + " ms still not: " + now.get());
            }
            pause(pause);
            pause = Math.min(50, pause + 5);
        }
    }

    /// Lets time pass: how long a fault lasts. Never to wait for an effect.
    public static void pass(Duration length) {
        pause(length.toMillis());
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting", e);
        }
    }
}
