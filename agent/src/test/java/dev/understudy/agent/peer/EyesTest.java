package dev.understudy.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.understudy.agent.link.Observations;
import dev.understudy.agent.status.HttpServers;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Reach;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import dev.understudy.wire.http.HttpClients;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Looks at real sockets that answer, refuse, hang or are silent.
class EyesTest {

    private static final InetAddress THERE = InetAddress.ofLiteral("127.0.0.21");
    private static final Duration INTERVAL = Duration.ofMillis(100);
    private static final TimingProfile TIMING =
            new TimingProfile("test", INTERVAL, INTERVAL.multipliedBy(6), INTERVAL.multipliedBy(3), Duration.ZERO);
    private static final ResourceId SITE = new ResourceId("edge", "127.0.0.21");

    private final OkHttpClient client = HttpClients.peers();
    private final Eyes eyes = new Eyes(client);
    private final Observations seen = new Observations();
    private final AtomicInteger urgent = new AtomicInteger();
    private final List<AutoCloseable> open = new ArrayList<>();
    private int port;

    @BeforeEach
    void count() throws IOException {
        seen.onUrgent(urgent::incrementAndGet);
        try (ServerSocket free = new ServerSocket(0, 1, THERE)) {
            port = free.getLocalPort();
        }
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable part : open.reversed()) {
            part.close();
        }
        HttpClients.close(client);
    }

    private PeerServer agent() throws IOException {
        PeerServer server = PeerServer.start(
                new InetSocketAddress(THERE, port), "there", Optional::empty, _ -> new CompletableFuture<>());
        open.add(server);
        return server;
    }

    private void watch(boolean near) {
        open.add(eyes.peers(List.of(new Targets.Peer(new Host("there", "127.0.0.21"), near)), port, TIMING, seen));
    }

    private Optional<Reach> peer() {
        return seen.latest("peer/there").map(o -> ((Observation.Peer) o).reach());
    }

    @Test
    void an_agent_that_ends_refuses_and_one_that_is_back_answers() throws Exception {
        PeerServer server = agent();
        watch(true);
        await().until(() -> peer().equals(Optional.of(Reach.ANSWERS)));
        server.close();
        await().until(() -> peer().equals(Optional.of(Reach.REFUSES)));
        agent();
        await().until(() -> peer().equals(Optional.of(Reach.ANSWERS)));
        assertThat(urgent).as("each change is told at once").hasValueGreaterThanOrEqualTo(3);
    }

    @Test
    void what_changes_about_a_host_of_another_group_can_wait() throws Exception {
        agent();
        watch(false);
        await().until(() -> peer().equals(Optional.of(Reach.ANSWERS)));
        assertThat(urgent).hasValue(0);
    }

    @Test
    void an_agent_that_accepts_and_never_answers_hangs() throws Exception {
        open.add(new ServerSocket(port, 50, THERE)); // its kernel accepts
        watch(true);
        await().until(() -> peer().equals(Optional.of(Reach.HANGS)));
    }

    @Test
    void a_host_from_which_nothing_comes_is_silent() throws Exception {
        open.add(new ServerSocket(port, 1, THERE));
        for (int i = 0; i < 2; i++) { // its queue is full: the kernel drops what else comes
            Socket waiting = new Socket();
            waiting.connect(new InetSocketAddress(THERE, port));
            open.add(waiting);
        }
        watch(true);
        await().until(() -> peer().equals(Optional.of(Reach.SILENT)));
    }

    @Test
    void any_answer_through_an_address_is_an_answer_and_the_holder_does_not_look() throws Exception {
        HttpServer site = HttpServers.create(new InetSocketAddress(THERE, port));
        AtomicInteger status = new AtomicInteger(200);
        AtomicInteger asked = new AtomicInteger();
        site.createContext("/", exchange -> {
            asked.incrementAndGet();
            exchange.sendResponseHeaders(status.get(), -1);
            exchange.close();
        });
        site.start();
        AtomicInteger holds = new AtomicInteger();
        Targets.Path path = new Targets.Path(SITE, "http://127.0.0.21:" + port + "/");
        open.add(eyes.paths(List.of(path), INTERVAL, _ -> holds.get() == 1, seen));
        await().until(() -> path().equals(Optional.of(new Observation.Path(SITE, Reach.ANSWERS, ""))));
        status.set(503);
        await().until(() -> path().equals(Optional.of(new Observation.Path(SITE, Reach.ANSWERS, "HTTP 503"))));
        holds.set(1);
        int until = asked.get() + 1; // one may be under way
        await().during(Duration.ofSeconds(2)).until(() -> asked.get() <= until);
        site.stop(0);
        holds.set(0);
        await().until(() -> path().equals(Optional.of(new Observation.Path(SITE, Reach.REFUSES, "refused"))));
    }

    private Optional<Observation> path() {
        return seen.latest("path/" + SITE);
    }
}
