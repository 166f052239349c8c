package dev.understudy.agent.sys;

import java.time.Duration;

/// Tells when a process ends, within milliseconds and without polling its state: pidfd_open(2) and poll(2) on a
/// daemon platform thread of its own. Works for processes that are no children; a zombie that nobody reaped has
/// ended.
public final class PidWatch implements AutoCloseable {

    /// How often the waiting thread looks whether it was closed; a process's end wakes it at once.
    private static final Duration LOOK = Duration.ofSeconds(1);

    private final long pid;
    private final int descriptor;
    private volatile boolean closed;

    private PidWatch(long pid, int descriptor) {
        this.pid = pid;
        this.descriptor = descriptor;
    }

    /// Watches the process and runs `ended` once when it ends, on the watching thread; at once (on that thread too)
    /// when there is no such process. After [#close] it does not run any more.
    public static PidWatch start(long pid, Runnable ended) {
        int descriptor = LibC.pidfdOpen(pid);
        if (descriptor < 0 && descriptor != -LibC.ESRCH) {
            throw new IllegalStateException("pidfd_open " + pid + ": errno " + -descriptor);
        }
        PidWatch watch = new PidWatch(pid, descriptor);
        Thread.ofPlatform().daemon().name("pid-watch-" + pid).start(() -> watch.run(ended));
        return watch;
    }

    /// Whether the process exists and has not ended (a zombie has).
    public static boolean alive(long pid) {
        if (pid <= 0) {
            return false;
        }
        int descriptor = LibC.pidfdOpen(pid);
        if (descriptor < 0) {
            return false;
        }
        try {
            return LibC.pollReadable(descriptor, Duration.ZERO) == 0;
        } finally {
            LibC.close(descriptor);
        }
    }

    public long pid() {
        return pid;
    }

    @Override
    public void close() {
        closed = true;
    }

    private void run(Runnable ended) {
        try {
            while (!closed && descriptor >= 0) {
                int ready = LibC.pollReadable(descriptor, LOOK);
                if (ready > 0) {
                    break;
                }
                if (ready < 0 && ready != -LibC.EINTR) {
                    throw new IllegalStateException("poll on pidfd of " + pid + ": errno " + -ready);
                }
            }
        } finally {
            if (descriptor >= 0) {
                LibC.close(descriptor);
            }
        }
        if (!closed) {
            ended.run();
        }
    }
}
