package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.ClusterSpec.MinFree;
import dev.understudy.protocol.Observation.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The disk's troubles, on real file systems: a small one in memory that is filled, remounted read-only, or holds a
/// file whose writes do not return (a named pipe that nobody reads).
class TroublesTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    private final AtomicLong clock = new AtomicLong();
    private final Troubles troubles = new Troubles(clock::get, MinFree.FULL);

    @TempDir
    private Path folder;

    @BeforeEach
    void mount() throws Exception {
        run("mount", "-t", "tmpfs", "-o", "size=16m", "us-test", folder.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", "-l", folder.toString());
    }

    @Test
    void a_healthy_disk_has_no_trouble() {
        assertThat(look()).isEmpty();
        await().atMost(SOON).until(() -> Files.exists(folder.resolve(".understudy-probe")));
        clock.addAndGet(Duration.ofSeconds(10).toNanos());
        assertThat(look()).isEmpty();
    }

    @Test
    void a_full_disk_is_told_before_the_last_byte_is_used() throws IOException {
        Files.write(folder.resolve("filler"), new byte[9 << 20]);
        assertThat(look()).containsExactly(Trouble.DISK_FULL);
    }

    @ParameterizedTest
    @CsvSource({"12, 0", "0, 75"})
    void how_much_is_too_little_is_the_groups_to_say(long mebibytes, int percent) throws IOException {
        Troubles early = new Troubles(clock::get, new MinFree(mebibytes << 20, percent));
        assertThat(early.of(null, Dialect.Load.NONE, null, folder)).isEmpty();
        Files.write(folder.resolve("filler"), new byte[5 << 20]);
        assertThat(look()).isEmpty();
        assertThat(early.of(null, Dialect.Load.NONE, null, folder)).containsExactly(Trouble.DISK_FULL);
    }

    @Test
    void a_read_only_remount_is_told() throws Exception {
        run("mount", "-o", "remount,ro", folder.toString());
        assertThat(look()).containsExactly(Trouble.READ_ONLY_DISK);
    }

    @Test
    void a_disk_that_refuses_writes_is_told_though_it_is_mounted_for_writing() throws Exception {
        Path probe = folder.resolve(".understudy-probe");
        Files.createDirectory(probe); // opening it for writing fails, for root too
        await().atMost(SOON).until(() -> look().equals(List.of(Trouble.READ_ONLY_DISK)));
        clock.addAndGet(Duration.ofSeconds(10).toNanos());
        assertThat(look()).as("while it is tried again").containsExactly(Trouble.READ_ONLY_DISK);
        Files.delete(probe);
        await().atMost(SOON).until(() -> {
            clock.addAndGet(Duration.ofSeconds(10).toNanos());
            return look().isEmpty();
        });
    }

    @Test
    void a_write_that_does_not_return_is_a_stalled_disk() throws Exception {
        Path pipe = folder.resolve(".understudy-probe");
        run("mkfifo", pipe.toString());
        assertThat(look()).isEmpty();
        clock.addAndGet(Troubles.STALLED.toNanos() + 1);
        assertThat(look()).containsExactly(Trouble.DISK_STALLED);
        assertThat(Files.readAllBytes(pipe)).hasSize(1); // the write returns
        Files.delete(pipe); // a pipe cannot be synced
        clock.addAndGet(Duration.ofSeconds(10).toNanos());
        await().atMost(SOON).until(() -> look().isEmpty());
    }

    private List<Trouble> look() {
        return troubles.of(null, Dialect.Load.NONE, null, folder);
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    }
}
