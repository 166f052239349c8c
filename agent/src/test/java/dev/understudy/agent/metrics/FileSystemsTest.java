package dev.understudy.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import dev.understudy.wire.metrics.Metrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class FileSystemsTest {

    private static final String NAS = "{device=\"nas:/export\",fstype=\"nfs4\",mountpoint=\"/mnt/nas\"}";
    private static final String ROOT = "{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"}";

    private static Map<String, Double> page(FileSystems fileSystems) {
        Metrics metrics = new Metrics();
        metrics.families(() -> {
            try {
                return fileSystems.families(Samples.files("old").read("proc/1/mounts"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return Samples.parsed(metrics.scrape());
    }

    @Test
    void only_file_systems_that_can_fill_up_are_told() throws IOException {
        assertThat(Mount.parse(Samples.files("recent").read("proc/1/mounts")))
                .extracting(Mount::point)
                .containsExactly("/", "/run", "/run/netns");
        assertThat(Mount.parse(Samples.files("old").read("proc/1/mounts")))
                .isEqualTo(List.of(
                        new Mount("/dev/sda1", "/", "ext4", true),
                        new Mount("/dev/sdb1", "/srv/backup of shop", "xfs", false),
                        new Mount("nas:/export", "/mnt/nas", "nfs4", false)));
    }

    @Test
    void room_and_the_read_only_state_are_told_by_mount() {
        assertThat(page(new FileSystems(_ -> Samples.ROOM)))
                .contains(
                        entry("node_filesystem_size_bytes" + ROOT, 1000.0),
                        entry("node_filesystem_free_bytes" + ROOT, 400.0),
                        entry("node_filesystem_avail_bytes" + ROOT, 300.0),
                        entry("node_filesystem_files" + ROOT, 50.0),
                        entry("node_filesystem_files_free" + ROOT, 20.0),
                        entry("node_filesystem_readonly" + ROOT, 1.0),
                        entry("node_filesystem_readonly" + NAS, 0.0),
                        entry("node_filesystem_device_error" + NAS, 0.0));
    }

    @Test
    void a_mount_that_refuses_is_told_as_such() {
        Map<String, Double> page = page(new FileSystems(path -> {
            if (path.equals("/mnt/nas")) {
                throw new IOException("stale");
            }
            return Samples.ROOM;
        }));
        assertThat(page)
                .containsEntry("node_filesystem_device_error" + NAS, 1.0)
                .doesNotContainKey("node_filesystem_size_bytes" + NAS)
                .containsEntry("node_filesystem_size_bytes" + ROOT, 1000.0);
    }

    @Test
    void a_mount_that_hangs_does_not_hang_the_scrape_and_is_asked_again_only_when_it_came_back() {
        CountDownLatch thaw = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        FileSystems fileSystems = new FileSystems(path -> {
            if (path.equals("/mnt/nas")) {
                asked.incrementAndGet();
                try {
                    thaw.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
            return Samples.ROOM;
        });
        for (int i = 0; i < 3; i++) {
            assertThat(page(fileSystems))
                    .containsEntry("node_filesystem_device_error" + NAS, 1.0)
                    .containsEntry("node_filesystem_avail_bytes" + ROOT, 300.0)
                    .doesNotContainKey("node_filesystem_avail_bytes" + NAS);
        }
        assertThat(asked).hasValue(1);
        thaw.countDown();
        await().untilAsserted(() -> assertThat(page(fileSystems))
                .containsEntry("node_filesystem_device_error" + NAS, 0.0)
                .containsEntry("node_filesystem_avail_bytes" + NAS, 300.0));
        assertThat(asked).hasValue(2);
    }
}
