package dev.understudy.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.fake.FakeController;
import dev.understudy.agent.fake.FakeHost;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A reader address beside the primary role on one host: each has a lease of its own, and what is done for one
/// touches nothing of the other.
class ReaderAddressTest {

    private static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    private static final ResourceId READER = new ResourceId("shopdb", "10.0.0.201");
    private static final ClusterSpec SPEC = new ClusterSpec(
            "shop",
            "standard",
            List.of(new ClusterSpec.Host("h1", "10.0.0.11"), new ClusterSpec.Host("h2", "10.0.0.12")),
            List.of(new DatabaseGroup(
                    "shopdb",
                    Mode.AUTOMATIC,
                    List.of("h1", "h2"),
                    "mariadb",
                    3306,
                    new VirtualAddress("10.0.0.200", 24, "eth0", null),
                    null,
                    "mariadb.service",
                    Duration.ofSeconds(30),
                    Recovery.DEFAULT,
                    new Reader(new VirtualAddress("10.0.0.201", 24, "eth0", null), Duration.ofSeconds(5)))));

    @TempDir
    Path state;

    private final FakeHost host = new FakeHost();
    private final FakeController controller;

    @SuppressWarnings("NullAway.Init")
    private Agent agent;

    ReaderAddressTest() throws IOException {
        controller = new FakeController(SPEC);
    }

    @BeforeEach
    void start() throws IOException {
        agent = Agent.start(
                new AgentConfig(
                        "h1",
                        List.of(controller.uri()),
                        state,
                        new AgentConfig.Listen("127.0.0.1", 0),
                        new AgentConfig.Listen("127.0.0.1", 0),
                        Map.of(),
                        Map.of()),
                host,
                "test");
        await().until(() -> !controller.heartbeats.isEmpty());
    }

    @AfterEach
    void end() {
        agent.close();
        controller.close();
    }

    @Test
    void s11_giving_the_reader_address_up_leaves_the_primary_role_alone() {
        hold(PRIMARY, 3, new Command.OpenWrites("open", PRIMARY, 3, false));
        hold(READER, 7, new Command.TakeAddress("take", READER, 7));
        host.acts.clear();

        assertThat(answer(new Command.Release("release", READER, 7, 7))).isInstanceOf(Outcome.Done.class);

        assertThat(host.acts).containsExactly("remove " + READER);
        assertThat(controller.report(PRIMARY).held()).isEqualTo(3);
        assertThat(controller.report(READER).released()).isEqualTo(7);
    }

    @Test
    void a_clean_stop_of_the_database_gives_the_reader_address_up_and_keeps_the_lease_of_the_primary_role() {
        hold(PRIMARY, 3, new Command.OpenWrites("open", PRIMARY, 3, false));
        hold(READER, 7, new Command.TakeAddress("take", READER, 7));

        host.service("mariadb.service", ServiceState.STOPPED);

        await().until(() -> controller.report(READER).released() == 7);
        assertThat(controller.report(PRIMARY).held()).isEqualTo(3);
    }

    @Test
    void orders_for_the_database_are_not_carried_out_in_the_name_of_its_reader_address() {
        assertThat(answer(new Command.Stage("stage", READER, 7))).isInstanceOf(Outcome.Refused.class);
        assertThat(host.acts).isEmpty();
    }

    private Outcome answer(Command command) {
        controller.order(command);
        await().until(() -> controller.reply(command.id()).isPresent());
        return controller.reply(command.id()).orElseThrow().outcome();
    }

    private void hold(ResourceId resource, long epoch, Command command) {
        controller.grant(resource, epoch);
        assertThat(answer(command)).isInstanceOf(Outcome.Done.class);
        await().until(() -> controller.report(resource).held() == epoch);
    }
}
