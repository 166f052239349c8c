package dev.understudy.controller.web;

import dev.understudy.controller.config.ClusterFile;
import dev.understudy.controller.config.Lengths;
import dev.understudy.controller.config.ModeEdit;
import dev.understudy.controller.config.Rates;
import dev.understudy.controller.web.ApiRoutes.Refused;
import dev.understudy.core.Journaled;
import dev.understudy.core.OperatorRequest;
import dev.understudy.core.Rebuild;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ResourceId;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What operators say that stays in force, and what they have to say twice. Each body may carry `by`, who the caller
/// says to be; what cannot be taken back carries `confirm`, the name that the caller typed.
final class OperatorRoutes {

    private static final int MOST_TEXT = 200;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final ApiRoutes api;

    OperatorRoutes(ApiRoutes api) {
        this.api = api;
    }

    void configure(RoutesConfig routes) {
        routes.post("/api/v1/failover", this::failover);
        routes.post("/api/v1/pause", this::pause);
        routes.post("/api/v1/resume", this::resume);
        routes.post("/api/v1/maintenance", this::maintenance);
        routes.post("/api/v1/mode", this::mode);
        routes.post("/api/v1/detach", this::detach);
        routes.post("/api/v1/fenced", this::fenced);
        routes.post("/api/v1/rebuild", this::rebuild);
    }

    private void failover(Context context) {
        JsonNode body = body(context, "resource", "to", "accept");
        ResourceId id = api.resource(ApiRoutes.text(body, "resource"));
        String words = orNull(body, "accept");
        if (words != null) {
            ask(context, id, body, new OperatorRequest.AcceptLoss(id, words));
            return;
        }
        ask(context, id, body, new OperatorRequest.Failover(id, orNull(body, "to")));
    }

    private void pause(Context context) {
        JsonNode body = body(context, "group", "for", "reason");
        Duration length = length(ApiRoutes.text(body, "for"));
        ask(context, null, body, new OperatorRequest.Pause(group(body), length, orEmpty(body, "reason")));
    }

    private void resume(Context context) {
        JsonNode body = body(context, "group");
        ask(context, null, body, new OperatorRequest.Resume(group(body)));
    }

    private void maintenance(Context context) {
        JsonNode body = body(context, "host", "state", "for", "reason");
        String state = ApiRoutes.text(body, "state");
        if (!state.equals("on") && !state.equals("off")) {
            throw new Refused(400, "state is on or off, not '" + state + "'");
        }
        String length = orNull(body, "for");
        ask(
                context,
                null,
                body,
                new OperatorRequest.Maintenance(
                        host(body),
                        state.equals("on"),
                        length == null ? null : length(length),
                        orEmpty(body, "reason")));
    }

    private void mode(Context context) {
        JsonNode body = body(context, "group", "mode");
        Journaled journaled = api.view().state().journaled();
        String group = ApiRoutes.text(body, "group");
        ClusterSpec spec = spec();
        if (spec.group(group).isEmpty()) {
            throw noGroup(group);
        }
        String word = ApiRoutes.text(body, "mode");
        Mode mode = Stream.of(Mode.values())
                .filter(m -> m.name().toLowerCase(Locale.ROOT).equals(word))
                .findFirst()
                .orElseThrow(() -> new Refused(400, "mode is observe, manual or automatic, not '" + word + "'"));
        String text = ModeEdit.withMode(journaled.specText(), group, mode)
                .orElseThrow(() -> new Refused(409, "the file in force cannot be edited here: change it and apply it"));
        ClusterSpec expected = spec.withMode(group, mode);
        if (!(ClusterFile.parse("cluster.yml", text) instanceof ClusterFile.Result.Good good)
                || !good.spec().equals(expected)) {
            throw new Refused(409, "the file in force cannot be edited here: change it and apply it");
        }
        ask(context, null, body, new OperatorRequest.SetMode(group, mode, expected, text));
    }

    private void detach(Context context) {
        JsonNode body = body(context, "group", "confirm");
        String group = group(body);
        List<String> named = group != null
                ? List.of(group)
                : spec().groups().stream()
                        .filter(g -> g.mode() != Mode.OBSERVE
                                && !spec().resourcesOf(g).isEmpty())
                        .map(ClusterSpec.Group::name)
                        .toList();
        confirm(body, spec().cluster(), "the cluster");
        if (named.isEmpty()) {
            throw new Refused(409, "no group holds anything under a lease");
        }
        // one group at a time: the first refusal ends it, and says what went before
        for (String one : named.subList(0, named.size() - 1)) {
            var answer = api.ask(context, orEmpty(body, "by"), new OperatorRequest.Detach(one));
            if (!answer.accepted()) {
                throw new Refused(409, answer.text());
            }
        }
        ask(context, null, body, new OperatorRequest.Detach(named.getLast()));
    }

    private void fenced(Context context) {
        JsonNode body = body(context, "host", "confirm");
        String host = host(body);
        confirm(body, host, "the host");
        ask(context, null, body, new OperatorRequest.Fenced(host));
    }

    private void rebuild(Context context) {
        JsonNode body = body(context, "group", "host", "from", "rate", "confirm", "cancel");
        String group = ApiRoutes.text(body, "group");
        if (!(spec().group(group).orElse(null) instanceof ClusterSpec.DatabaseGroup)) {
            throw noGroup(group);
        }
        String host = host(body);
        ResourceId id = ResourceId.primary(group);
        if ("true".equals(orNull(body, "cancel"))) {
            ask(context, id, body, new OperatorRequest.CancelRebuild(id, host));
            return;
        }
        confirm(body, host, "the host");
        String rate = orNull(body, "rate");
        Long bytesPerSecond = rate == null
                ? null
                : Rates.parse(rate).orElseThrow(() -> new Refused(400, "'" + rate + "' is not " + Rates.EXPECTED));
        ask(context, id, body, new OperatorRequest.Rebuild(id, host, orNull(body, "from"), bytesPerSecond, tokens()));
    }

    /// One secret for each attempt.
    private static List<String> tokens() {
        return Stream.generate(() -> {
                    byte[] token = new byte[32];
                    RANDOM.nextBytes(token);
                    return HexFormat.of().formatHex(token);
                })
                .limit(Rebuild.ATTEMPTS)
                .toList();
    }

    private void ask(Context context, @Nullable ResourceId id, JsonNode body, OperatorRequest request) {
        ApiRoutes.answer(context, id, api.ask(context, orEmpty(body, "by"), request));
    }

    private static void confirm(JsonNode body, String name, String what) {
        if (!name.equals(orEmpty(body, "confirm"))) {
            throw new Refused(400, "'confirm' must be the name of " + what + ": this cannot be taken back");
        }
    }

    private ClusterSpec spec() {
        ClusterSpec spec = api.view().state().journaled().spec();
        if (spec == null) {
            throw new Refused(409, "there is no cluster specification yet");
        }
        return spec;
    }

    private @Nullable String group(JsonNode body) {
        String group = orNull(body, "group");
        if (group != null && spec().group(group).isEmpty()) {
            throw noGroup(group);
        }
        return group;
    }

    private Refused noGroup(String group) {
        return new Refused(
                404,
                "there is no group '" + group + "' (there are: "
                        + String.join(
                                ", ",
                                spec().groups().stream()
                                        .map(ClusterSpec.Group::name)
                                        .toList()) + ")");
    }

    private String host(JsonNode body) {
        String host = ApiRoutes.text(body, "host");
        if (spec().host(host).isEmpty()) {
            throw new Refused(
                    404,
                    "there is no host '" + host + "' (there are: "
                            + String.join(
                                    ", ",
                                    spec().hosts().stream()
                                            .map(ClusterSpec.Host::name)
                                            .toList()) + ")");
        }
        return host;
    }

    private static Duration length(String text) {
        return Lengths.parse(text).orElseThrow(() -> new Refused(400, "'" + text + "' is not " + Lengths.EXPECTED));
    }

    private static JsonNode body(Context context, String... known) {
        return ApiRoutes.body(
                context, Stream.concat(Stream.of(known), Stream.of("by")).toList());
    }

    private static String orEmpty(JsonNode body, String key) {
        String text = orNull(body, key);
        return text == null ? "" : text;
    }

    /// One line, since it goes into logs and journals.
    private static @Nullable String orNull(JsonNode body, String key) {
        if (!body.hasNonNull(key)) {
            return null;
        }
        String text = ApiRoutes.text(body, key).strip();
        if (text.length() > MOST_TEXT || text.chars().anyMatch(Character::isISOControl)) {
            throw new Refused(400, "'" + key + "' is one line of at most " + MOST_TEXT + " characters");
        }
        return text;
    }
}
