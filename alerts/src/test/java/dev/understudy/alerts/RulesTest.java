package dev.understudy.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.agent.metrics.HostMetrics;
import dev.understudy.alerts.Alerts.Case;
import dev.understudy.alerts.Alerts.Rule;
import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What a person who is woken by an alert relies on.
class RulesTest {

    private static final List<String> SECTIONS =
            List.of("## Meaning", "## Impact", "## Diagnose", "## Fix", "## When it is false");
    private static final Pattern OURS = Pattern.compile("\"(understudy_[a-z_]+)\"");
    private static final Pattern OF_THE_SERVER =
            Pattern.compile("mysql_(global_status|global_variables|slave_status)_\\w+");
    private static final Pattern ROW = Pattern.compile("\\b(LB|DB|DM)-\\d+\\b");
    private static final Pattern ALERT_NAMED = Pattern.compile("\\b(?:[A-Z][a-z0-9]+){2,}\\b");

    private static final List<Rule> RULES = Alerts.rules();

    @Test
    void each_alert_has_a_severity_a_summary_a_description_and_its_runbook() {
        assertThat(RULES).hasSizeGreaterThanOrEqualTo(25).allSatisfy(rule -> {
            assertThat(rule.severity()).as(rule.name()).isIn("critical", "warning", "info");
            assertThat(rule.annotations().get("summary")).as(rule.name()).isNotBlank();
            assertThat(rule.annotations().get("description")).as(rule.name()).isNotBlank();
            assertThat(rule.annotations()).containsEntry("runbook_url", "alerts/runbooks/" + rule.name() + ".md");
        });
        assertThat(RULES).extracting(Rule::name).doesNotHaveDuplicates();
    }

    @Test
    void each_runbook_belongs_to_an_alert_says_its_severity_and_has_all_sections() {
        List<Path> runbooks = Alerts.files("runbooks", ".md");
        assertThat(runbooks)
                .extracting(p -> String.valueOf(p.getFileName()))
                .containsExactlyInAnyOrderElementsOf(
                        RULES.stream().map(rule -> rule.name() + ".md").toList());
        for (Rule rule : RULES) {
            List<String> lines = Alerts.read(Path.of("runbooks", rule.name() + ".md"))
                    .lines()
                    .toList();
            assertThat(lines).as(rule.name()).startsWith("# " + rule.name(), "", "Severity " + rule.severity() + ".");
            assertThat(lines).as(rule.name()).containsSubsequence(SECTIONS);
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).startsWith("## ")) {
                    assertThat(lines.get(i + 2))
                            .as(rule.name() + " " + lines.get(i))
                            .isNotBlank();
                }
            }
        }
    }

    @Test
    void each_alert_has_a_firing_and_a_silent_case() {
        Set<Case> cases = Set.copyOf(Alerts.cases());
        for (Rule rule : RULES) {
            assertThat(cases).contains(new Case(rule.name(), true));
            // what proves that alerting works is never silent
            if (!rule.name().equals("Watchdog")) {
                assertThat(cases).contains(new Case(rule.name(), false));
            }
        }
    }

    @Test
    void each_metric_is_exposed_or_awaited_and_none_is_both() throws IOException {
        Set<String> exposed = new TreeSet<>(ours());
        for (Family family : HostMetrics.ofThisHost().read()) {
            exposed.add(family.name());
        }
        Set<String> read = RULES.stream()
                .flatMap(rule -> rule.metrics().stream())
                .filter(name -> !name.startsWith("haproxy_"))
                // named by the server itself; DashboardStory asks a real one for each
                .filter(name -> !OF_THE_SERVER.matcher(name).matches())
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> awaited = Alerts.awaiting().keySet();
        assertThat(read).allMatch(name -> awaited.contains(name) || exposed.contains(plain(name, exposed)));
        assertThat(awaited).allMatch(read::contains, "awaited metrics that no rule reads");
        assertThat(awaited).noneMatch(name -> exposed.contains(plain(name, exposed)));
        assertThat(Alerts.awaiting().values()).noneMatch(String::isBlank);
    }

    /// A timer is three series.
    private static String plain(String name, Set<String> exposed) {
        return exposed.contains(name) ? name : name.replaceFirst("_(sum|count|max)$", "");
    }

    private static Set<String> ours() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String module : List.of("agent", "controller")) {
            try (Stream<Path> sources = Files.walk(Path.of("..", module, "src", "main", "java"))) {
                for (Path source :
                        sources.filter(p -> p.toString().endsWith(".java")).toList()) {
                    Matcher matcher = OURS.matcher(Alerts.read(source));
                    while (matcher.find()) {
                        names.add(matcher.group(1));
                    }
                }
            }
        }
        return names;
    }

    @Test
    void each_row_of_the_policy_that_is_named_exists() {
        String policy = Alerts.read(Path.of("..", "docs", "policy.md"));
        Stream<String> texts = Stream.concat(
                RULES.stream().map(Rule::expression),
                Alerts.files("runbooks", ".md").stream().map(Alerts::read));
        assertThat(texts.flatMap(text -> ROW.matcher(text).results()).map(found -> "| " + found.group() + " |"))
                .isNotEmpty()
                .allMatch(policy::contains);
    }

    @Test
    void each_alert_that_inhibition_names_exists() {
        Set<String> names = RULES.stream().map(Rule::name).collect(Collectors.toSet());
        String text = Alerts.read(Path.of("alertmanager", "alertmanager.yml"))
                .lines()
                .filter(line -> line.contains("alertname"))
                .collect(Collectors.joining("\n"));
        assertThat(ALERT_NAMED.matcher(text).results().map(found -> found.group()))
                .isNotEmpty()
                .allMatch(names::contains);
    }
}
