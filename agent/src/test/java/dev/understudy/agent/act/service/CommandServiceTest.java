package dev.understudy.agent.act.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.probe.Haproxy;
import dev.understudy.agent.sys.Freezing;
import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.PidWatch;
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

class CommandServiceTest {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int SIGTERM = 15;

    @TempDir
    private Path folder;

    private Haproxy haproxy;
    private CommandService service;
    private final List<ServiceState> heard = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() throws IOException {
        haproxy = new Haproxy(folder);
        service = haproxy.service();
        service.watch(heard::add);
        assertThat(service.state()).as("no pid file: never started").isEqualTo(ServiceState.STOPPED);
        assertThat(service.start()).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(service.state()).isEqualTo(ServiceState.RUNNING);
    }

    @AfterEach
    void stop() {
        haproxy.close();
    }

    @Test
    void aKilledProcessEndedAndASuccessorIsFound() {
        assertThat(service.kill()).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(service.mainPid()).isZero();
        await().atMost(PATIENCE).until(() -> service.state() == ServiceState.ENDED);

        assertThat(service.start()).isEqualTo(Outcome.Done.withoutFacts());

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(heard)
                        .containsExactly(ServiceState.RUNNING, ServiceState.ENDED, ServiceState.RUNNING));
        assertThat(service.mainPid()).isPositive();
    }

    @Test
    void whatIsKilledIsGoneWithItsWorkers() {
        List<Long> workers = ProcessHandle.of(service.mainPid())
                .orElseThrow()
                .descendants()
                .map(ProcessHandle::pid)
                .toList();
        assertThat(workers).isNotEmpty();
        workers.forEach(Freezing::freeze); // so that none goes by itself

        assertThat(service.kill()).isEqualTo(Outcome.Done.withoutFacts());

        assertThat(workers).noneMatch(PidWatch::alive);
    }

    @Test
    void aStopThroughThisObjectIsClean() {
        assertThat(service.stop()).isEqualTo(Outcome.Done.withoutFacts());

        await().atMost(PATIENCE).until(() -> service.state() == ServiceState.STOPPED);
        assertThat(service.stop()).as("again").isEqualTo(Outcome.Done.withoutFacts());
    }

    @Test
    void aStopByOthersIsCleanWithTheMarker() throws IOException {
        Files.createFile(Path.of(haproxy.pidFile() + ".stopped"));

        LibC.kill(service.mainPid(), SIGTERM);

        await().atMost(PATIENCE).until(() -> service.state() == ServiceState.STOPPED);
        service.start();
        service.kill();
        await().atMost(PATIENCE).until(() -> service.state() == ServiceState.ENDED); // a start removed the marker
    }

    @Test
    void aProcessThatRemovedItsPidFileWasStopped() throws IOException {
        long pid = service.mainPid();
        Files.delete(haproxy.pidFile());

        LibC.kill(pid, SIGTERM);

        await().atMost(PATIENCE).until(() -> service.state() == ServiceState.STOPPED);
    }

    @Test
    void aStartThatFailsSaysWhereToLook() throws IOException {
        service.kill();
        Files.writeString(haproxy.config(), "nonsense");

        assertThat(service.start())
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        failed -> assertThat(failed.reason()).contains("haproxy.log"));
        assertThat(folder.resolve("haproxy.log")).content().contains("nonsense");
    }

    @Test
    void aServiceInTheForegroundIsStartedToo() {
        Path pidFile = folder.resolve("foreground.pid");
        try (CommandService foreground = new CommandService(new CommandService.Definition(
                "foreground",
                List.of("haproxy", "-W", "-f", haproxy.config().toString(), "-p", pidFile.toString()),
                List.of(),
                pidFile,
                folder.resolve("foreground.log"),
                PATIENCE))) {
            service.stop();

            assertThat(foreground.start()).isEqualTo(Outcome.Done.withoutFacts());

            assertThat(foreground.mainPid()).isPositive();
            assertThat(foreground.stop()).isEqualTo(Outcome.Done.withoutFacts());
            await().atMost(PATIENCE).until(() -> foreground.state() == ServiceState.STOPPED);
        }
    }
}
