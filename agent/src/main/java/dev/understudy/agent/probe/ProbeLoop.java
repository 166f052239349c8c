package dev.understudy.agent.probe;

import java.time.Duration;

/// Runs a probe again and again on a virtual thread of its own, `interval` after the end of the last run. A
/// programming error ends it through the thread's fault handler.
public final class ProbeLoop implements AutoCloseable {

    private final Thread thread;

    public ProbeLoop(String name, Duration interval, Runnable probe) {
        thread = Thread.ofVirtual().name(name).start(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                probe.run();
                try {
                    Thread.sleep(interval);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
