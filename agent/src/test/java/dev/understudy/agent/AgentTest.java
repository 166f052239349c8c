package dev.understudy.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.fake.FakeController;
import dev.understudy.agent.fake.FakeHost;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The whole agent against a controller on a real WebSocket and a host in memory. Each test is a story of leases.
class AgentTest {

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    private static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    private static final ClusterSpec SPEC = new ClusterSpec(
            "shop",
            "standard",
            List.of(new ClusterSpec.Host("h1", "10.0.0.11"), new ClusterSpec.Host("h2", "10.0.0.12")),
            List.of(
                    new BalancerGroup(
                            "edge",
                            Mode.AUTOMATIC,
                            List.of("h1", "h2"),
                            List.of(new VirtualAddress("192.0.2.10", 24, "eth0", null)),
                            new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy.sock", "haproxy.service")),
                    new BalancerGroup(
                            "watched",
                            Mode.OBSERVE,
                            List.of("h1"),
                            List.of(new VirtualAddress("192.0.2.99", 24, "eth0", null)),
                            new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy.sock", "haproxy.service")),
                    new DatabaseGroup(
                            "shopdb",
                            Mode.AUTOMATIC,
                            List.of("h1", "h2"),
                            "mariadb",
                            3306,
                            new VirtualAddress("10.0.0.200", 24, "eth0", null),
                            null,
                            "mariadb.service",
                            Duration.ofSeconds(30))));

    @TempDir
    Path state;

    private final FakeHost host = new FakeHost();
    private FakeController controller;
    private @Nullable Agent agent;

    AgentTest() throws IOException {
        controller = new FakeController(SPEC);
    }

    @BeforeEach
    void start() throws IOException {
        agent = startAgent();
        await().until(() -> !controller.heartbeats.isEmpty());
    }

    @AfterEach
    void end() {
        if (agent != null) {
            agent.close();
        }
        controller.close();
    }

    private Agent startAgent() throws IOException {
        return Agent.start(
                new AgentConfig(
                        "h1",
                        List.of(controller.uri()),
                        state,
                        new AgentConfig.Listen("127.0.0.1", 0),
                        Map.of(),
                        Map.of()),
                host,
                "test");
    }

    private Agent agent() {
        if (agent == null) {
            throw new IllegalStateException("no agent runs");
        }
        return agent;
    }

    private CommandReply answer(Command command) {
        controller.order(command);
        await().until(() -> controller.reply(command.id()).isPresent());
        return controller.reply(command.id()).orElseThrow();
    }

    private void hold(ResourceId resource, long epoch, Command command) {
        controller.grant(resource, epoch);
        assertThat(answer(command).outcome()).isInstanceOf(Outcome.Done.class);
        await().until(() -> controller.report(resource).held() == epoch);
    }

    private void holdAddress(long epoch) {
        hold(ADDRESS, epoch, new Command.TakeAddress("take-" + epoch, ADDRESS, epoch));
    }

    private void holdPrimary(long epoch) {
        hold(PRIMARY, epoch, new Command.OpenWrites("open-" + epoch, PRIMARY, epoch, false));
    }

    @Test
    void hello_comes_first_and_the_first_heartbeat_tells_everything_later_ones_what_changed() {
        assertThat(controller.hellos.getFirst().host()).isEqualTo("h1");
        Heartbeat first = controller.heartbeats.getFirst();
        await().until(() -> controller.heartbeats.size() > 10);
        assertThat(first.observations()).extracting(Observation::key).contains("host");
        assertThat(controller.heartbeats.getLast().observations()).isEmpty();
        assertThat(controller.heartbeats)
                .extracting(Heartbeat::seq)
                .doesNotHaveDuplicates()
                .isSorted();
        controller.heartbeats.clear();
        controller.drop();
        await().until(() -> !controller.heartbeats.isEmpty());
        assertThat(controller.heartbeats.getFirst().observations())
                .extracting(Observation::key)
                .contains("host", "address/" + ADDRESS, "database/shopdb");
        assertThat(controller.heartbeats.getFirst().seq()).isGreaterThan(first.seq());
    }

    @Test
    void a_dead_link_is_noticed_by_missing_acknowledgements() {
        controller.acknowledges = false;
        await().until(() -> controller.hellos.size() > 1);
    }

    @Test
    void an_address_is_held_while_it_is_renewed_and_given_up_when_it_is_not() {
        holdAddress(5);
        long until = System.nanoTime() + SPEC.timing().ttl().multipliedBy(2).toNanos();
        await().until(() -> System.nanoTime() > until);
        assertThat(controller.report(ADDRESS).held()).isEqualTo(5);
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5");
        controller.grants.clear();
        await().until(() -> controller.report(ADDRESS).released() == 5);
        assertThat(controller.report(ADDRESS).held()).isZero();
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5", "remove " + ADDRESS);
    }

    @Test
    void s2_a_stale_epoch_or_term_is_refused_and_touches_nothing() {
        holdAddress(5);
        host.acts.clear();
        assertThat(answer(new Command.TakeAddress("old", ADDRESS, 4)).outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("stale"));
        assertThat(answer(new Command.Release("old-release", ADDRESS, 4, 4)).outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("stale"));
        controller.term = 0;
        assertThat(answer(new Command.TakeAddress("old-term", ADDRESS, 9)).outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("stale"));
        assertThat(host.acts).isEmpty();
        assertThat(controller.report(ADDRESS).epoch()).isEqualTo(5);
    }

    @Test
    void a_repeated_command_is_answered_with_the_same_outcome_and_done_once() {
        holdAddress(5);
        controller.order(new Command.TakeAddress("take-5", ADDRESS, 5));
        await().until(() -> controller.replies.size() == 2);
        assertThat(controller.replies.get(1).outcome())
                .isEqualTo(controller.replies.get(0).outcome());
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5");
    }

    @Test
    void a_repeat_of_a_running_command_is_not_run_twice_and_a_newer_epoch_ends_its_wait() {
        host.held = new CountDownLatch(1);
        Command wait = new Command.CatchUp("wait", PRIMARY, 3, 60_000);
        controller.order(wait);
        controller.order(wait);
        await().until(() -> host.acts.contains("catch-up 3"));
        assertThat(answer(new Command.Stage("stage", PRIMARY, 4)).outcome()).isInstanceOf(Outcome.Done.class);
        assertThat(controller.reply("wait")).isPresent();
        assertThat(host.acts).containsExactly("catch-up 3", "stage 4");
    }

    @Test
    void a_take_that_fails_is_undone_and_released_before_it_is_answered() {
        host.takeOutcome = new Outcome.Failed("no such interface");
        controller.grant(PRIMARY, 7);
        CommandReply reply = answer(new Command.OpenWrites("open-7", PRIMARY, 7, false));
        assertThat(reply.outcome()).isInstanceOf(Outcome.Failed.class);
        assertThat(host.databaseReadOnly).isTrue();
        await().until(() -> controller.report(PRIMARY).released() == 7);
        assertThat(controller.report(PRIMARY).held()).isZero();
    }

    @Test
    void a_release_on_order_removes_the_address_first_and_fences_the_database() {
        holdPrimary(3);
        assertThat(host.databaseReadOnly).isFalse();
        assertThat(answer(new Command.Release("release", PRIMARY, 4, 3)).outcome())
                .isInstanceOf(Outcome.Done.class);
        assertThat(host.acts)
                .containsExactly("open-writes 3", "take " + PRIMARY + " 3", "remove " + PRIMARY, "release 3");
        await().until(() -> controller.report(PRIMARY).released() == 3);
        assertThat(controller.report(PRIMARY).epoch()).isEqualTo(4);
    }

    @Test
    void a_database_that_cannot_be_fenced_is_not_reported_as_released_and_is_tried_again() {
        holdPrimary(3);
        host.fenceOutcome = new Outcome.Failed("it hangs");
        controller.grants.clear();
        await().until(() -> host.acts.stream().filter("release 3"::equals).count() >= 2);
        assertThat(controller.report(PRIMARY).released()).isZero();
        host.fenceOutcome = Outcome.Done.withoutFacts();
        await().until(() -> controller.report(PRIMARY).released() == 3);
    }

    @Test
    void a_crashed_service_gives_its_resource_up_at_once() {
        holdAddress(5);
        host.service("haproxy.service", ServiceState.ENDED);
        await().until(() -> controller.report(ADDRESS).released() == 5);
        assertThat(host.acts).contains("remove " + ADDRESS);
    }

    @Test
    void a_database_that_was_stopped_cleanly_keeps_its_lease_a_crashed_one_does_not() {
        holdPrimary(3);
        host.service("mariadb.service", ServiceState.STOPPED);
        await().until(() -> controller.heartbeats.stream()
                .flatMap(h -> h.observations().stream())
                .anyMatch(o -> o instanceof Observation.Database d && d.service() == ServiceState.STOPPED));
        assertThat(controller.report(PRIMARY).held()).isEqualTo(3);
        host.service("mariadb.service", ServiceState.ENDED);
        await().until(() -> controller.report(PRIMARY).released() == 3);
    }

    @Test
    void an_order_for_a_group_in_mode_observe_or_of_other_hosts_is_refused() {
        ResourceId watched = new ResourceId("watched", "192.0.2.99");
        assertThat(answer(new Command.TakeAddress("watched", watched, 1)).outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("unsupported"));
        assertThat(answer(new Command.TakeAddress("nowhere", new ResourceId("none", "192.0.2.1"), 1))
                        .outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("unsupported"));
        assertThat(host.kernel.guarded).containsOnlyKeys(ADDRESS, PRIMARY);
    }

    @Test
    void a_server_state_is_set_on_a_balancer_for_a_resource_of_another_group() {
        assertThat(answer(new Command.SetServerState("route", PRIMARY, 2, "edge", "writer", "db1", "ready"))
                        .outcome())
                .isInstanceOf(Outcome.Done.class);
        assertThat(host.acts).containsExactly("set writer/db1 ready");
    }

    @Test
    void s9_a_planned_restart_keeps_the_lease_and_the_next_run_adopts_it() throws Exception {
        holdAddress(5);
        controller.noticeGrantMillis = 30_000;
        agent().stop();
        assertThat(controller.notices).hasSize(1);
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5");
        controller.heartbeats.clear();
        agent = startAgent();
        await().until(() -> controller.report(ADDRESS).held() == 5);
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5");
        assertThat(controller.heartbeats)
                .allSatisfy(h -> assertThat(
                                h.leases().stream().filter(l -> l.resource().equals(ADDRESS)))
                        .allSatisfy(l -> assertThat(l.released()).isZero()));
    }

    @Test
    void s9_a_restart_without_a_long_lease_releases_everything_first() {
        holdPrimary(3);
        agent().stop();
        agent = null;
        assertThat(host.databaseReadOnly).isTrue();
        assertThat(host.acts).endsWith("remove " + PRIMARY, "release 3");
    }

    @Test
    void s9_a_crashed_agent_whose_lease_is_over_fences_what_it_held() throws Exception {
        holdPrimary(3);
        agent().close(); // nothing is released
        assertThat(host.databaseReadOnly).isFalse();
        await().until(() -> host.kernel.remaining(PRIMARY, 3).isEmpty());
        controller.heartbeats.clear();
        agent = startAgent();
        await().until(() -> controller.report(PRIMARY).released() == 3);
        assertThat(host.databaseReadOnly).isTrue();
    }

    @Test
    void s24_the_writer_page_is_200_only_for_an_open_primary_under_a_live_lease() throws Exception {
        assertThat(get("/writer")).isEqualTo(503);
        holdPrimary(3);
        await().until(() -> get("/writer") == 200 && get("/writer/shopdb") == 200);
        assertThat(get("/writer/other")).isEqualTo(503);
        controller.grants.clear();
        await().until(() -> get("/writer") == 503);
        assertThat(get("/healthz")).isEqualTo(200);
        assertThat(get("/metrics")).isEqualTo(200);
        assertThat(get("/other")).isEqualTo(404);
    }

    private int get(String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent().statusPort() + path))
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        }
    }
}
