package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Checkout;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/// docs/scenarios.md has a row for each story and no other. Figures differ from run to run and are not compared,
/// but for those that may not: no row lost, one holder.
class ScenarioDocumentTest {

    private static final Path DOCUMENT = Path.of("..", "docs", "scenarios.md");

    /// After `./verify`, `mvn -pl lab -am test -Dtest=ScenarioDocumentTest -Dscenarios.write=true` writes the
    /// document anew from what the stories left; a story that has left nothing keeps its row.
    @Test
    void theDocumentHasTheStoriesAndNothingElse() throws IOException {
        Map<String, String> faults = faults();
        if (Boolean.getBoolean("scenarios.write")) {
            var lines = new HashMap<String, String>();
            if (Files.exists(DOCUMENT)) {
                ScenarioDocument.rows(Files.readString(DOCUMENT)).forEach((story, row) -> lines.put(story, row.line()));
            }
            for (String story : faults.keySet()) {
                Scenario.read(Story.SCENARIOS, story)
                        .ifPresent(scenario -> lines.put(story, ScenarioDocument.line(scenario)));
            }
            Files.writeString(DOCUMENT, ScenarioDocument.markdown(faults, lines));
        }
        String document = Files.readString(DOCUMENT);
        Map<String, ScenarioDocument.Row> rows = ScenarioDocument.rows(document);
        var documented = new LinkedHashMap<String, String>();
        rows.forEach((story, row) -> documented.put(story, row.fault()));
        assertThat(documented).containsExactlyEntriesOf(faults);
        var lines = new HashMap<String, String>();
        rows.forEach((story, row) -> lines.put(story, row.line()));
        assertThat(document).isEqualTo(ScenarioDocument.markdown(faults, lines));
        assertThat(rows.values()).allSatisfy(row -> {
            assertThat(DOCUMENT.resolveSibling(row.file())).exists();
            assertThat(row.lost()).as(row.story()).isEqualTo("0");
            boolean keeps = row.story().startsWith(KeepStory.class.getSimpleName());
            assertThat(Integer.parseInt(row.holders())).as(row.story()).isLessThanOrEqualTo(keeps ? 2 : 1);
        });
    }

    @Test
    void aRowIsReadAsItWasWritten() {
        var scenario = new Scenario("AStory#it", "a fault", List.of("LB-22"), List.of(), 1, 2, 3, 4);
        assertThat(ScenarioDocument.rows(ScenarioDocument.line(scenario)).values())
                .singleElement()
                .satisfies(row -> {
                    assertThat(row.story()).isEqualTo("AStory#it");
                    assertThat(row.fault()).isEqualTo("a fault");
                    assertThat(row.lost()).isEqualTo("3");
                    assertThat(row.holders()).isEqualTo("4");
                    assertThat(row.file()).endsWith("/AStory.java");
                });
    }

    @Test
    void severalRunsOfOneStoryGiveTheWorstFigures() {
        var one = new Scenario("AStory#it", "f", List.of("LB-22"), List.of("moved"), 10, 1, 0, 1);
        var other = new Scenario("AStory#it", "f", List.of("LB-20", "LB-22"), List.of("moved"), 5, 7, 2, 1);
        assertThat(other.with(one))
                .isEqualTo(new Scenario("AStory#it", "f", List.of("LB-22", "LB-20"), List.of("moved"), 10, 7, 2, 1));
    }

    /// Every story with its fault, sorted by name.
    private static Map<String, String> faults() throws IOException {
        Path sources = Checkout.find().root().resolve("lab/src/test/java/dev/understudy/lab/story");
        var faults = new LinkedHashMap<String, String>();
        try (Stream<Path> files = Files.list(sources)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("Story.java"))
                    .sorted()
                    .map(name -> storyClass(name.substring(0, name.length() - ".java".length())))
                    .filter(type -> Story.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers()))
                    .flatMap(type -> Arrays.stream(type.getDeclaredMethods())
                            .filter(ScenarioDocumentTest::isStory)
                            .sorted(Comparator.comparing(Method::getName)))
                    .forEach(method -> faults.put(
                            method.getDeclaringClass().getSimpleName() + "#" + method.getName(), faultOf(method)));
        }
        assertThat(new HashSet<>(faults.values())).as("faults").hasSameSizeAs(faults.values());
        return faults;
    }

    private static Class<?> storyClass(String name) {
        try {
            return Class.forName(ScenarioDocumentTest.class.getPackageName() + "." + name);
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isStory(Method method) {
        return method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class);
    }

    private static String faultOf(Method method) {
        Fault fault = method.getAnnotation(Fault.class);
        if (fault == null || fault.value().contains("|")) {
            throw new IllegalStateException(method + " says no @Fault");
        }
        return fault.value();
    }
}
