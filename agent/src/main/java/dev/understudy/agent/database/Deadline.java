package dev.understudy.agent.database;

import java.time.Duration;

/// An end of time for a procedure with several steps, on this process's monotonic clock.
record Deadline(long nanos) {

    static Deadline in(Duration duration) {
        return new Deadline(System.nanoTime() + duration.toNanos());
    }

    boolean isOver() {
        return nanos - System.nanoTime() <= 0;
    }

    /// What is left, at least a millisecond: time-outs of zero mean "for ever" in too many interfaces.
    Duration left() {
        return Duration.ofNanos(Math.max(1_000_000, nanos - System.nanoTime()));
    }

    /// What is left, at most `limit`.
    Duration left(Duration limit) {
        Duration left = left();
        return left.compareTo(limit) < 0 ? left : limit;
    }
}
