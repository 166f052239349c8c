package dev.understudy.protocol;

import java.time.Duration;

/// A reading of one process's monotonic clock, in nanoseconds from an arbitrary origin. Moments of two processes
/// must never be compared: the lease protocol (SAFETY S1) is built so that it never needs to.
public record Moment(long nanos) implements Comparable<Moment> {

    public Moment plus(Duration duration) {
        return new Moment(Math.addExact(nanos, duration.toNanos()));
    }

    public Duration since(Moment earlier) {
        return Duration.ofNanos(nanos - earlier.nanos);
    }

    public boolean isBefore(Moment other) {
        return nanos < other.nanos;
    }

    public Moment latest(Moment other) {
        return nanos >= other.nanos ? this : other;
    }

    @Override
    public int compareTo(Moment other) {
        return Long.compare(nanos, other.nanos);
    }
}
