package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import dev.understudy.controller.api.ApiJson;
import dev.understudy.wire.http.HttpClients;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The API as the CLI uses it. Every call either answers or throws a [CliFailure] with the right exit code.
final class ControllerClient implements AutoCloseable {

    private static final Duration CALL = Duration.ofSeconds(15);
    private static final MediaType JSON = MediaType.get("application/json");
    private static final MediaType YAML = MediaType.get("application/yaml");

    private final HttpUrl base;
    private final OkHttpClient client = HttpClients.requests(CALL);

    ControllerClient(String url) {
        HttpUrl parsed = HttpUrl.parse(url.contains("://") ? url : "http://" + url);
        if (parsed == null) {
            throw new CliFailure(CliFailure.BAD_INPUT, "'" + url + "' is not a URL such as http://127.0.0.1:7440");
        }
        this.base = parsed;
    }

    Api.Site site() {
        return get(Api.Site.class, url("state"));
    }

    /// Oldest first.
    Api.Events events(int limit, Map<String, String> query) {
        HttpUrl.Builder url = url("events").newBuilder().addQueryParameter("limit", Integer.toString(limit));
        query.forEach(url::addQueryParameter);
        return get(Api.Events.class, url.build());
    }

    Api.Explained explain(String id) {
        return get(
                Api.Explained.class,
                url("events").newBuilder().addPathSegment(id).build());
    }

    Api.Diverged diverged(String group, String host) {
        return get(
                Api.Diverged.class,
                url("diverged")
                        .newBuilder()
                        .addPathSegment(group)
                        .addPathSegment(host)
                        .build());
    }

    Api.Incidents incidents() {
        return get(Api.Incidents.class, url("incidents"));
    }

    Api.Accepted post(String what, Map<String, String> body) {
        RequestBody json = RequestBody.create(ApiJson.compact().writeValueAsBytes(body), JSON);
        return call(
                Api.Accepted.class,
                new Request.Builder().url(url(what)).post(json).build());
    }

    Api.Accepted apply(String name, String text) {
        HttpUrl url = url("spec").newBuilder().addQueryParameter("name", name).build();
        return call(
                Api.Accepted.class,
                new Request.Builder()
                        .url(url)
                        .put(RequestBody.create(text, YAML))
                        .build());
    }

    private HttpUrl url(String path) {
        return base.newBuilder().addPathSegments("api/v1/" + path).build();
    }

    private <T> T get(Class<T> type, HttpUrl url) {
        return call(type, new Request.Builder().url(url).build());
    }

    private <T> T call(Class<T> type, Request request) {
        int status;
        String body;
        try (Response response = client.newCall(request).execute()) {
            status = response.code();
            body = response.body().string();
        } catch (IOException e) {
            throw new CliFailure(CliFailure.NO_CONTROLLER, "no controller answers at " + base + " (" + reason(e) + ")");
        }
        try {
            if (status >= 300) {
                throw failure(status, body);
            }
            return ApiJson.compact().readValue(body, type);
        } catch (JacksonException e) {
            throw new CliFailure(CliFailure.NO_CONTROLLER, "what answers at " + base + " is no Understudy controller");
        }
    }

    private static CliFailure failure(int status, String body) {
        JsonNode json = ApiJson.compact().readTree(body);
        JsonNode errors = json.path("errors");
        String lines = errors.isArray()
                ? String.join(
                        "\n", errors.valueStream().map(e -> e.asString("")).toList())
                : json.path("error").asString("status " + status);
        int code =
                switch (status) {
                    case 400, 404, 415 -> CliFailure.BAD_INPUT;
                    case 503 -> CliFailure.NO_CONTROLLER;
                    default -> CliFailure.NOT_WELL;
                };
        return new CliFailure(code, lines);
    }

    private static String reason(IOException e) {
        String message = e.getMessage();
        return message == null
                ? e.getClass().getSimpleName()
                : List.of(message.split("\n", -1)).getFirst();
    }

    @Override
    public void close() {
        HttpClients.close(client);
    }
}
