package dev.understudy.agent.sys;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Runs a command for a test and waits for it.
public final class Shell {

    private Shell() {}

    public record Result(int exit, String output) {}

    public static Result run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// @throws IllegalStateException when the command fails: a test that needs root or a package says so by failing
    public static String must(String... command) {
        Result result = run(List.of(command));
        if (result.exit() != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": exit " + result.exit() + "\n"
                    + result.output() + "(these tests need root, iproute2, nftables, iputils-arping and haproxy)");
        }
        return result.output();
    }
}
