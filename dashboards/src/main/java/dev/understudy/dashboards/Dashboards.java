package dev.understudy.dashboards;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The dashboards of a checkout, and everything that they ask of Prometheus.
public final class Dashboards {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Dashboards() {}

    /// One query of a panel, a variable or an annotation, as it stands in the file.
    ///
    /// @param owner the panel's title, or `variable NAME`, `annotation NAME`
    /// @param range asked over a span of time, not at one moment
    public record Query(String dashboard, String owner, String expression, boolean range) {}

    /// A panel that may have no data.
    ///
    /// @param when `awaiting` or `before`
    public record Empty(String dashboard, String owner, String when, String reason) {}

    /// By the names of their files.
    ///
    /// @param folder `dashboards/` of the checkout
    public static Map<String, JsonNode> all(Path folder) {
        Map<String, JsonNode> all = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder.resolve("grafana"))) {
            for (Path file : files.sorted().toList()) {
                String name = String.valueOf(file.getFileName());
                all.put(name.replaceFirst("\\.json$", ""), JSON.readTree(Files.readString(file)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    /// The panels of a dashboard, rows left out.
    public static List<JsonNode> panels(JsonNode dashboard) {
        List<JsonNode> panels = new ArrayList<>();
        for (JsonNode panel : dashboard.path("panels")) {
            if (!panel.path("type").asString("").equals("row")) {
                panels.add(panel);
            }
        }
        return panels;
    }

    /// Every query of every dashboard.
    public static List<Query> queries(Path folder) {
        List<Query> all = new ArrayList<>();
        all(folder).forEach((name, dashboard) -> {
            for (JsonNode panel : panels(dashboard)) {
                for (JsonNode target : panel.path("targets")) {
                    all.add(new Query(
                            name,
                            panel.path("title").asString(""),
                            target.path("expr").asString(""),
                            target.path("range").asBoolean(true)));
                }
            }
            for (JsonNode variable : dashboard.path("templating").path("list")) {
                if (variable.path("type").asString("").equals("query")) {
                    all.add(new Query(
                            name,
                            "variable " + variable.path("name").asString(""),
                            variable.path("query").path("query").asString(""),
                            false));
                }
            }
            for (JsonNode annotation : dashboard.path("annotations").path("list")) {
                all.add(new Query(
                        name,
                        "annotation " + annotation.path("name").asString(""),
                        annotation.path("expr").asString(""),
                        true));
            }
        });
        return all;
    }

    /// What `empty.txt` says.
    public static List<Empty> mayBeEmpty(Path folder) {
        try {
            return Files.readString(folder.resolve("empty.txt"))
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line -> line.split("\\s*\\|\\s*", 4))
                    .map(words -> new Empty(words[0].strip(), words[1], words[2], words[3].strip()))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
