package dev.understudy.agent.database;

import dev.understudy.protocol.Observation.CopyStep;
import dev.understudy.protocol.Observation.Copying;

/// Counts what of a copy has been given or received. The rate is taken anew over each second or more. Thread-safe.
final class CopyProgress {

    private static final long SECOND = 1_000_000_000L;

    private final String copy;
    private final long total;
    private CopyStep step;
    private long bytes;
    private long rate;
    private long windowStart = System.nanoTime();
    private long windowBytes;

    CopyProgress(String copy, CopyStep step, long total) {
        this.copy = copy;
        this.step = step;
        this.total = total;
    }

    synchronized void add(int more) {
        bytes += more;
        long since = System.nanoTime() - windowStart;
        if (since >= SECOND) {
            rate = Math.round((double) (bytes - windowBytes) * SECOND / since);
            windowBytes = bytes;
            windowStart = System.nanoTime();
        }
    }

    synchronized void enter(CopyStep next) {
        step = next;
        rate = 0;
    }

    synchronized Copying now() {
        long stale = System.nanoTime() - windowStart > 5 * SECOND ? 0 : rate;
        return new Copying(copy, step, bytes, total, stale);
    }
}
