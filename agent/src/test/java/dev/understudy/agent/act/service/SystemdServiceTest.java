package dev.understudy.agent.act.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.sys.PidWatch;
import dev.understudy.agent.sys.Shell;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Against a real systemd, which is process 1 of namespaces of its own; needs the package systemd and cgroup
/// version 2.
class SystemdServiceTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String START = """
            set -e
            mount --make-rprivate /
            mount -t proc proc /proc
            mount -t cgroup2 none /sys/fs/cgroup
            mkdir /sys/fs/cgroup/$0
            echo 0 > /sys/fs/cgroup/$0/cgroup.procs
            exec unshare --cgroup bash -c '
              umount /sys/fs/cgroup
              mount -t cgroup2 none /sys/fs/cgroup
              mount -t tmpfs tmpfs /run
              mount -t tmpfs tmpfs /etc/systemd/system
              mkdir -p /run/lock /run/systemd/system
              printf "[Unit]\\nDefaultDependencies=no\\n" > /run/systemd/system/usnet.target
              printf "[Unit]\\nDefaultDependencies=no\\n[Service]\\nExecStart=/bin/sleep 1000\\n" \\
                > /run/systemd/system/usnet-demo.service
              export container=other
              exec /lib/systemd/systemd --system --unit=usnet.target --log-target=console'
            """;
    private static final String REMOVE = """
            mount --make-rprivate / && mount -t cgroup2 none /mnt && find /mnt/$0 -depth -type d -exec rmdir {} +
            """;

    @TempDir
    private Path folder;

    private final String name = "usnet-" + ProcessHandle.current().pid();
    private Process unshare;
    private ProcessHandle systemd;

    @BeforeEach
    void start() throws IOException {
        Path log = folder.resolve("systemd.log");
        unshare = new ProcessBuilder(
                        "unshare",
                        "--fork",
                        "--pid",
                        "--mount",
                        "--uts",
                        "--ipc",
                        "--kill-child",
                        "bash",
                        "-c",
                        START,
                        name)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await().atMost(PATIENCE).until(() -> unshare.children().findAny().isPresent());
        systemd = unshare.children().findAny().orElseThrow();
        await().atMost(PATIENCE)
                .failFast(() ->
                        assertThat(unshare.isAlive()).as(Files.readString(log)).isTrue())
                .until(() -> inside("systemctl", "is-system-running").output().contains("running"));
    }

    @AfterEach
    void stop() throws InterruptedException {
        unshare.destroyForcibly().waitFor();
        if (systemd != null) {
            await().atMost(PATIENCE).until(() -> !PidWatch.alive(systemd.pid()));
        }
        await().atMost(PATIENCE)
                .until(() -> Shell.run(List.of("unshare", "--mount", "bash", "-c", REMOVE, name))
                                .exit()
                        == 0);
    }

    @Test
    void startStopKillAndCrash() {
        Shell.Result result = inside(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                SystemdScenario.class.getName(),
                "usnet-demo.service");

        List<String> said = result.output()
                .lines()
                .filter(line -> line.startsWith("> "))
                .map(line -> line.substring(2))
                .toList();
        assertThat(said.stream().filter(line -> line.startsWith("heard")))
                .as(result.output())
                .containsExactly(
                        "heard RUNNING",
                        "heard ENDED",
                        "heard RUNNING",
                        "heard STOPPED",
                        "heard RUNNING",
                        "heard ENDED");
        assertThat(said.stream().filter(line -> !line.startsWith("heard")))
                .containsExactly(
                        "first STOPPED 0",
                        "start done true",
                        "kill done",
                        "start done",
                        "stop done",
                        "start done",
                        "missing failed: systemctl start usnet-missing.service ");
        assertThat(result.exit()).isZero();
    }

    private Shell.Result inside(String... command) {
        List<String> line =
                new ArrayList<>(List.of("nsenter", "-t", Long.toString(systemd.pid()), "-m", "-p", "-C", "-u", "-i"));
        line.addAll(List.of(command));
        return Shell.run(line);
    }
}
