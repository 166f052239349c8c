package dev.understudy.core;

import java.time.Duration;

/// A lease that outlives a planned restart (S9).
///
/// @param millis how long
/// @param restartOver grants have the profile's ttl again, and a lease of this length may still be alive
public record LongLease(long millis, boolean restartOver) {

    public Duration length() {
        return Duration.ofMillis(millis);
    }
}
