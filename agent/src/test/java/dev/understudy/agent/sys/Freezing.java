package dev.understudy.agent.sys;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/// Stops a process and lets it go on. SIGSTOP is only a request: threads on other processors answer for a moment more.
public final class Freezing {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int SIGSTOP = 19;
    private static final int SIGCONT = 18;

    private Freezing() {}

    /// Returns when every thread of the process has stopped.
    public static void freeze(long pid) {
        LibC.kill(pid, SIGSTOP);
        await("process " + pid + " has stopped").atMost(PATIENCE).until(() -> hasStopped(pid));
    }

    public static void thaw(long pid) {
        LibC.kill(pid, SIGCONT);
    }

    private static boolean hasStopped(long pid) {
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            return threads.allMatch(Freezing::isStopped);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isStopped(Path thread) {
        try {
            String stat = Files.readString(thread.resolve("stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (NoSuchFileException e) {
            return true; // it has ended since it was listed
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
