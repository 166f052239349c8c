package dev.understudy.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.fake.FakeController;
import dev.understudy.agent.fake.FakeHost;
import dev.understudy.agent.sys.Shell;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.ClockReading;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
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
                            new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy.sock", "haproxy.service"),
                            null,
                            Recovery.DEFAULT,
                            BalancerGroup.DEFAULT_DRAIN),
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

    /// What promtool says of node_exporter's page too.
    private static final Pattern KERNELS_OWN_NAMES =
            Pattern.compile("(node_memory_|node_sockstat_)\\w+ .*(camelCase|abbreviated units)");

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
        // a link that a busy machine lost is opened again by the agent
        await().ignoreExceptionsInstanceOf(IllegalStateException.class).until(() -> {
            controller.order(command);
            return true;
        });
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
    void heartbeats_tell_the_clock_at_sending_and_at_the_latest_answer() {
        await().until(() -> controller.heartbeats.getLast().clock().answered() > 3);
        List<Heartbeat> beats = List.copyOf(controller.heartbeats);
        Map<Long, ClockReading> bySeq = new HashMap<>();
        beats.forEach(beat -> bySeq.put(beat.seq(), beat.clock()));
        assertThat(beats.getFirst().clock().answered()).isZero();
        assertThat(beats)
                .extracting(beat -> beat.clock().sentNanos())
                .doesNotHaveDuplicates()
                .isSorted();
        for (Heartbeat beat : beats) {
            if (beat.clock().answered() > 0) {
                ClockReading answered =
                        Objects.requireNonNull(bySeq.get(beat.clock().answered()));
                assertThat(beat.clock().answeredNanos())
                        .isGreaterThan(answered.sentNanos())
                        .isLessThanOrEqualTo(beat.clock().sentNanos());
            }
        }
        // another connection may be another controller: nothing is answered there yet
        long before = beats.getLast().seq();
        controller.drop();
        await().until(() -> controller.heartbeats.stream()
                .anyMatch(beat -> beat.seq() > before && beat.clock().answered() == 0));
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
    void what_is_detached_stays_and_nothing_is_done_to_it_until_it_is_attached() throws Exception {
        holdAddress(5);
        host.acts.clear();
        assertThat(answer(new Command.Detach("detach", ADDRESS, 5)).outcome()).isInstanceOf(Outcome.Done.class);
        await().until(() -> controller.report(ADDRESS).released() == 5);
        assertThat(host.acts).containsExactly("detach " + ADDRESS);
        assertThat(host.kernel.up).contains(ADDRESS);
        assertThat(host.kernel.guarded).doesNotContainKey(ADDRESS).containsKey(PRIMARY);
        assertThat(answer(new Command.TakeAddress("take-6", ADDRESS, 6)).outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("detached"));
        agent().close();
        agent = null;
        host.acts.clear();
        controller.heartbeats.clear();
        agent = startAgent();
        await().until(() -> !controller.heartbeats.isEmpty());
        assertThat(controller.heartbeats.getFirst().observations())
                .contains(new Observation.Attachment(ADDRESS, true), new Observation.Attachment(PRIMARY, false));
        assertThat(host.acts).containsExactly("detach " + ADDRESS);
        assertThat(host.kernel.guarded).doesNotContainKey(ADDRESS);

        assertThat(answer(new Command.Attach("attach", ADDRESS, 5)).outcome()).isInstanceOf(Outcome.Done.class);
        await().until(() -> host.kernel.guarded.containsKey(ADDRESS));
        holdAddress(7);
    }

    @Test
    void a_service_is_started_again_by_order() {
        assertThat(answer(new Command.RestartService("restart", ADDRESS, 1)).outcome())
                .isInstanceOf(Outcome.Done.class);
        assertThat(host.acts).anyMatch(act -> act.startsWith("start "));
    }

    @Test
    void a_member_that_was_refused_as_a_follower_is_looked_at_again_when_it_is_asked_again() {
        Command.Follow follow = new Command.Follow("follow", PRIMARY, 5, "192.0.2.2", 3306, 1000);
        host.followOutcome = new Outcome.Refused("diverged", "it has transactions of its own");
        assertThat(answer(follow).outcome()).isEqualTo(host.followOutcome);
        host.followOutcome = Outcome.Done.withoutFacts();
        controller.replies.clear();
        assertThat(answer(follow).outcome()).isInstanceOf(Outcome.Done.class);
        controller.replies.clear();
        host.acts.clear();
        assertThat(answer(follow).outcome()).isInstanceOf(Outcome.Done.class);
        assertThat(host.acts).isEmpty(); // what is done is not done twice
    }

    @Test
    void what_was_decoded_of_a_group_is_shown_and_of_no_other() throws IOException {
        Path folder = Files.createDirectories(state.resolve("diverged"));
        Files.writeString(folder.resolve("shopdb-0-1-7.txt"), "# 1 only here\n# transactions: 0-1-7\n### INSERT\n");
        Files.writeString(folder.resolve("shopdb-2-0-1-9.txt"), "# of group shopdb-2\n");
        controller.send(new ControllerMessage.AskDiverged("q1", "shopdb"));
        await().until(() -> controller.diverged.size() == 1);
        AgentMessage.Diverged told = controller.diverged.getFirst();
        assertThat(told.file()).endsWith("/diverged/shopdb-0-1-7.txt");
        assertThat(told.gtids()).containsExactly("0-1-7");
        assertThat(told.text()).endsWith("### INSERT\n");
        assertThat(told.cut()).isFalse();
        controller.send(new ControllerMessage.AskDiverged("q2", "../shopdb"));
        await().until(() -> controller.diverged.size() == 2);
        assertThat(controller.diverged.getLast().file()).isEmpty();

        Files.writeString(folder.resolve("shopdb-0-1-8.txt"), "x".repeat(100_000));
        assertThat(folder.resolve("shopdb-0-1-7.txt").toFile().setLastModified(0))
                .isTrue();
        controller.send(new ControllerMessage.AskDiverged("q3", "shopdb"));
        await().until(() -> controller.diverged.size() == 3);
        assertThat(controller.diverged.getLast().cut()).isTrue();
        assertThat(controller.diverged.getLast().text()).hasSize(64 * 1024);
    }

    @Test
    void what_is_to_block_writes_for_a_move_that_has_been_undone_is_refused() {
        answer(new Command.UnblockWrites("undo", PRIMARY, 5, "P27"));
        host.acts.clear();
        assertThat(answer(new Command.BlockWrites("late", PRIMARY, 5, "P27", 500, 0, true))
                        .outcome())
                .isInstanceOfSatisfying(
                        Outcome.Refused.class, r -> assertThat(r.code()).isEqualTo("stale"));
        assertThat(host.acts).isEmpty();
        answer(new Command.BlockWrites("next", PRIMARY, 5, "P40", 500, 0, true));
        assertThat(host.acts).isNotEmpty();
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
                .containsExactly(
                        "gate " + PRIMARY + " 3",
                        "open-writes 3",
                        "take " + PRIMARY + " 3",
                        "remove " + PRIMARY,
                        "release 3");
        await().until(() -> controller.report(PRIMARY).released() == 3);
        assertThat(controller.report(PRIMARY).epoch()).isEqualTo(4);
    }

    @Test
    void s13_a_release_that_drains_says_where_and_is_not_holding() throws IOException {
        holdAddress(5);
        assertThat(answer(new Command.Release("release", ADDRESS, 5, 5, 20_000)).outcome())
                .isEqualTo(new Outcome.Done(new Command.Giver("192.0.2.11", "02:00:00:00:00:01", 20_000).facts()));
        assertThat(host.acts)
                .containsExactly("take " + ADDRESS + " 5", "remove " + ADDRESS, "drain " + ADDRESS + " 20000");
        await().until(() -> controller.report(ADDRESS).released() == 5);
        assertThat(controller.report(ADDRESS).held()).isZero();
        await().until(() -> controller.heartbeats.stream()
                .flatMap(h -> h.observations().stream())
                .anyMatch(o -> o instanceof Observation.Address a
                        && !a.present()
                        && a.detail().contains("draining")));
        assertThat(host.kernel.present(ADDRESS)).isTrue();

        // a controller that has not heard of it yet takes the address for a stray one
        assertThat(answer(new Command.Release("stray", ADDRESS, 6, 5)).outcome())
                .isEqualTo(Outcome.Done.withoutFacts());
        assertThat(host.kernel.draining).containsExactly(ADDRESS);

        // a restart leaves it to the kernel
        agent().close();
        agent = startAgent();
        await().until(() -> controller.report(ADDRESS).released() == 5);
        assertThat(host.kernel.draining).containsExactly(ADDRESS);
    }

    @Test
    void s13_what_is_lost_is_not_drained() {
        holdAddress(5);
        host.service("haproxy.service", ServiceState.ENDED);
        await().until(() -> controller.report(ADDRESS).released() == 5);
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5", "remove " + ADDRESS);
    }

    @Test
    void s13_a_take_forwards_to_whoever_drains() {
        hold(
                ADDRESS,
                5,
                new Command.TakeAddress(
                        "take-5", ADDRESS, 5, new Command.Giver("192.0.2.12", "02:00:00:00:00:02", 20_000)));
        assertThat(host.acts).containsExactly("take " + ADDRESS + " 5", "forward to 192.0.2.12");
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
    void s12_where_the_kernel_ends_no_lease_the_database_is_not_even_opened() {
        host.gateOutcome = new Outcome.Refused("not-enforced", "nft: no such program");
        controller.grant(PRIMARY, 4);

        CommandReply reply = answer(new Command.OpenWrites("open-4", PRIMARY, 4, false));

        assertThat(reply.outcome().describe()).contains("not-enforced", "no such program");
        assertThat(host.acts).doesNotContain("open-writes 4", "take " + PRIMARY + " 4");
        assertThat(host.databaseReadOnly).isTrue();
    }

    @Test
    void s12_what_the_kernel_does_not_enforce_is_reported_with_its_reason() {
        host.kernel.enforcement = new AddressControl.Enforcement(false, "nft: no such program");
        await().until(() -> controller.heartbeats.stream()
                .flatMap(h -> h.observations().stream())
                .anyMatch(o -> o instanceof Observation.Address a
                        && a.resource().equals(PRIMARY)
                        && !a.enforced()
                        && a.detail().equals("nft: no such program")));
    }

    @Test
    void s11_a_port_is_open_to_reads_while_its_server_follows_and_no_longer() {
        assertThat(host.kernel.reading).isEmpty();
        host.databaseFollows = true;
        await().until(() -> host.kernel.reading.contains(PRIMARY));
        host.databaseReadOnly = false; // by somebody's hand
        await().until(() -> !host.kernel.reading.contains(PRIMARY));
        host.databaseReadOnly = true;
        await().until(() -> host.kernel.reading.contains(PRIMARY));
        host.databaseFollows = false;
        await().until(() -> !host.kernel.reading.contains(PRIMARY));
        host.databaseFollows = true;
        await().until(() -> host.kernel.reading.contains(PRIMARY));
        host.service("mariadb.service", ServiceState.ENDED);
        await().until(() -> !host.kernel.reading.contains(PRIMARY));
    }

    /// A look that saw a replica, and is told only after the server was promoted, opens nothing.
    @Test
    void s11_a_look_from_before_a_promotion_opens_no_port() throws Exception {
        host.databaseFollows = true;
        await().until(() -> host.kernel.reading.contains(PRIMARY));
        host.lookHeld = new CountDownLatch(1);
        await().until(() -> host.looksHeld.get() > 0); // this one has seen a replica
        controller.grant(PRIMARY, 3);
        controller.order(new Command.OpenWrites("open-3", PRIMARY, 3, false));
        await().until(() -> host.kernel.up.contains(PRIMARY));
        controller.order(new Command.Release("release-3", PRIMARY, 4, 3));
        await().until(() -> host.acts.contains("release 3"));
        host.databaseFollows = false;
        int told = host.kernel.told.get();
        host.lookHeld.countDown();
        await().until(() -> host.kernel.told.get() > told);
        assertThat(host.kernel.everOpenedSince).isFalse();
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

    @Test
    void promtool_finds_nothing_amiss_on_the_metrics_page_but_the_kernels_own_names(@TempDir Path folder)
            throws Exception {
        holdPrimary(3);
        String page = ask("/metrics").body();
        assertThat(page)
                .contains("understudy_agent_lease_held{resource=\"" + PRIMARY + "\",} 1.0")
                .contains("node_memory_MemAvailable_bytes", "node_filesystem_avail_bytes{", "jvm_memory_used_bytes{");
        Path file = Files.writeString(folder.resolve("page"), page);
        Shell.Result check = Shell.run(List.of("sh", "-c", "promtool check metrics < \"$1\"", "sh", file.toString()));
        assertThat(check.output().lines())
                .allMatch(line -> KERNELS_OWN_NAMES.matcher(line).lookingAt());
    }

    private int get(String path) throws Exception {
        return ask(path).statusCode();
    }

    private HttpResponse<String> ask(String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent().statusPort() + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }
}
