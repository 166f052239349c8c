package dev.understudy.dashboards;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.dashboards.Dashboards.Empty;
import dev.understudy.dashboards.Dashboards.Query;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// What makes a dashboard load with zero edits and be of use. Whether its queries find anything is asked of a real
/// Prometheus in the lab (DashboardStory); types are checked by TypeScript (TypesTest).
class DashboardsTest {

    private static final Path HERE = Path.of("");
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Map<String, JsonNode> ALL = Dashboards.all(HERE);

    @Test
    void there_is_one_for_each_part_of_the_site_and_nothing_else_in_the_folder() throws IOException {
        assertThat(ALL.keySet())
                .containsExactly("balancers", "databases", "failovers", "hosts", "itself", "site", "web");
        try (Stream<Path> files = Files.list(Path.of("grafana"))) {
            assertThat(files)
                    .allMatch(file -> file.toString().endsWith(".json"))
                    .hasSameSizeAs(ALL.keySet());
        }
        assertThat(ALL.values().stream()
                        .mapToInt(d -> Dashboards.panels(d).size())
                        .sum())
                .isGreaterThanOrEqualTo(60);
    }

    @Test
    void nothing_is_wrong_with_any() {
        ALL.forEach((file, dashboard) ->
                assertThat(Lint.complaints(file, dashboard)).as(file).isEmpty());
    }

    @Test
    void verdicts_come_first() {
        JsonNode site = dashboard("site");
        assertThat(Dashboards.panels(site).getFirst().path("title").asString(""))
                .isEqualTo("Site");
        List<String> types = Dashboards.panels(site).stream()
                .map(p -> p.path("type").asString(""))
                .distinct()
                .toList();
        assertThat(types).containsExactly("stat", "state-timeline", "timeseries");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void each_mistake_is_found(String complaint, Consumer<ObjectNode> mistake) {
        ObjectNode dashboard = (ObjectNode) dashboard("site").deepCopy();
        mistake.accept(dashboard);
        assertThat(Lint.complaints("site", dashboard)).anyMatch(line -> line.contains(complaint));
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake("the uid is not", d -> d.put("uid", "other")),
                mistake("no description", d -> panel(d).put("description", " ")),
                mistake("without a title", d -> panel(d).put("title", "")),
                mistake(
                        "no unit",
                        d -> ((ObjectNode) panel(d).path("fieldConfig").path("defaults")).remove("unit")),
                mistake("of type graph", d -> panel(d).put("type", "graph")),
                mistake("another data source", d -> ((ObjectNode) panel(d).path("datasource")).put("uid", "mine")),
                mistake("another data source", d -> ((ObjectNode) target(d).path("datasource")).put("uid", "mine")),
                mistake("rate over 5m", d -> target(d).put("expr", "rate(up{cluster=\"$cluster\"}[5m])")),
                mistake("of any cluster", d -> target(d).put("expr", "understudy_site_well")),
                mistake("overlap", d -> ((ObjectNode) panel(d).path("gridPos")).put("x", 1)),
                mistake("off the grid", d -> ((ObjectNode) panel(d).path("gridPos")).put("w", 25)),
                mistake("twice", d -> panel(d).put("id", 1)),
                mistake("the links are", d -> d.putArray("links")),
                mistake("of the variables", d -> ((ObjectNode) d.path("templating")).putArray("list")),
                mistake("no annotation", d -> ((ObjectNode) d.path("annotations")).putArray("list")));
    }

    @Test
    void each_panel_that_may_be_empty_exists_and_says_why() {
        List<Query> queries = Dashboards.queries(HERE);
        assertThat(Dashboards.mayBeEmpty(HERE)).isNotEmpty().allSatisfy(empty -> {
            assertThat(queries)
                    .anyMatch(q ->
                            q.dashboard().equals(empty.dashboard()) && q.owner().equals(empty.owner()));
            assertThat(empty.when()).isIn("awaiting", "before");
            assertThat(empty.reason()).isNotBlank();
        });
        assertThat(Dashboards.mayBeEmpty(HERE).stream().map(Empty::owner)).doesNotHaveDuplicates();
    }

    @Test
    void what_is_provisioned_is_what_the_dashboards_expect() throws IOException {
        JsonNode source = YAML.readTree(Files.readString(Path.of("provisioning/datasources/understudy.yml")))
                .path("datasources")
                .path(0);
        assertThat(source.path("uid").asString("")).isEqualTo("understudy-prometheus");
        assertThat(source.path("type").asString("")).isEqualTo("prometheus");
        String scraped = YAML.readTree(Files.readString(Path.of("../alerts/prometheus/prometheus.yml")))
                .path("global")
                .path("scrape_interval")
                .asString("");
        assertThat(source.path("jsonData").path("timeInterval").asString("")).isEqualTo(scraped);
        JsonNode provider = YAML.readTree(Files.readString(Path.of("provisioning/dashboards/understudy.yml")))
                .path("providers")
                .path(0);
        assertThat(provider.path("folder").asString("")).isEqualTo("Understudy");
    }

    private static JsonNode dashboard(String file) {
        return Objects.requireNonNull(ALL.get(file));
    }

    private static Arguments mistake(String complaint, Consumer<ObjectNode> mistake) {
        return Arguments.of(complaint, mistake);
    }

    private static ObjectNode panel(ObjectNode dashboard) {
        return (ObjectNode) Dashboards.panels(dashboard).getFirst();
    }

    private static ObjectNode target(ObjectNode dashboard) {
        return (ObjectNode) panel(dashboard).path("targets").path(0);
    }
}
