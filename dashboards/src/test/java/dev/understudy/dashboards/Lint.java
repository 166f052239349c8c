package dev.understudy.dashboards;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// What is wrong with a dashboard, a line each.
final class Lint {

    /// Panels that Grafana still makes: not graph, singlestat or table-old.
    private static final Set<String> TYPES = Set.of("stat", "timeseries", "state-timeline", "table", "bargauge");

    private static final String SOURCE = "${datasource}";
    private static final int COLUMNS = 24;
    private static final Pattern OVER_TIME = Pattern.compile("\\b(\\w+)\\([^\\[\\]()]*\\[([^\\]]+)\\]");
    private static final Pattern SELECTOR = Pattern.compile(
            "\\b(?:understudy|node|mysql|nginx|haproxy|jvm|process|scrape)_\\w+\\b(\\{[^}]*\\})?|\\bup\\b(\\{[^}]*\\})?");

    private final JsonNode dashboard;
    private final List<String> complaints = new ArrayList<>();

    private Lint(JsonNode dashboard) {
        this.dashboard = dashboard;
    }

    static List<String> complaints(String file, JsonNode dashboard) {
        Lint lint = new Lint(dashboard);
        lint.whole(file);
        lint.panels();
        lint.overlaps();
        return lint.complaints;
    }

    private void whole(String file) {
        expect(text(dashboard, "uid").equals("understudy-" + file), "the uid is not understudy-" + file);
        expect(!text(dashboard, "title").isBlank(), "no title");
        expect(!text(dashboard, "description").isBlank(), "no description");
        List<String> variables = new ArrayList<>();
        for (JsonNode variable : dashboard.path("templating").path("list")) {
            variables.add(text(variable, "name"));
            if (text(variable, "type").equals("query")) {
                source(variable, "variable " + text(variable, "name"));
            }
        }
        expect(
                variables.containsAll(List.of("datasource", "cluster", "instance")),
                "of the variables datasource, cluster and instance there are only " + variables);
        for (JsonNode annotation : dashboard.path("annotations").path("list")) {
            source(annotation, "annotation " + text(annotation, "name"));
        }
        expect(!dashboard.path("annotations").path("list").isEmpty(), "no annotation");
        List<String> links = new ArrayList<>();
        dashboard.path("links").forEach(link -> links.add(text(link, "type") + " " + text(link, "title")));
        expect(links.equals(List.of("dashboards Understudy", "link Console")), "the links are " + links);
    }

    private void panels() {
        Set<Integer> ids = new HashSet<>();
        Set<String> titles = new HashSet<>();
        for (JsonNode panel : dashboard.path("panels")) {
            expect(ids.add(panel.path("id").asInt(0)), "the id " + panel.path("id") + " twice");
            expect(!text(panel, "title").isBlank(), "a panel without a title");
        }
        for (JsonNode panel : Dashboards.panels(dashboard)) {
            String title = text(panel, "title");
            expect(titles.add(text(panel, "type") + title), title + ": twice");
            expect(TYPES.contains(text(panel, "type")), title + ": a panel of type " + text(panel, "type"));
            expect(!text(panel, "description").isBlank(), title + ": no description");
            expect(!text(panel.path("fieldConfig").path("defaults"), "unit").isBlank(), title + ": no unit");
            source(panel, title);
            expect(!panel.path("targets").isEmpty(), title + ": asks nothing");
            for (JsonNode target : panel.path("targets")) {
                source(target, title);
                expression(title, text(target, "expr"));
            }
        }
    }

    private void expression(String title, String expression) {
        Matcher over = OVER_TIME.matcher(expression);
        while (over.find()) {
            Set<String> spans =
                    over.group(1).equals("rate") ? Set.of("$__rate_interval") : Set.of("$__rate_interval", "$__range");
            expect(spans.contains(over.group(2)), title + ": " + over.group(1) + " over " + over.group(2));
        }
        boolean first = true;
        Matcher selector = SELECTOR.matcher(expression);
        while (selector.find()) {
            // what is joined to the first may leave it out: it is matched by the labels of that
            expect(
                    !first || selector.group().contains("cluster=\"$cluster\""),
                    title + ": of any cluster: " + selector.group());
            first = false;
        }
        expect(!first || expression.contains("cluster=~\"$cluster|\""), title + ": of any cluster: " + expression);
    }

    private void overlaps() {
        List<JsonNode> all = new ArrayList<>();
        dashboard.path("panels").forEach(all::add);
        for (int i = 0; i < all.size(); i++) {
            JsonNode one = all.get(i).path("gridPos");
            expect(
                    one.path("w").asInt(0) > 0
                            && one.path("h").asInt(0) > 0
                            && one.path("x").asInt(-1) >= 0
                            && one.path("x").asInt(0) + one.path("w").asInt(0) <= COLUMNS,
                    text(all.get(i), "title") + ": off the grid");
            for (int k = i + 1; k < all.size(); k++) {
                expect(
                        !overlap(one, all.get(k).path("gridPos")),
                        text(all.get(i), "title") + " and " + text(all.get(k), "title") + " overlap");
            }
        }
    }

    private static boolean overlap(JsonNode one, JsonNode other) {
        return shared(one, other, "x", "w") && shared(one, other, "y", "h");
    }

    /// Whether they share some of that dimension.
    private static boolean shared(JsonNode one, JsonNode other, String from, String length) {
        int a = one.path(from).asInt(0);
        int b = other.path(from).asInt(0);
        return a < b + other.path(length).asInt(0) && b < a + one.path(length).asInt(0);
    }

    private void source(JsonNode node, String where) {
        expect(
                text(node.path("datasource"), "uid").equals(SOURCE)
                        && text(node.path("datasource"), "type").equals("prometheus"),
                where + ": another data source than the variable");
    }

    private static String text(JsonNode node, String key) {
        return node.path(key).asString("");
    }

    private void expect(boolean so, String otherwise) {
        if (!so) {
            complaints.add(otherwise);
        }
    }
}
