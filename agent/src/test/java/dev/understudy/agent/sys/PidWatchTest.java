package dev.understudy.agent.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PidWatchTest {

    private static final long PATIENCE_SECONDS = 10;

    @Test
    void tellsTheEndOfAChild() throws Exception {
        Process process = new ProcessBuilder("sleep", "600").start();
        CountDownLatch ended = new CountDownLatch(1);
        try (PidWatch watch = PidWatch.start(process.pid(), ended::countDown)) {
            assertThat(PidWatch.alive(process.pid())).isTrue();
            assertThat(ended.await(100, TimeUnit.MILLISECONDS)).isFalse();

            process.destroyForcibly();

            assertThat(ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(PidWatch.alive(watch.pid())).isFalse();
        }
    }

    /// The parent of the watched process stands still and so cannot reap it.
    @Test
    void aZombieHasEnded() throws Exception {
        Path file = Files.createTempFile("usnet-zombie", ".pid");
        Process parent = new ProcessBuilder("sh", "-c", "sleep 600 & echo $! > " + file + "; kill -STOP $$").start();
        try {
            await().atMost(Duration.ofSeconds(PATIENCE_SECONDS))
                    .until(() -> !Files.readString(file).isBlank());
            long pid = Long.parseLong(Files.readString(file).strip());
            await().atMost(Duration.ofSeconds(PATIENCE_SECONDS)).until(() -> stateOf(parent.pid()) == 'T');
            CountDownLatch ended = new CountDownLatch(1);
            try (PidWatch _ = PidWatch.start(pid, ended::countDown)) {
                LibC.kill(pid, 9);

                assertThat(ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
                assertThat(stateOf(pid)).as("nobody reaped it").isEqualTo('Z');
                assertThat(PidWatch.alive(pid)).isFalse();
            }
        } finally {
            parent.destroyForcibly();
            Files.delete(file);
        }
    }

    @Test
    void aProcessThatIsGoneHasEnded() throws Exception {
        Process process = new ProcessBuilder("true").start();
        process.waitFor();
        CountDownLatch ended = new CountDownLatch(1);
        try (PidWatch _ = PidWatch.start(process.pid(), ended::countDown)) {
            assertThat(ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aClosedWatchIsSilent() throws Exception {
        Process process = new ProcessBuilder("sleep", "600").start();
        CountDownLatch ended = new CountDownLatch(1);
        PidWatch.start(process.pid(), ended::countDown).close();

        process.destroyForcibly().waitFor();

        assertThat(ended.await(500, TimeUnit.MILLISECONDS)).isFalse();
    }

    private static char stateOf(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        return stat.charAt(stat.lastIndexOf(')') + 2);
    }
}
