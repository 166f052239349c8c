package dev.understudy.agent.database;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// With what a server would be started again: its option files as they are now (`my_print_defaults`) and the command
/// line of the process that runs. Several of these options can be seen nowhere else, and those that can may have been
/// changed since by `SET GLOBAL`.
final class StartOptions {

    private static final int SECONDS = 5;

    private final Map<String, String> values = new HashMap<>();

    /// @param arguments in the form of a command line, the later of two with one name counts
    StartOptions(List<String> arguments) {
        for (String argument : arguments) {
            if (argument.startsWith("--")) {
                int equals = argument.indexOf('=');
                String name = equals < 0 ? argument.substring(2) : argument.substring(2, equals);
                String value = equals < 0 ? "1" : argument.substring(equals + 1);
                put(name.replace('_', '-'), value);
            }
        }
    }

    private void put(String name, String value) {
        String bare = name.startsWith("loose-") ? name.substring("loose-".length()) : name;
        if (bare.equals("skip-slave-start") || !bare.startsWith("skip-")) {
            values.put(bare, value);
        } else {
            values.put(bare.substring("skip-".length()), "0");
        }
    }

    /// Empty if they cannot be found out: the process is gone, or the program is not there.
    static Optional<StartOptions> of(long pid) {
        try {
            byte[] raw = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "cmdline"));
            List<String> line = List.of(new String(raw, StandardCharsets.UTF_8).split("\0"));
            List<String> command = new ArrayList<>(List.of("my_print_defaults"));
            line.stream()
                    .skip(1)
                    .filter(word -> word.startsWith("--defaults-") || word.equals("--no-defaults"))
                    .forEach(command::add);
            command.add("--mysqld");
            List<String> all = new ArrayList<>(printed(command));
            all.addAll(line.subList(1, line.size()));
            return Optional.of(new StartOptions(all));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static List<String> printed(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            process.getOutputStream().close();
            byte[] all = process.getInputStream().readAllBytes();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException(command.getFirst() + " did not end well");
            }
            return new String(all, StandardCharsets.UTF_8).lines().toList();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
    }

    /// Empty if it is given nowhere.
    Optional<String> value(String name) {
        return Optional.ofNullable(values.get(name)).filter(value -> !value.isEmpty());
    }

    boolean on(String name) {
        return value(name)
                .filter(value -> value.equals("1") || value.equalsIgnoreCase("on") || value.equalsIgnoreCase("true"))
                .isPresent();
    }
}
