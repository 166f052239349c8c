package dev.understudy.lab.command;

import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.ControllerApi.SiteState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// The site's state in the terminal: drawn over itself on a real one, otherwise a line whenever something changed.
final class LiveView {

    private static final int EVENTS = 8;

    private final ControllerApi api;
    private final boolean terminal;
    private int drawn;
    private String before = "";

    LiveView(ControllerApi api, boolean terminal) {
        this.api = api;
        this.terminal = terminal;
    }

    void refresh() {
        Optional<SiteState> state = api.state();
        if (terminal) {
            draw(state.map(this::picture).orElse(List.of("the controller does not answer")));
            return;
        }
        String line = state.map(LiveView::summary).orElse("the controller does not answer");
        if (!line.equals(before)) {
            UpCommand.say(line);
            before = line;
        }
    }

    private void draw(List<String> lines) {
        var text = new StringBuilder();
        if (drawn > 0) {
            text.append("\u001b[").append(drawn).append("A\u001b[J");
        }
        lines.forEach(line ->
                text.append(line.length() > 150 ? line.substring(0, 150) : line).append('\n'));
        System.out.print(text);
        System.out.flush();
        drawn = lines.size();
    }

    private List<String> picture(SiteState state) {
        var lines = new ArrayList<String>();
        lines.add("");
        for (JsonNode resource : state.resources()) {
            lines.add("%-20s held by %-5s epoch %-4d %s%s"
                    .formatted(
                            resource.path("resource").asString(""),
                            resource.path("holder").asString("nobody"),
                            resource.path("epoch").asLong(0),
                            resource.path("phase").asString(""),
                            resource.path("alone").asBoolean(false) ? ", alone" : ""));
        }
        for (JsonNode host : state.hosts()) {
            String sees = "";
            for (JsonNode sight : host.path("sees")) {
                sees = sees.isEmpty() ? sight.path("text").asString("") : sees;
            }
            lines.add("%-6s %-8s %s"
                    .formatted(
                            host.path("host").asString(""), host.path("health").asString(""), sees));
        }
        lines.add(state.well() ? "well" : "NOT WELL: " + String.join("; ", state.problems()));
        for (JsonNode event : api.events(EVENTS)) {
            lines.add("%-5s %s %s"
                    .formatted(
                            event.path("id").asString(""),
                            event.path("row").asString(""),
                            event.path("text").asString("")));
        }
        return lines;
    }

    private static String summary(SiteState state) {
        String holders = state.resources().stream()
                .map(node -> node.path("resource").asString("") + " held by "
                        + node.path("holder").asString("nobody") + " ("
                        + node.path("phase").asString("") + ")")
                .collect(Collectors.joining(", "));
        return holders + (state.well() ? ": well" : ": NOT WELL: " + String.join("; ", state.problems()));
    }
}
