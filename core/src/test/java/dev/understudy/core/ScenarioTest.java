package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.policy.AddressPolicy;
import dev.understudy.core.policy.PrimaryPolicy;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Golden scenarios: text files with prose (`#`), commands (`>`) and the events that they must lead to, with their
/// times.
/// `-Dgolden.update=true` writes what the core does now; a difference is committed only when it is understood.
class ScenarioTest {

    private static final Path FOLDER = Path.of("src", "test", "resources", "scenarios");

    @TestFactory
    List<DynamicTest> scenarios() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<DynamicTest> tests = files.sorted()
                    .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)))
                    .toList();
            assertThat(tests).isNotEmpty();
            return tests;
        }
    }

    /// Every row that begins something, or that says why nothing was begun, is shown by a scenario.
    @Test
    void every_row_of_a_steady_phase_has_a_scenario() throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file : files.toList()) {
                all.append(Files.readString(file));
            }
        }
        List<String> shown = new ArrayList<>();
        AddressPolicy.TABLE.rows().stream()
                .filter(r -> r.phase() == ResourceState.AddressPhase.HELD && r.action() != AddressPolicy.Action.NONE)
                .forEach(r -> shown.add(r.id()));
        PrimaryPolicy.TABLE.rows().stream()
                .filter(r -> r.phase() == ResourceState.PrimaryPhase.HELD && r.action() != PrimaryPolicy.Action.NONE)
                .forEach(r -> shown.add(r.id()));
        assertThat(shown)
                .isNotEmpty()
                .allSatisfy(
                        id -> assertThat(all).as("a scenario with row " + id).contains("row=" + id + " "));
    }

    private static void check(Path file) throws IOException {
        List<String> script = Files.readAllLines(file);
        List<String> told = play(script);
        if (Boolean.getBoolean("golden.update")) {
            Files.write(file, told);
        }
        assertThat(told).isEqualTo(script);
    }

    /// The prose and commands of the script, each command followed by the events that it led to.
    private static List<String> play(List<String> script) {
        Mode mode = script.contains("# mode: manual")
                ? Mode.MANUAL
                : script.contains("# mode: observe") ? Mode.OBSERVE : Mode.AUTOMATIC;
        int restarts = script.stream().anyMatch(line -> line.startsWith("# restart: 2")) ? 2 : 0;
        StagedSite site = new StagedSite(StagedSite.spec(
                mode,
                new Recovery(restarts, Duration.ofSeconds(60)),
                script.contains("# with a reader address") ? StagedSite.READS : null));
        List<String> told = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String line : script) {
            if (line.startsWith("> ")) {
                told.add(line);
                site.obey(line.substring(2).strip().split(" +")).forEach(answer -> told.add("  " + answer));
                for (Event event : site.state().journaled().events()) {
                    if (seen.add(event.id() + event.at())) {
                        told.add("  " + event.at().toEpochMilli() + " ms " + event.describe());
                    }
                }
            } else if (!line.startsWith("  ")) {
                told.add(line);
            }
        }
        assertThat(site.violations).isEmpty();
        return told;
    }

    static ResourceId resource(String word) {
        return switch (word) {
            case "address" -> StagedSite.ADDRESS;
            case "reader" -> StagedSite.READER;
            default -> StagedSite.PRIMARY;
        };
    }

    static Duration duration(String word) {
        return word.endsWith("ms")
                ? Duration.ofMillis(Long.parseLong(word.substring(0, word.length() - 2)))
                : Duration.ofSeconds(Long.parseLong(word.substring(0, word.length() - 1)));
    }
}
