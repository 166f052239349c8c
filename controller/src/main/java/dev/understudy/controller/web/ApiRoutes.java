package dev.understudy.controller.web;

import dev.understudy.controller.api.Api;
import dev.understudy.controller.api.ApiJson;
import dev.understudy.controller.api.PrometheusTargets;
import dev.understudy.controller.api.SiteView;
import dev.understudy.controller.config.ClusterFile;
import dev.understudy.controller.loop.ControllerLoop;
import dev.understudy.controller.loop.Ticking;
import dev.understudy.controller.loop.View;
import dev.understudy.core.Decision.Answer;
import dev.understudy.core.Event;
import dev.understudy.core.Journaled;
import dev.understudy.core.OperatorRequest;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.metrics.Metrics;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The API under `/api/v1`, metrics, Prometheus' targets and health. Handlers run on virtual threads and may wait for
/// the loop's answer.
final class ApiRoutes {

    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final int DEFAULT_EVENTS = 50;
    private static final int MOST_PORT = 65535;

    /// Set on a request whose answer is complete, whatever its status.
    static final String ANSWERED = "answered";

    /// A view older than this means that the loop hangs.
    private static final Duration STALE = Duration.ofSeconds(10);

    /// What was asked for cannot be answered: a status and one line.
    static final class Refused extends RuntimeException {
        private final int status;
        private final List<String> lines;

        Refused(int status, String... lines) {
            super(lines[0]);
            this.status = status;
            this.lines = List.of(lines);
        }

        int status() {
            return status;
        }

        /// One line, and all of them where there are several.
        Map<String, Object> problem() {
            return lines.size() > 1
                    ? Map.of("error", lines.getFirst(), "errors", lines)
                    : Map.of("error", lines.getFirst());
        }
    }

    private final ControllerLoop loop;
    private final String controller;
    private final Ticking clock;
    private final Metrics metrics;

    ApiRoutes(ControllerLoop loop, String controller, Ticking clock, Metrics metrics) {
        this.loop = loop;
        this.controller = controller;
        this.clock = clock;
        this.metrics = metrics;
    }

    void configure(RoutesConfig routes) {
        routes.get("/api/v1/state", context -> json(context, 200, site()));
        routes.get("/api/v1/events", this::events);
        routes.get("/api/v1/events/{id}", context -> json(context, 200, explained(context.pathParam("id"))));
        routes.get("/api/v1/spec", this::spec);
        routes.put("/api/v1/spec", this::apply);
        routes.post("/api/v1/switchover", this::switchover);
        routes.post("/api/v1/retry", this::retry);
        routes.get(
                "/api/v1/diverged/{group}/{host}",
                context -> json(context, 200, diverged(context.pathParam("group"), context.pathParam("host"))));
        new OperatorRoutes(this).configure(routes);
        routes.get(
                "/metrics", context -> context.contentType(Metrics.CONTENT_TYPE).result(metrics.scrape()));
        routes.get("/prometheus/targets", this::targets);
        routes.get("/healthz", this::health);
    }

    static void json(Context context, int status, Object body) {
        context.attribute(ANSWERED, true);
        context.status(status)
                .contentType("application/json; charset=utf-8")
                .result(ApiJson.compact().writeValueAsString(body) + "\n");
    }

    Api.Site site() {
        return SiteView.of(view().state(), controller, clock.now());
    }

    View view() {
        return loop.view().orElseThrow(() -> new Refused(503, "this controller does not lead yet"));
    }

    /// The latest events, oldest first.
    List<Event> latest(int limit, @Nullable String resource, @Nullable String after) {
        long from = after == null ? 0 : number(after);
        List<Event> events = view().state().journaled().events().stream()
                .filter(e -> number(e.id()) > from)
                .filter(e -> resource == null || concerns(e, resource))
                .toList();
        return events.subList(Math.max(0, events.size() - limit), events.size());
    }

    private static boolean concerns(Event event, String resource) {
        ResourceId id = event.resource();
        return id != null && (id.toString().equals(resource) || id.group().equals(resource));
    }

    Api.Explained explained(String id) {
        List<Event> events = view().state().journaled().events();
        Event event = events.stream()
                .filter(e -> e.id().equalsIgnoreCase(id))
                .findFirst()
                .orElseThrow(() -> new Refused(
                        404, "there is no event '" + id + "' (kept are the latest " + Journaled.MAX_EVENTS + ")"));
        List<Event> steps = event.plan().isEmpty()
                ? List.of()
                : events.stream().filter(e -> e.plan().equals(event.plan())).toList();
        return new Api.Explained(event, steps);
    }

    /// Asks the host's agent.
    Api.Diverged diverged(String group, String host) {
        ClusterSpec spec = view().state().journaled().spec();
        boolean member = spec != null
                && spec.group(group)
                        .filter(ClusterSpec.DatabaseGroup.class::isInstance)
                        .map(g -> g.members().contains(host))
                        .orElse(false);
        if (!member) {
            throw new Refused(404, host + " is no member of a database group '" + group + "'");
        }
        AgentMessage.Diverged told;
        try {
            told = loop.diverged(host, group).get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new Refused(504, "the agent of " + host + " has not answered within " + ANSWER.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw new Refused(
                    409, String.valueOf(e.getCause() == null ? e : e.getCause().getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refused(503, "the controller stops");
        }
        if (told.file().isEmpty()) {
            throw new Refused(404, host + " has decoded no transactions of its own for " + group);
        }
        return new Api.Diverged(group, host, told.file(), told.gtids(), told.text(), told.cut());
    }

    private void events(Context context) {
        int limit = number(context, "limit", DEFAULT_EVENTS, Journaled.MAX_EVENTS);
        String after = context.queryParam("after");
        if (after != null && !after.matches("[Ee]\\d{1,18}")) {
            throw new Refused(400, "after is an event id such as E12, not '" + after + "'");
        }
        json(context, 200, new Api.Events(latest(limit, context.queryParam("resource"), after)));
    }

    /// Prometheus keeps the targets that it has when it gets anything but 200.
    private void targets(Context context) {
        String address = context.host();
        json(
                context,
                200,
                PrometheusTargets.of(
                        specified().state().spec(),
                        controller,
                        address == null ? "" : address,
                        number(context, "agent_port", PrometheusTargets.AGENT_PORT, MOST_PORT),
                        number(context, "haproxy_port", 0, MOST_PORT)));
    }

    private View specified() {
        View view = view();
        if (view.state().journaled().spec() == null) {
            throw new Refused(404, "there is no cluster specification yet");
        }
        return view;
    }

    private void spec(Context context) {
        Journaled journaled = specified().state().journaled();
        context.contentType("application/yaml; charset=utf-8").result(journaled.specText());
    }

    private void apply(Context context) {
        String name = context.queryParam("name");
        String text = context.body();
        switch (ClusterFile.parse(name == null ? "cluster.yml" : name, text)) {
            case ClusterFile.Result.Bad bad ->
                throw new Refused(400, bad.lines().toArray(String[]::new));
            case ClusterFile.Result.Good good ->
                answer(context, null, ask(context, new OperatorRequest.Apply(good.spec(), text)));
        }
    }

    private void switchover(Context context) {
        JsonNode body = body(context, List.of("resource", "to"));
        ResourceId id = resource(text(body, "resource"));
        String to = body.hasNonNull("to") ? text(body, "to") : null;
        answer(context, id, ask(context, new OperatorRequest.Switchover(id, to)));
    }

    private void retry(Context context) {
        ResourceId id = resource(text(body(context, List.of("resource")), "resource"));
        answer(context, id, ask(context, new OperatorRequest.Retry(id)));
    }

    static void answer(Context context, @Nullable ResourceId id, Answer answer) {
        if (!answer.accepted()) {
            throw new Refused(409, answer.text());
        }
        String resource = id == null ? null : id.toString();
        json(context, 202, new Api.Accepted(true, answer.text(), resource, answer.event()));
    }

    Answer ask(Context context, OperatorRequest request) {
        return ask(context, "", request);
    }

    /// @param by who the caller says to be, empty for no word
    Answer ask(Context context, String by, OperatorRequest request) {
        String who = by.isEmpty() ? "api " + context.ip() : by + " (" + context.ip() + ")";
        try {
            return loop.ask(who, request).get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            throw new Refused(503, "no answer within " + ANSWER.toSeconds() + " s: look at the events");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refused(503, "the controller stops");
        }
    }

    /// `group/name`, a database group for its primary, or another group with exactly one resource.
    ResourceId resource(String text) {
        ClusterSpec spec = view().state().journaled().spec();
        if (spec == null) {
            throw new Refused(409, "there is no cluster specification yet");
        }
        List<ResourceId> all = spec.resources();
        List<ResourceId> meant = all.stream()
                .filter(id -> id.toString().equals(text)
                        || (id.group().equals(text) && (id.isPrimary() || !all.contains(ResourceId.primary(text)))))
                .toList();
        if (meant.size() == 1) {
            return meant.getFirst();
        }
        throw meant.isEmpty()
                ? new Refused(404, "there is no resource '" + text + "' (there are: " + join(all) + ")")
                : new Refused(400, "group " + text + " has " + meant.size() + " resources, name one: " + join(meant));
    }

    private static String join(List<ResourceId> ids) {
        return String.join(", ", ids.stream().map(ResourceId::toString).toList());
    }

    /// JSON only: a form on a foreign page cannot send that content type.
    static JsonNode body(Context context, List<String> known) {
        String contentType = context.contentType();
        if (contentType == null || !contentType.startsWith("application/json")) {
            throw new Refused(415, "expected content type application/json");
        }
        try {
            JsonNode body = ApiJson.compact().readTree(context.body());
            if (!body.isObject() || !known.containsAll(body.propertyNames())) {
                throw new Refused(400, "expected a JSON object with " + String.join(", ", known));
            }
            return body;
        } catch (JacksonException e) {
            throw new Refused(
                    400,
                    "not JSON: " + e.getOriginalMessage().lines().findFirst().orElse("malformed"));
        }
    }

    static String text(JsonNode body, String key) {
        if (!body.path(key).isString()) {
            throw new Refused(400, "'" + key + "' is missing: expected a text");
        }
        return body.path(key).stringValue();
    }

    private void health(Context context) {
        View view = view();
        if (clock.now().mono().since(view.at().mono()).compareTo(STALE) > 0) {
            throw new Refused(503, "the loop does not run");
        }
        json(context, 200, new Health("ok", view.state().leading()));
    }

    record Health(String status, boolean leading) {}

    static int number(Context context, String key, int otherwise, int most) {
        String text = context.queryParam(key);
        if (text == null) {
            return otherwise;
        }
        if (!text.matches("[1-9]\\d{0,5}")) {
            throw new Refused(400, key + " is a number from 1 to " + most + ", not '" + text + "'");
        }
        return Math.min(Integer.parseInt(text), most);
    }

    private static long number(String eventId) {
        return Long.parseLong(eventId.substring(1));
    }
}
