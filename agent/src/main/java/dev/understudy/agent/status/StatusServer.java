package dev.understudy.agent.status;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.understudy.wire.metrics.Metrics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.function.Function;
import java.util.function.Supplier;

/// The agent's HTTP port: `GET /metrics` (Prometheus text), `GET /healthz` (the agent lives), `GET /writer` and
/// `GET /writer/GROUP` (200 only while this host is the open primary under a live lease, otherwise 503; it fails
/// closed, S24). Nothing can be changed through it. Two threads.
public final class StatusServer implements AutoCloseable {

    private final HttpServer server;
    private final ExecutorService threads = HttpServers.threads("status", 2);

    /// What an endpoint answers.
    public record Answer(int status, String text) {}

    /// @param health 200 or 503
    /// @param writer for a group's name, empty for "the" database group
    /// @throws IOException if the port cannot be bound
    public static StatusServer start(
            InetSocketAddress listen, Metrics metrics, Supplier<Answer> health, Function<String, Answer> writer)
            throws IOException {
        return new StatusServer(listen, metrics, health, writer);
    }

    private StatusServer(
            InetSocketAddress listen, Metrics metrics, Supplier<Answer> health, Function<String, Answer> writer)
            throws IOException {
        server = HttpServers.create(listen);
        server.setExecutor(threads);
        server.createContext(
                "/metrics",
                exchange -> answer(exchange, "/metrics", Metrics.CONTENT_TYPE, _ -> new Answer(200, metrics.scrape())));
        server.createContext("/healthz", exchange -> answer(exchange, "/healthz", "text/plain", _ -> health.get()));
        server.createContext("/writer", exchange -> answer(exchange, "/writer", "text/plain", writer));
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private static void answer(HttpExchange exchange, String base, String type, Function<String, Answer> endpoint)
            throws IOException {
        try (exchange) {
            String rest = exchange.getRequestURI().getPath().substring(base.length());
            Answer answer;
            if (!exchange.getRequestMethod().equals("GET")) {
                answer = new Answer(405, "GET only\n");
            } else if (!rest.isEmpty() && (!rest.startsWith("/") || rest.length() == 1)) {
                answer = new Answer(404, "no such page\n");
            } else {
                answer = endpoint.apply(rest.isEmpty() ? "" : rest.substring(1));
            }
            byte[] body = answer.text().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
