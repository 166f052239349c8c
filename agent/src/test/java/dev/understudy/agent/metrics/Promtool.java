package dev.understudy.agent.metrics;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// `promtool check metrics` (Debian package prometheus, which `./verify` installs).
public final class Promtool {

    private Promtool() {}

    /// What it says of a metrics page, a line each; none if all is well.
    public static List<String> complaints(String page) throws IOException, InterruptedException {
        Process promtool = new ProcessBuilder("promtool", "check", "metrics")
                .redirectErrorStream(true)
                .start();
        try (var in = promtool.getOutputStream()) {
            in.write(page.getBytes(StandardCharsets.UTF_8));
        }
        String said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = promtool.waitFor();
        if (code != 0 && said.isBlank()) {
            throw new IllegalStateException("promtool ended with " + code);
        }
        return said.lines().filter(line -> !line.isBlank()).toList();
    }
}
