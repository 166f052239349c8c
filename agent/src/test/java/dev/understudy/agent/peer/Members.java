package dev.understudy.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.Agent;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.fake.FakeController;
import dev.understudy.agent.fake.FakeHost;
import dev.understudy.protocol.Circle;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/// Three agents of one balancer group on addresses of the loopback network, each with a controller of its own that
/// the test can take away. They talk to each other over real sockets.
final class Members implements AutoCloseable {

    static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    static final List<String> NAMES = List.of("h1", "h2", "h3");
    static final ClusterSpec SPEC = new ClusterSpec(
            "shop",
            "standard",
            List.of(
                    new Host("h1", "127.0.0.11"),
                    new Host("h2", "127.0.0.12"),
                    new Host("h3", "127.0.0.13"),
                    new Host("other", "127.0.0.14")),
            List.of(new BalancerGroup(
                    "edge",
                    Mode.AUTOMATIC,
                    NAMES,
                    List.of(new VirtualAddress("192.0.2.10", 24, "eth0", null)),
                    new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy.sock", "haproxy.service"))));

    /// The same with `when_isolated: keep`.
    static final ClusterSpec KEEPING = new ClusterSpec(
            SPEC.cluster(),
            SPEC.profile(),
            SPEC.hosts(),
            SPEC.groups().stream()
                    .map(BalancerGroup.class::cast)
                    .map(g -> (ClusterSpec.Group) new BalancerGroup(
                            g.name(),
                            g.mode(),
                            g.members(),
                            g.addresses(),
                            g.haproxy(),
                            null,
                            g.recovery(),
                            ClusterSpec.WhenIsolated.KEEP))
                    .toList());

    final int port = freePort();
    final Member h1;
    final Member h2;
    final Member h3;

    private final ClusterSpec spec;

    Members(Path folder) throws IOException {
        this(folder, SPEC);
    }

    Members(Path folder, ClusterSpec spec) throws IOException {
        this.spec = spec;
        h1 = new Member("h1", folder.resolve("h1"));
        h2 = new Member("h2", folder.resolve("h2"));
        h3 = new Member("h3", folder.resolve("h3"));
        for (Member member : List.of(h1, h2, h3)) {
            await().until(() -> !member.controller.heartbeats.isEmpty());
        }
    }

    /// One host with its agent and its view of the controller.
    final class Member implements AutoCloseable {
        final String name;
        final Path state;
        final FakeHost host = new FakeHost();
        FakeController controller;
        private @Nullable Agent agent;

        Member(String name, Path state) throws IOException {
            this.name = name;
            this.state = state;
            controller = new FakeController(spec);
            start();
        }

        void start() throws IOException {
            agent = Agent.start(
                    new AgentConfig(
                            name,
                            List.of(controller.uri()),
                            state,
                            new AgentConfig.Listen("127.0.0.1", 0),
                            new AgentConfig.Listen(address(), port),
                            Map.of(),
                            Map.of()),
                    host,
                    "test");
        }

        String address() {
            return SPEC.host(name).orElseThrow().address();
        }

        /// Takes the address under a lease that counts this circle.
        void hold(long epoch, long version, List<String> circle) {
            controller.grant(ADDRESS, epoch, new Circle(version, circle));
            controller.order(new Command.TakeAddress("take-" + epoch, ADDRESS, epoch));
            await().until(() -> controller.report(ADDRESS).held() == epoch
                    && controller.report(ADDRESS).circle() == version);
            assertThat(controller.reply("take-" + epoch).orElseThrow().outcome())
                    .isInstanceOf(Outcome.Done.class);
        }

        boolean promised() {
            return controller.report(ADDRESS).promised();
        }

        /// What became of an order to take the address.
        Outcome take(String id, long epoch, long released) {
            controller.order(new Command.TakeAddress(id, ADDRESS, epoch), released);
            await().until(() -> controller.reply(id).isPresent());
            return controller.reply(id).orElseThrow().outcome();
        }

        /// Whether the kernel would let packets of the address through.
        boolean serves(long epoch) {
            return host.kernel.remaining(ADDRESS, epoch).isPresent();
        }

        /// The agent ends as if it had been killed: nothing is released.
        void kill() {
            if (agent != null) {
                agent.close();
                agent = null;
            }
        }

        /// SIGTERM.
        void stop() {
            if (agent != null) {
                agent.stop();
                agent = null;
            }
        }

        /// A controller is in reach again, which remembers nothing. For an agent that is started later.
        void newController() throws IOException {
            controller.close();
            controller = new FakeController(spec);
        }

        @Override
        public void close() {
            kill();
            controller.close();
        }
    }

    /// Time passes, and at every look of it the condition holds.
    static void throughout(Duration time, Callable<Boolean> condition) {
        await().pollInterval(Duration.ofMillis(20))
                .during(time)
                .atMost(time.multipliedBy(2))
                .failFast("it does not hold any more", () -> !condition.call())
                .until(() -> true);
    }

    static Moment now() {
        return new Moment(System.nanoTime());
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.11"))) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        for (Member member : List.of(h1, h2, h3)) {
            member.close();
        }
    }
}
