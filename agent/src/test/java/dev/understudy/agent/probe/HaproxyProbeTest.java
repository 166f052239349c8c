package dev.understudy.agent.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.HaproxyAdmin;
import dev.understudy.agent.sys.Freezing;
import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.PidWatch;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Balancer;
import dev.understudy.protocol.Observation.ServerState;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Against a real HAProxy.
class HaproxyProbeTest {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int SIGUSR2 = 12;

    @TempDir
    private Path folder;

    private Haproxy haproxy;
    private HaproxyProbe probe;
    private final List<Observation> urgent = new CopyOnWriteArrayList<>();

    private final ObservationSink sink = new ObservationSink() {
        @Override
        public void publish(Observation observation) {
            // the tests look for themselves
        }

        @Override
        public void publishNow(Observation observation) {
            urgent.add(observation);
        }
    };

    @BeforeEach
    void start() throws IOException {
        haproxy = new Haproxy(folder);
        assertThat(haproxy.service().start()).isEqualTo(Outcome.Done.withoutFacts());
        probe = new HaproxyProbe(
                "edge", haproxy.config(), haproxy.socket(), haproxy.service(), sink, Duration.ofSeconds(1));
        await().atMost(PATIENCE).until(() -> probe.observe().health() == Health.UP);
    }

    @AfterEach
    void stop() {
        probe.close();
        haproxy.close();
    }

    @Test
    void seesServersByName() {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(probe.observe().servers())
                        .containsExactly(
                                new ServerState("app", "web1", "UP"),
                                new ServerState("app", "web2", "DOWN"),
                                new ServerState("app", "web3", "no check")));
        Balancer seen = probe.observe();
        assertThat(seen.service()).isEqualTo(ServiceState.RUNNING);
        assertThat(seen.pid()).isEqualTo(haproxy.service().mainPid());
        assertThat(seen.configHash()).hasSize(64);
    }

    @Test
    void aChangedConfigurationHasAnotherHash() throws IOException {
        String before = probe.observe().configHash();

        Files.writeString(haproxy.config(), Files.readString(haproxy.config()) + "\n# drift\n");

        assertThat(probe.observe().configHash()).isNotEqualTo(before);
    }

    /// The probe's own interval is an hour: only the process's end can tell.
    @Test
    void aKilledMasterIsToldAtOnce() {
        probe.start(Duration.ofHours(1));

        LibC.kill(haproxy.service().mainPid(), 9);

        await().atMost(PATIENCE).until(() -> !urgent.isEmpty());
        assertThat(urgent.getFirst()).isInstanceOfSatisfying(Balancer.class, seen -> {
            assertThat(seen.service()).isEqualTo(ServiceState.ENDED);
            assertThat(seen.health()).isEqualTo(Health.DOWN);
        });
        assertThat(probe.observe().health()).isEqualTo(Health.DOWN);
    }

    @Test
    void aCleanStopIsNoCrash() {
        probe.start(Duration.ofHours(1));

        assertThat(haproxy.service().stop()).isEqualTo(Outcome.Done.withoutFacts());

        await().atMost(PATIENCE).until(() -> !urgent.isEmpty());
        assertThat(urgent.getFirst())
                .isInstanceOfSatisfying(
                        Balancer.class, seen -> assertThat(seen.service()).isEqualTo(ServiceState.STOPPED));
    }

    @Test
    void s23_aReloadIsNotADeath() throws IOException {
        probe.start(Duration.ofHours(1));
        RuntimeSocket socket = new RuntimeSocket(haproxy.socket(), Duration.ofSeconds(1));
        String worker = HaproxyStats.info(socket.ask("show info"), "Pid");
        long master = haproxy.service().mainPid();

        LibC.kill(master, SIGUSR2);

        await().atMost(PATIENCE).until(() -> {
            Balancer seen = probe.observe(); // never anything but UP in between
            assertThat(seen.health()).as(seen.detail()).isEqualTo(Health.UP);
            return !HaproxyStats.info(socket.ask("show info"), "Pid").equals(worker);
        });
        await().atMost(PATIENCE).until(() -> !PidWatch.alive(Long.parseLong(worker)));
        assertThat(probe.observe().service()).isEqualTo(ServiceState.RUNNING);
        assertThat(haproxy.service().mainPid()).isEqualTo(master);
        assertThat(urgent).isEmpty();
    }

    @Test
    void aWorkerThatDoesNotAnswerIsUnknownNotDown() throws IOException {
        long worker = Long.parseLong(
                HaproxyStats.info(new RuntimeSocket(haproxy.socket(), Duration.ofSeconds(1)).ask("show info"), "Pid"));
        Freezing.freeze(worker);
        try {
            Balancer seen = probe.observe();

            assertThat(seen.health()).isEqualTo(Health.UNKNOWN);
            assertThat(seen.service()).isEqualTo(ServiceState.RUNNING);
            assertThat(seen.detail()).contains("in time");
        } finally {
            Freezing.thaw(worker);
        }
    }

    @Test
    void setsAServersStateAndReadsItBack() {
        HaproxyAdmin admin = new HaproxyAdmin(haproxy.socket(), Duration.ofSeconds(1));

        assertThat(admin.setServerState("app", "web1", "maint")).isInstanceOf(Outcome.Done.class);
        assertThat(statusOf("web1")).isEqualTo("MAINT");
        assertThat(admin.setServerState("app", "web3", "drain")).isInstanceOf(Outcome.Done.class);
        assertThat(statusOf("web3")).startsWith("DRAIN");
        assertThat(admin.setServerState("app", "web1", "ready")).isInstanceOf(Outcome.Done.class);
        assertThat(statusOf("web1")).doesNotStartWith("MAINT");

        assertThat(admin.setServerState("app", "nobody", "maint")).isInstanceOf(Outcome.Failed.class);
        assertThat(admin.setServerState("app", "web1", "off")).isInstanceOf(Outcome.Refused.class);
        assertThat(admin.setServerState("app", "web1 state maint; x", "ready")).isInstanceOf(Outcome.Refused.class);
    }

    @Test
    void aDeadHaproxyCannotBeToldAnything() {
        haproxy.service().kill();

        assertThat(new HaproxyAdmin(haproxy.socket(), Duration.ofSeconds(1)).setServerState("app", "web1", "maint"))
                .isInstanceOf(Outcome.Failed.class);
    }

    private String statusOf(String server) {
        return probe.observe().servers().stream()
                .filter(s -> s.server().equals(server))
                .map(ServerState::status)
                .findFirst()
                .orElse("");
    }
}
