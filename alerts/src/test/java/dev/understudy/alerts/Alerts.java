package dev.understudy.alerts;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// What stands in the files of this module.
final class Alerts {

    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Pattern METRIC = Pattern.compile("\\b(understudy|node|mysql|haproxy)_[A-Za-z0-9_]+\\b(?!\")");

    private Alerts() {}

    /// @param expression as written
    record Rule(String name, String expression, String severity, Map<String, String> annotations) {

        /// The metrics of other programs and ours that it reads.
        Set<String> metrics() {
            Set<String> names = new TreeSet<>();
            Matcher matcher = METRIC.matcher(expression);
            while (matcher.find()) {
                names.add(matcher.group());
            }
            return names;
        }
    }

    /// One expectation of a test: that an alert fires, or that it is silent.
    record Case(String alert, boolean fires) {}

    static List<Path> files(String folder, String ending) {
        try (Stream<Path> all = Files.list(Path.of(folder))) {
            return all.filter(p -> p.toString().endsWith(ending)).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Rule> rules() {
        List<Rule> rules = new ArrayList<>();
        for (Path file : files("rules", ".yml")) {
            for (JsonNode group : YAML.readTree(read(file)).path("groups")) {
                for (JsonNode rule : group.path("rules")) {
                    Map<String, String> annotations = new TreeMap<>();
                    rule.path("annotations")
                            .properties()
                            .forEach(e ->
                                    annotations.put(e.getKey(), e.getValue().asString()));
                    rules.add(new Rule(
                            rule.path("alert").asString(),
                            rule.path("expr").asString(),
                            rule.path("labels").path("severity").asString(),
                            annotations));
                }
            }
        }
        return rules;
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (Path file : files("tests", ".yml")) {
            for (JsonNode test : YAML.readTree(read(file)).path("tests")) {
                for (JsonNode expected : test.path("alert_rule_test")) {
                    cases.add(new Case(
                            expected.path("alertname").asString(),
                            !expected.path("exp_alerts").isEmpty()));
                }
            }
        }
        return cases;
    }

    /// Metrics that nothing exposes yet, with what will bring them.
    static Map<String, String> awaiting() {
        Map<String, String> awaiting = new TreeMap<>();
        read(Path.of("awaiting.txt"))
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .forEach(line -> {
                    String[] words = line.split("\\s+", 2);
                    awaiting.put(words[0], words.length < 2 ? "" : words[1].strip());
                });
        return awaiting;
    }
}
