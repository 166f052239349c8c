package dev.understudy.controller.mail;

import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/// Requests to addresses outside: the webhook and the watchdog's. Blocks, for ten seconds at most.
final class Outside implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final MediaType JSON = MediaType.get("application/json; charset=utf-8");

    /// The other side may be far away: more patience for its first answer than inside the site.
    private final OkHttpClient client = HttpClients.requests(LIMIT)
            .newBuilder()
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    /// Posts what was written of a notice. `Idempotency-Key` is the message's id, so that a receiver can drop what
    /// a controller that was killed at the wrong moment has sent twice.
    Delivery post(NoticeSettings.Webhook webhook, String id, Map<String, Object> message) {
        try {
            Request.Builder request = new Request.Builder()
                    .url(webhook.url())
                    .header("User-Agent", "understudy")
                    .header("Idempotency-Key", id)
                    .post(RequestBody.create(Json.mapper().writeValueAsString(message), JSON));
            if (webhook.tokenFile() != null) {
                String token = Files.readString(Path.of(webhook.tokenFile())).strip();
                request.header("Authorization", "Bearer " + token);
            }
            return asked(trusting(webhook.caFile()), request.build());
        } catch (IOException | IllegalArgumentException e) {
            return Delivery.later(String.valueOf(e.getMessage()));
        }
    }

    Delivery get(String url) {
        return asked(
                client,
                new Request.Builder()
                        .url(url)
                        .header("User-Agent", "understudy")
                        .build());
    }

    private OkHttpClient trusting(@Nullable String caFile) throws IOException {
        if (caFile == null) {
            return client;
        }
        Trust trust = Trust.of(caFile);
        return client.newBuilder()
                .sslSocketFactory(trust.context().getSocketFactory(), trust.manager())
                .build();
    }

    private static Delivery asked(OkHttpClient client, Request request) {
        try (Response response = client.newCall(request).execute()) {
            int status = response.code();
            String text = "HTTP " + status;
            if (response.isSuccessful()) {
                return Delivery.done(text);
            }
            // too many requests, and a time-out of the other side, are no verdict on this message
            boolean itsFault = status >= 400
                    && status < 500
                    && status != 408
                    && status != 429
                    && status != 401
                    && status != 403
                    && status != 404;
            return itsFault ? Delivery.refused(text) : Delivery.later(text);
        } catch (IOException e) {
            return Delivery.later(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void close() {
        HttpClients.close(client);
    }
}
