package dev.understudy.agent.database;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.function.LongSupplier;

/// A token bucket for bytes: at most so many a second, and at most a quarter of a second's at once. One thread.
final class Throttle {

    private static final long SECOND = 1_000_000_000L;

    private final long bytesPerSecond;
    private final LongSupplier nanoTime;
    private final Waiting waiting;
    private long paidUntil;

    /// Waits for so many nanoseconds.
    interface Waiting {
        void sleep(long nanos) throws InterruptedException;
    }

    /// @param bytesPerSecond 0 for no limit
    Throttle(long bytesPerSecond) {
        this(bytesPerSecond, System::nanoTime, nanos -> Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000)));
    }

    Throttle(long bytesPerSecond, LongSupplier nanoTime, Waiting waiting) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanoTime = nanoTime;
        this.waiting = waiting;
        this.paidUntil = nanoTime.getAsLong() - SECOND / 4;
    }

    /// Returns when so many bytes may be sent.
    void take(int bytes) throws IOException {
        if (bytesPerSecond <= 0) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (now - paidUntil > SECOND / 4) {
            paidUntil = now - SECOND / 4; // what was not used in time is gone
        }
        paidUntil += Math.round((double) bytes * SECOND / bytesPerSecond);
        if (paidUntil - now > 0) {
            try {
                waiting.sleep(paidUntil - now);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
        }
    }
}
