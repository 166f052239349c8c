package dev.understudy.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Runs promtool and amtool, which `./verify` installs (Debian packages prometheus and prometheus-alertmanager).
final class Tool {

    private Tool() {}

    /// Its output; fails unless it ends with 0.
    static String run(List<String> command, List<String> more) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(command);
        all.addAll(more);
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    static String run(String... command) throws IOException, InterruptedException {
        return run(List.of(command), List.of());
    }
}
