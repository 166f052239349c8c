package dev.understudy.agent;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Something that is looked at again and again on a thread of its own until it is closed. An error is logged when it
/// begins and when it is over.
final class Repeated implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Repeated.class);

    private final String name;
    private final Duration interval;
    private final Runnable look;
    private final Thread thread;
    private volatile boolean closed;

    Repeated(String name, Duration interval, Runnable look) {
        this.name = name;
        this.interval = interval;
        this.look = look;
        thread = Thread.ofPlatform().name("watch " + name).daemon(true).start(this::run);
    }

    private void run() {
        boolean failing = false;
        while (!closed) {
            try {
                look.run();
                if (failing) {
                    LOG.info("event=probe-works-again probe={}", name);
                }
                failing = false;
            } catch (RuntimeException e) {
                if (!failing && !closed) {
                    LOG.error("event=probe-failed probe={}", name, e);
                }
                failing = true;
            }
            try {
                Thread.sleep(interval);
            } catch (InterruptedException e) {
                if (closed) {
                    return;
                }
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
