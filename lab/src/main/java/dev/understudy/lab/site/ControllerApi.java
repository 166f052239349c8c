package dev.understudy.lab.site;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The controller's API as any client of it sees it: JSON over HTTP. Any thread; a call takes at most three seconds.
public final class ControllerApi implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(3);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final URI base;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(LIMIT).build();

    public ControllerApi(URI page) {
        this.base = page;
    }

    /// One answer of `/api/v1/state`.
    public record SiteState(JsonNode json) {

        public boolean well() {
            return json.path("well").asBoolean(false);
        }

        public List<String> problems() {
            return texts(json.path("problems"));
        }

        public List<JsonNode> resources() {
            var all = new ArrayList<JsonNode>();
            json.path("groups").forEach(group -> group.path("resources").forEach(all::add));
            return all;
        }

        public List<JsonNode> hosts() {
            var all = new ArrayList<JsonNode>();
            json.path("hosts").forEach(all::add);
            return all;
        }

        /// The host that holds the resource `group/name`, empty for nobody.
        public Optional<String> holder(String resource) {
            return resource(resource)
                    .map(node -> node.path("holder").asString(""))
                    .filter(holder -> !holder.isEmpty());
        }

        /// Whether the resource has a holder and no plan is under way.
        public boolean steady(String resource) {
            return resource(resource)
                    .map(node -> node.path("steady").asBoolean(false))
                    .orElse(false);
        }

        public long epoch(String resource) {
            return resource(resource).map(node -> node.path("epoch").asLong(0)).orElse(0L);
        }

        public List<String> ackers(String resource) {
            return resource(resource).map(node -> texts(node.path("ackers"))).orElse(List.of());
        }

        /// Members that may not follow, with the reason: `db1: 2 transactions …`.
        public List<String> quarantined(String resource) {
            var all = new ArrayList<String>();
            resource(resource)
                    .ifPresent(node -> node.path("quarantined")
                            .forEach(one -> all.add(one.path("host").asString("") + ": "
                                    + one.path("reason").asString(""))));
            return all;
        }

        /// Why a failover would wait for the old primary: ackers that may lack what they acknowledged (S15).
        public List<String> unsure(String resource) {
            return blockers(resource, "ACKER_UNSURE");
        }

        /// Why a failover of the resource would wait, or not take place, for this reason.
        public List<String> blockers(String resource, String reason) {
            var all = new ArrayList<String>();
            resource(resource)
                    .ifPresent(node -> node.path("readiness").path("blockers").forEach(one -> {
                        if (one.path("reason").asString("").equals(reason)) {
                            all.add(one.path("because").asString(""));
                        }
                    }));
            return all;
        }

        public Optional<JsonNode> resource(String name) {
            return resources().stream()
                    .filter(node -> node.path("resource").asString("").equals(name))
                    .findFirst();
        }
    }

    /// The controller refused, or did not understand.
    public static final class Refused extends RuntimeException {
        Refused(String message) {
            super(message);
        }
    }

    /// Empty while the controller does not answer or does not lead.
    public Optional<SiteState> state() {
        return get("api/v1/state").map(SiteState::new);
    }

    /// The latest events, oldest first; empty while the controller does not answer.
    public List<JsonNode> events(int limit) {
        var events = new ArrayList<JsonNode>();
        get("api/v1/events?limit=" + limit)
                .ifPresent(json -> json.path("events").forEach(events::add));
        return events;
    }

    /// The kept events after the one with this id (all for an empty id), oldest first.
    public List<JsonNode> eventsAfter(String id) {
        var events = new ArrayList<JsonNode>();
        get("api/v1/events?limit=1000" + (id.isEmpty() ? "" : "&after=" + id))
                .ifPresent(json -> json.path("events").forEach(events::add));
        return events;
    }

    /// Asks for a planned move. Returns when the controller has accepted it, long before it is done.
    ///
    /// @param to the taker, empty for the best candidate
    /// @throws Refused when it was not accepted
    public void switchover(String resource, String to) {
        post("switchover", to.isEmpty() ? Map.of("resource", resource) : Map.of("resource", resource, "to", to));
    }

    /// Asks for what stopped to be tried, and for quarantined members to be looked at, once more.
    ///
    /// @throws Refused when it was not accepted
    public void retry(String resource) {
        post("retry", Map.of("resource", resource));
    }

    /// Asks for a member's data to be replaced by a copy of another's. Returns when the controller has accepted
    /// it, long before it is done.
    ///
    /// @param rate bytes a second such as `8M`, empty for what the file says
    /// @throws Refused when it was not accepted
    public void rebuild(String group, String host, String rate) {
        Map<String, String> body = new TreeMap<>(Map.of("group", group, "host", host, "confirm", host));
        if (!rate.isEmpty()) {
            body.put("rate", rate);
        }
        post("rebuild", body);
    }

    /// Ends a rebuild before its time.
    ///
    /// @throws Refused when it was not accepted
    public void cancelRebuild(String group, String host) {
        post("rebuild", Map.of("group", group, "host", host, "cancel", "true"));
    }

    private void post(String what, Map<String, String> body) {
        HttpRequest request = HttpRequest.newBuilder(base.resolve("api/v1/" + what))
                .timeout(LIMIT)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)))
                .build();
        accepted(what + " of " + body.get("resource"), request);
    }

    private void accepted(String what, HttpRequest request) {
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() / 100 != 2) {
                throw new Refused(what + ": " + answer.body().strip());
            }
        } catch (IOException e) {
            throw new Refused(what + ": the controller does not answer: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// The specification in force, as the text that was applied.
    public String spec() {
        return text("api/v1/spec").orElseThrow(() -> new Refused("the controller has no specification"));
    }

    /// Puts another specification in force.
    ///
    /// @throws Refused when it was not accepted
    public void apply(String spec) {
        HttpRequest request = HttpRequest.newBuilder(base.resolve("api/v1/spec"))
                .timeout(LIMIT)
                .header("Content-Type", "application/yaml")
                .PUT(HttpRequest.BodyPublishers.ofString(spec))
                .build();
        accepted("the specification", request);
    }

    /// The raw answer of a path, empty unless it is 200.
    public Optional<String> text(String path) {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve(path)).timeout(LIMIT).build();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() == 200 ? Optional.of(answer.body()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }

    private Optional<JsonNode> get(String path) {
        return text(path).flatMap(text -> {
            try {
                return Optional.of(JSON.readTree(text));
            } catch (JacksonException e) {
                throw new IllegalStateException(path + " is no JSON: " + text, e);
            }
        });
    }

    private static List<String> texts(JsonNode array) {
        var all = new ArrayList<String>();
        array.forEach(node -> all.add(node.asString("")));
        return all;
    }
}
