package dev.understudy.agent.act.service;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.PidWatch;
import dev.understudy.protocol.Outcome;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Fixed command lines, never a shell string.
final class Commands {

    private static final int SIGKILL = 9;
    private static final Duration LOOK = Duration.ofMillis(20);

    private Commands() {}

    record Output(int exit, String text) {}

    /// Runs a short command to its end and returns what it printed.
    ///
    /// @throws IOException it could not be started, or took too long and was killed
    static Output run(List<String> command, Duration timeout) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        Thread killer = Thread.ofVirtual().start(() -> {
            try {
                if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Output(process.waitFor(), text.strip());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            killer.interrupt();
        }
    }

    /// Starts a command in a session of its own, so that no signal to the agent's terminal or group reaches it, with
    /// nothing to read and its output appended to a log.
    static Process detached(List<String> command, Path log) throws IOException {
        List<String> line = new ArrayList<>(List.of("setsid"));
        line.addAll(command);
        return new ProcessBuilder(line)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    /// SIGKILL for a process and all that descend from it, and waits until they are gone. A killed HAProxy master's
    /// worker would go by itself, but only once it has seen that, and it serves until then.
    static Outcome kill(long pid, Duration timeout) {
        if (!PidWatch.alive(pid)) {
            return Outcome.Done.withoutFacts();
        }
        List<Long> pids = new ArrayList<>(List.of(pid));
        ProcessHandle.of(pid).ifPresent(process -> process.descendants().forEach(child -> pids.add(child.pid())));
        for (long each : pids) {
            int result = LibC.kill(each, SIGKILL);
            if (result < 0 && result != -LibC.ESRCH) {
                return new Outcome.Failed("kill " + each + ": errno " + -result);
            }
        }
        return await(() -> pids.stream().noneMatch(PidWatch::alive), timeout)
                ? Outcome.Done.withoutFacts()
                : new Outcome.Unknown("process " + pid + " was killed but has not ended in " + timeout);
    }

    /// Waits for a condition; false when the time is over.
    static boolean await(BooleanSupplier condition, Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }
}
