package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The models in `docs/formal`, checked by spin through `docs/formal/check`, once for all tests here. Needs the
/// programs `spin` and `gcc`; fails without them.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class FormalModelTest {

    private static final Path CHECK = Path.of("..", "docs", "formal", "check");

    private List<String> lines = List.of();
    private int exit = -1;

    @BeforeAll
    void check() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(CHECK.toAbsolutePath().normalize().toString())
                .redirectErrorStream(true)
                .start();
        try (var output = process.inputReader(StandardCharsets.UTF_8)) {
            lines = output.lines().toList();
        }
        exit = process.waitFor();
    }

    @AfterAll
    void show() {
        lines.forEach(System.out::println);
    }

    @Test
    void everyRunIsAsItMustBe() {
        assertThat(exit).as("docs/formal/check said: %s", lines).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"lease", "promotion"})
    void holdsInEveryState(String model) {
        assertThat(lines).anyMatch(line -> line.matches("model " + model + ": \\d{5,} states, depth \\d+, holds .*"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "S1",
                "S2",
                "S3",
                "S3_PROMISE",
                "S3_MUTE",
                "S4",
                "S4_WAIT",
                "S5",
                "S5_ADDITION",
                "S5_WAIT",
                "DRIFT",
                "S14",
                "S14_JOIN",
                "S14_LEAVE",
                "S14_LEAVE_CAUGHT_UP",
                "S20",
                "FLOOR"
            })
    void failsWithoutTheRule(String rule) {
        assertThat(lines).anyMatch(line -> line.matches("without " + rule + ": found in \\d+ steps .*"));
    }

    /// A model in which nothing ever happens holds too.
    @ParameterizedTest
    @ValueSource(strings = {"CLOSED", "CONSENT", "PROMOTION"})
    void reachesWhatMustBePossible(String event) {
        assertThat(lines).anyMatch(line -> line.matches("possible " + event + ": found in \\d+ steps .*"));
    }
}
