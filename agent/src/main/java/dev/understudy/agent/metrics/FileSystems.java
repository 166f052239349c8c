package dev.understudy.agent.metrics;

import dev.understudy.agent.sys.HostCalls.Room;
import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// How full file systems are. A mount that does not answer (a lost NFS server, a disk that hangs) costs one scrape
/// its wait and one thread, and is not asked again until that call has come back; meanwhile its
/// `node_filesystem_device_error` is 1. Thread-safe.
public final class FileSystems {

    private static final Duration WAIT = Duration.ofMillis(500);
    private static final String[] LABELS = {"device", "fstype", "mountpoint"};

    /// statvfs(3), which may block.
    public interface RoomCall {
        Room room(String path) throws IOException;
    }

    private final RoomCall call;
    private final Map<String, CompletableFuture<Room>> unanswered = new HashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool(
            Thread.ofPlatform().name("statvfs").daemon(true).factory());

    public FileSystems(RoomCall call) {
        this.call = call;
    }

    /// @param mounts the text of `/proc/PID/mounts`
    synchronized List<Family> families(String mounts) throws IOException {
        Map<Mount, CompletableFuture<Room>> answers = new LinkedHashMap<>();
        for (Mount mount : Mount.parse(mounts)) {
            var _ = answers.put(mount, unanswered.containsKey(mount.point()) ? stuck(mount) : ask(mount));
        }
        long deadline = System.nanoTime() + WAIT.toNanos();
        Families families = new Families();
        answers.forEach((mount, answer) -> families.add(mount, await(mount, answer, deadline)));
        return families.build();
    }

    private CompletableFuture<Room> ask(Mount mount) {
        CompletableFuture<Room> answer = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                answer.complete(call.room(mount.point()));
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    /// The call that is out: asked anew once it is back.
    private CompletableFuture<Room> stuck(Mount mount) {
        CompletableFuture<Room> earlier = unanswered.get(mount.point());
        if (earlier != null && !earlier.isDone()) {
            return CompletableFuture.failedFuture(new IOException("no answer yet"));
        }
        var _ = unanswered.remove(mount.point());
        return ask(mount);
    }

    private @Nullable Room await(Mount mount, CompletableFuture<Room> answer, long deadline) {
        try {
            return answer.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            var _ = unanswered.put(mount.point(), answer);
            return null;
        } catch (ExecutionException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private static final class Families {

        private final Family.Building size = gauge("size_bytes", "Filesystem size in bytes.");
        private final Family.Building free = gauge("free_bytes", "Filesystem free space in bytes.");
        private final Family.Building available =
                gauge("avail_bytes", "Filesystem space available to non-root users in bytes.");
        private final Family.Building files = gauge("files", "Filesystem total file nodes.");
        private final Family.Building filesFree = gauge("files_free", "Filesystem total free file nodes.");
        private final Family.Building readOnly = gauge("readonly", "Filesystem read-only status.");
        private final Family.Building error =
                gauge("device_error", "Whether an error occurred while getting statistics for the given device.");

        private static Family.Building gauge(String name, String help) {
            return Family.gauge("node_filesystem_" + name, help, LABELS);
        }

        void add(Mount mount, @Nullable Room room) {
            String[] labels = {mount.device(), mount.type(), mount.point()};
            error.sample(room == null ? 1 : 0, labels);
            readOnly.sample(mount.readOnly() ? 1 : 0, labels);
            if (room != null) {
                size.sample((double) room.sizeBytes(), labels);
                free.sample((double) room.freeBytes(), labels);
                available.sample((double) room.availableBytes(), labels);
                files.sample((double) room.files(), labels);
                filesFree.sample((double) room.filesFree(), labels);
            }
        }

        List<Family> build() {
            return List.of(
                    size.build(),
                    free.build(),
                    available.build(),
                    files.build(),
                    filesFree.build(),
                    readOnly.build(),
                    error.build());
        }
    }
}
