package dev.understudy.lab.measure;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import java.util.function.Consumer;

/// Everything that watches a site from outside, at once: a client on the virtual address, a writer on the writer
/// address, the holder watch.
public final class Instruments implements AutoCloseable {

    private static final Duration SETTLED = Duration.ofSeconds(60);
    private static final int GOOD_RUN = 50;

    private final RequestClient client;
    private final Writer writer;
    private final HolderWatch holders;

    private Instruments(Lab lab, Consumer<String> alarm) {
        client = RequestClient.start(lab.host(Topology.CLIENT), Topology.SITE_ADDRESS, 80, Duration.ofMillis(10));
        writer = Writer.start(lab.host(Topology.WEB1), Topology.WRITER_ADDRESS);
        holders = HolderWatch.start(lab, alarm);
    }

    public static Instruments start(Lab lab, Consumer<String> alarm) {
        return new Instruments(lab, alarm);
    }

    public RequestClient client() {
        return client;
    }

    public Writer writer() {
        return writer;
    }

    public HolderWatch holders() {
        return holders;
    }

    /// Waits for a run of successes of both client and writer that begins now.
    public void awaitService() {
        long now = System.nanoTime();
        awaitRun(client.timeline(), "requests are answered", now);
        awaitRun(writer.timeline(), "writes are acknowledged", now);
    }

    private static void awaitRun(Timeline timeline, String what, long since) {
        Waiting.until(what, SETTLED, () -> timeline.unbrokenRun(since) >= GOOD_RUN);
    }

    @Override
    public void close() {
        client.close();
        writer.close();
        holders.close();
    }
}
