package dev.understudy.agent.peer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.understudy.agent.status.HttpServers;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What other agents ask of this one, on the peer port: `POST /consent` and `GET /alive` (204). A question that is
/// malformed (400), too long (413), or of a host that may not ask it (403) is answered with one line of text and
/// goes no further. No thread waits for the lease thread. Four threads.
public final class PeerServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PeerServer.class);

    /// The longest question that is read, in bytes.
    static final int LONGEST_QUESTION = 4096;

    private static final Duration LONGEST_COUNTED = Duration.ofMinutes(1);
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(2);

    private final String host;
    private final Supplier<Optional<ClusterSpec>> spec;
    private final Function<ConsentRequest, CompletableFuture<Consent>> asked;
    private final HttpServer server;
    private final ExecutorService threads = HttpServers.threads("peer", 4);

    private record Answer(int status, String type, String body) {
        static Answer problem(int status, String line) {
            return new Answer(status, "text/plain", line + "\n");
        }
    }

    /// @param host this host's name
    /// @param spec the cluster as it is known here, empty before any was
    /// @param asked answers a question that this host may be asked; fails when it cannot be answered now
    /// @throws IOException if the port cannot be bound
    public static PeerServer start(
            InetSocketAddress listen,
            String host,
            Supplier<Optional<ClusterSpec>> spec,
            Function<ConsentRequest, CompletableFuture<Consent>> asked)
            throws IOException {
        return new PeerServer(listen, host, spec, asked);
    }

    private PeerServer(
            InetSocketAddress listen,
            String host,
            Supplier<Optional<ClusterSpec>> spec,
            Function<ConsentRequest, CompletableFuture<Consent>> asked)
            throws IOException {
        this.host = host;
        this.spec = spec;
        this.asked = asked;
        server = HttpServers.create(listen);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
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

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        if (path.equals("/alive")) {
            send(exchange, method.equals("GET") ? new Answer(204, "", "") : Answer.problem(405, "GET only"));
        } else if (!path.equals("/consent")) {
            send(exchange, Answer.problem(404, "no such page"));
        } else if (!method.equals("POST")) {
            send(exchange, Answer.problem(405, "POST only"));
        } else {
            consent(exchange);
        }
    }

    private void consent(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(LONGEST_QUESTION + 1);
        if (body.length > LONGEST_QUESTION) {
            send(exchange, Answer.problem(413, "longer than " + LONGEST_QUESTION + " bytes"));
            return;
        }
        ConsentRequest request;
        try {
            if (!(MessageCodec.decodePeer(new String(body, StandardCharsets.UTF_8)) instanceof ConsentRequest read)) {
                send(exchange, Answer.problem(400, "no consent-request"));
                return;
            }
            request = read;
        } catch (MalformedMessage e) {
            send(exchange, Answer.problem(400, String.valueOf(e.getMessage())));
            return;
        }
        Optional<Answer> objection = objection(request);
        if (objection.isPresent()) {
            send(exchange, objection.get());
            return;
        }
        var _ = asked.apply(request)
                .orTimeout(ANSWER_WITHIN.toMillis(), TimeUnit.MILLISECONDS)
                .whenCompleteAsync((consent, problem) -> reply(exchange, consent, problem), threads);
    }

    private Optional<Answer> objection(ConsentRequest request) {
        Optional<ClusterSpec> known = spec.get();
        if (known.isEmpty()) {
            return Optional.of(Answer.problem(503, "no cluster spec yet"));
        }
        if (request.epoch() < 1
                || request.seq() < 1
                || request.term() < 0
                || request.ttlMillis() < 1
                || request.ttlMillis() > LONGEST_COUNTED.toMillis()) {
            return Optional.of(Answer.problem(400, "a number is out of its range"));
        }
        if (!request.cluster().equals(known.get().cluster())) {
            return Optional.of(Answer.problem(403, "this host belongs to another cluster"));
        }
        Optional<Group> group = known.get().group(request.resource().group());
        if (group.isEmpty() || !known.get().resources().contains(request.resource())) {
            return Optional.of(Answer.problem(403, "no such resource"));
        }
        if (!group.get().members().contains(host)) {
            return Optional.of(Answer.problem(403, host + " is no member of its group"));
        }
        if (request.holder().equals(host) || !group.get().members().contains(request.holder())) {
            return Optional.of(Answer.problem(403, "the asker is no other member of its group"));
        }
        return Optional.empty();
    }

    private static void reply(HttpExchange exchange, @Nullable Consent consent, @Nullable Throwable problem) {
        try {
            send(
                    exchange,
                    consent == null
                            ? Answer.problem(503, "no answer now: " + problem)
                            : new Answer(200, "application/json", MessageCodec.encode(consent)));
        } catch (IOException e) {
            LOG.debug("event=peer-gone reason=\"{}\"", e.toString());
        }
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        try (exchange) {
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            if (body.length == 0) {
                exchange.sendResponseHeaders(answer.status(), -1);
                return;
            }
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
