package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.NetworkNamespace;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// When and how holders announce: a burst, because one frame may be lost and Linux heeds no change of an entry that
/// is younger than a second (`locktime`, arp(7)); then a slow refresh, because a switch or a rival may have
/// forgotten. Runs on one daemon thread of its own.
final class Announcer implements AutoCloseable {

    private static final List<Duration> BURST =
            List.of(Duration.ofMillis(30), Duration.ofMillis(100), Duration.ofMillis(300), Duration.ofMillis(1100));
    private static final Duration REFRESH = Duration.ofSeconds(10);

    private final PacketSender packets;
    private final ScheduledExecutorService thread;

    /// @param refresh run every ten seconds
    Announcer(NetworkNamespace namespace, Runnable refresh) throws IOException {
        packets = new PacketSender(namespace);
        thread = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("announcer").factory());
        var _ = thread.scheduleWithFixedDelay(
                faultsShown(refresh), REFRESH.toMillis(), REFRESH.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Runs the announcement now, on the caller's thread, and some times more within about a second.
    void burst(Runnable announcement) {
        announcement.run();
        for (Duration later : BURST) {
            try {
                var _ = thread.schedule(faultsShown(announcement), later.toMillis(), TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                return; // closed
            }
        }
    }

    /// Runs the task once, later.
    void later(Duration delay, Runnable task) {
        try {
            var _ = thread.schedule(faultsShown(task), delay.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // closed: the kernel ends by itself what there is
        }
    }

    /// Sends one announcement; `live` is asked right before each frame, because packet sockets pass no gate.
    void send(GuardedAddress guarded, BooleanSupplier live) throws IOException {
        Optional<Rtnetlink.Link> link = guarded.link();
        if (link.isEmpty()) {
            return;
        }
        for (byte[] frame : Announcement.frames(guarded.address(), link.get().macBytes())) {
            if (live.getAsBoolean()) {
                packets.send(frame, link.get().index());
            }
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
        packets.close();
    }

    /// An executor would keep a programming error to itself: it goes to the thread's handler of faults.
    private static Runnable faultsShown(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                Thread current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, e);
            }
        };
    }
}
