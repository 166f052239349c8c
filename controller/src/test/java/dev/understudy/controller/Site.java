package dev.understudy.controller;

import static org.awaitility.Awaitility.await;

import dev.understudy.controller.cli.Understudy;
import dev.understudy.core.Now;
import dev.understudy.core.ResourceState;
import dev.understudy.protocol.Moment;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// A real controller (Ratis, Javalin, loop) with agents of two balancer hosts, for tests.
public final class Site implements AutoCloseable {

    static final Path PAIR = Path.of("src/test/resources/pair.yml");

    /// What a command printed, and its exit code.
    record Ran(int code, String out, String err) {}

    private final Path state;
    private final int raftPort = freePort();
    private final int port = freePort();
    private final AtomicLong ahead = new AtomicLong();
    private final List<BalancerAgent> agents = new ArrayList<>();
    final List<Throwable> faults = new CopyOnWriteArrayList<>();
    private @Nullable Controller controller;
    private String grafana = "";

    Site(Path state) {
        this.state = state;
    }

    /// Moves the controller's clock ahead, as a sleep of its process does.
    void sleepOf(Duration duration) {
        ahead.addAndGet(duration.toNanos());
    }

    private Now now() {
        return new Now(new Moment(System.nanoTime() + ahead.get()), Instant.now());
    }

    Controller start(@Nullable Path cluster, boolean init) throws Exception {
        Controller started = Controller.start(
                new Controller.Settings("ctl1", cluster, state, "127.0.0.1", port, raftPort, init, grafana),
                (_, cause) -> faults.add(cause),
                this::now);
        controller = started;
        return started;
    }

    /// Where the dashboards are, from the next start on.
    void grafana(String url) {
        grafana = url;
    }

    BalancerAgent agent(String host) {
        BalancerAgent agent = new BalancerAgent(host, port);
        agents.add(agent);
        return agent;
    }

    Controller controller() {
        return Objects.requireNonNull(controller);
    }

    int port() {
        return port;
    }

    String url(String path) {
        return "http://127.0.0.1:" + port + path;
    }

    ResourceState address() {
        return Objects.requireNonNull(controller()
                .view()
                .orElseThrow()
                .state()
                .journaled()
                .resources()
                .get(BalancerAgent.ADDRESS));
    }

    void awaitHeldBy(BalancerAgent agent, String host) {
        await().atMost(Duration.ofSeconds(30))
                .until(() -> agent.holds()
                        && address().steady()
                        && host.equals(address().holder()));
    }

    /// Runs the command line against this controller.
    Ran cli(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("--controller", "http://127.0.0.1:" + port));
        all.addAll(List.of(arguments));
        int code = Understudy.run(new PrintWriter(out), new PrintWriter(err, true), all.toArray(String[]::new));
        return new Ran(code, out.toString(), err.toString());
    }

    void crash() throws IOException {
        controller().abort();
        controller = null;
    }

    @Override
    public void close() throws IOException {
        agents.forEach(BalancerAgent::close);
        if (controller != null) {
            controller.abort();
        }
    }

    /// A port that nobody listens on, below those that outgoing connections are given: one of these could take it
    /// before it is bound.
    public static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 30_000);
            try (ServerSocket _ = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return port;
            } catch (IOException e) {
                // taken: another one
            }
        }
    }
}
