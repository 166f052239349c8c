package dev.understudy.lab.measure;

import java.util.ArrayList;
import java.util.List;

/// What one kind of client met, attempt by attempt. Moments are readings of `System.nanoTime`. Thread-safe.
public final class Timeline {

    private final List<Attempt> attempts = new ArrayList<>();

    /// One attempt that is over.
    ///
    /// @param end when the answer came or the attempt was given up
    /// @param failure what went wrong, empty for a success
    public record Attempt(long start, long end, String failure) {
        public boolean ok() {
            return failure.isEmpty();
        }
    }

    /// A stretch of time, summed up.
    ///
    /// @param outageMillis the longest time without a success: from the last success before to the first after
    /// @param failed attempts that failed
    /// @param firstFailure an example, empty if there is none
    public record Summary(long outageMillis, int attempts, int failed, String firstFailure) {}

    synchronized void add(Attempt attempt) {
        attempts.add(attempt);
    }

    public synchronized int size() {
        return attempts.size();
    }

    /// Whether anything succeeded that began at or after the moment.
    public synchronized boolean successSince(long moment) {
        for (int i = attempts.size() - 1; i >= 0 && attempts.get(i).end() >= moment; i--) {
            if (attempts.get(i).ok() && attempts.get(i).start() >= moment) {
                return true;
            }
        }
        return false;
    }

    /// How many of the latest attempts, among those that began at or after the moment, succeeded in a row.
    public synchronized int unbrokenRun(long since) {
        int run = 0;
        for (int i = attempts.size() - 1; i >= 0; i--) {
            Attempt attempt = attempts.get(i);
            if (!attempt.ok() || attempt.start() < since) {
                return run;
            }
            run++;
        }
        return run;
    }

    /// Sums up the attempts that ended between the two moments. Time without a success before the first one and
    /// after the last one within the stretch counts too.
    public synchronized Summary between(long from, long to) {
        long last = from;
        long longest = 0;
        int all = 0;
        int failed = 0;
        String firstFailure = "";
        for (Attempt attempt : attempts) {
            if (attempt.end() < from || attempt.end() > to) {
                continue;
            }
            all++;
            if (attempt.ok()) {
                longest = Math.max(longest, attempt.end() - last);
                last = Math.max(last, attempt.end());
            } else {
                failed++;
                firstFailure = firstFailure.isEmpty() ? attempt.failure() : firstFailure;
            }
        }
        longest = Math.max(longest, to - last);
        return new Summary(longest / 1_000_000, all, failed, firstFailure);
    }
}
