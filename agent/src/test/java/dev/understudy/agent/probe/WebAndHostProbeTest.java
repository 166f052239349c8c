package dev.understudy.agent.probe;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.understudy.agent.status.HttpServers;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WebAndHostProbeTest {

    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

    @TempDir
    private Path folder;

    private HttpServer server;
    private volatile int status = 200;
    private final OkHttpClient client = new OkHttpClient();
    private final CompletableFuture<Observation> published = new CompletableFuture<>();
    private final ObservationSink sink = new ObservationSink() {
        @Override
        public void publish(Observation observation) {
            published.complete(observation);
        }

        @Override
        public void publishNow(Observation observation) {
            published.complete(observation);
        }
    };

    @BeforeEach
    void start() throws IOException {
        server = HttpServers.create(new InetSocketAddress(LOOPBACK, 0));
        server.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void aWebHostIsJudgedByItsAnswer() throws Exception {
        int port = server.getAddress().getPort();
        try (WebProbe probe = web(port)) {
            assertThat(probe.observe()).isEqualTo(new Observation.Web("app", Health.UP, 200, ""));
            status = 404;
            assertThat(probe.observe().health()).isEqualTo(Health.UNKNOWN);
            status = 503;
            assertThat(probe.observe()).isEqualTo(new Observation.Web("app", Health.DOWN, 503, ""));
            server.stop(0);
            assertThat(probe.observe().health()).isEqualTo(Health.DOWN);

            probe.start(Duration.ofHours(1));
            assertThat(published.get(10, TimeUnit.SECONDS).key()).isEqualTo("web/app");
        }
    }

    /// It listens, so the connection is made, but nobody accepts or answers.
    @Test
    void silenceIsUnknown() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, LOOPBACK);
                WebProbe probe = web(silent.getLocalPort())) {
            assertThat(probe.observe().health()).isEqualTo(Health.UNKNOWN);
        }
    }

    @Test
    void basicsOfTheHost() throws Exception {
        try (HostProbe probe = new HostProbe(folder, sink)) {
            probe.start(Duration.ofHours(1));
            Observation.HostBasics seen = (Observation.HostBasics) published.get(10, TimeUnit.SECONDS);

            assertThat(UUID.fromString(seen.bootId()).toString()).isEqualTo(seen.bootId());
            assertThat(seen.load1()).isNotNegative();
            assertThat(seen.memoryAvailableBytes()).isPositive();
            assertThat(seen.diskFreeBytes()).isPositive();
            assertThat(new HostProbe(folder.resolve("missing"), sink).observe().diskFreeBytes())
                    .isEqualTo(-1);
        }
    }

    private WebProbe web(int port) {
        return new WebProbe(
                "app", "http://{address}:" + port + "/health", "127.0.0.1", client, sink, Duration.ofSeconds(1));
    }
}
