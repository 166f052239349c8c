package dev.understudy.core.notice;

import java.time.Duration;

/// When people are told.
///
/// @param gather what begins within that time of the first symptom is told together
/// @param update at most so often an incident is told of anew while it lasts
/// @param settle so long nothing must be the matter before it counts as over
/// @param remind the first reminder, each later one after twice the time, at most [#LONGEST_REMIND]; zero: none
/// @param mostPerHour more wait
public record Pace(Duration gather, Duration update, Duration settle, Duration remind, int mostPerHour) {

    public static final Duration LONGEST_REMIND = Duration.ofHours(24);

    public static final Pace DEFAULT =
            new Pace(Duration.ofSeconds(10), Duration.ofMinutes(1), Duration.ofMinutes(1), Duration.ofHours(1), 60);

    /// How long after the latest notice of an incident the next reminder is due.
    Duration remindAfter(int reminders) {
        Duration wait = remind;
        for (int i = 0; i < reminders && wait.compareTo(LONGEST_REMIND) < 0; i++) {
            wait = wait.multipliedBy(2);
        }
        return wait.compareTo(LONGEST_REMIND) < 0 ? wait : LONGEST_REMIND;
    }
}
