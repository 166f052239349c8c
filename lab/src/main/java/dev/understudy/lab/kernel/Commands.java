package dev.understudy.lab.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs programs of the system, always as a list of arguments, never through a shell. Any thread.
public final class Commands {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private Commands() {}

    /// What a program said (standard output and error together) and how it ended; exit 124 when the limit was
    /// reached.
    public record Result(List<String> command, int exit, String output) {

        public boolean ok() {
            return exit == 0;
        }

        /// @throws CommandFailed unless the program ended with 0
        public Result orThrow() {
            if (!ok()) {
                throw new CommandFailed(this);
            }
            return this;
        }
    }

    /// A program that had to work and did not.
    public static final class CommandFailed extends RuntimeException {
        CommandFailed(Result result) {
            super("`" + String.join(" ", result.command()) + "` ended with " + result.exit() + ": "
                    + result.output().strip());
        }
    }

    public static Result run(String... command) {
        return run(Arrays.asList(command), "");
    }

    public static Result run(List<String> command) {
        return run(command, "");
    }

    /// Runs the program with `input` as its standard input and waits for its end, a minute at most.
    public static Result run(List<String> command, String input) {
        return run(command, input, LIMIT);
    }

    public static Result run(List<String> command, String input, Duration limit) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            Thread watchdog = Thread.ofVirtual().start(() -> {
                try {
                    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                        process.destroyForcibly();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            try (var out = process.getOutputStream()) {
                out.write(input.getBytes(StandardCharsets.UTF_8));
            } catch (IOException ended) {
                // it did not read its input: its exit says what it thinks of that
            }
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            boolean overdue = exit == 137 && !watchdog.isAlive();
            watchdog.interrupt();
            return new Result(List.copyOf(command), overdue ? 124 : exit, output);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + command.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + command.getFirst(), e);
        }
    }
}
