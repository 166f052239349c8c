package dev.understudy.agent.database;

import dev.understudy.protocol.ClusterSpec.MinFree;
import dev.understudy.protocol.Observation.Trouble;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What is the matter with a server that lives: told apart, because only some of it is a reason to replace it. The
/// disk is looked at beside the server, which may not answer just because of it: a small file beside the data is
/// written and synced, on a thread that is left behind when the write does not return.
///
/// Confined to the thread that observes, apart from the disk's own.
final class Troubles {

    /// Commits or writes that have waited for less are nothing to talk about.
    static final Duration WAITING = Duration.ofSeconds(1);

    /// A synced write that takes longer is taken for one that does not return.
    static final Duration STALLED = Duration.ofSeconds(3);

    private static final Duration DISK_INTERVAL = Duration.ofSeconds(2);
    private static final String PROBE_FILE = ".understudy-probe";

    private final LongSupplier clock;
    private final MinFree full;
    private final Map<Trouble, Long> since = new EnumMap<>(Trouble.class);
    private volatile @Nullable DiskLook running;
    /// The last write that returned came to nothing.
    private volatile boolean failing;
    private long looked;
    private boolean ever;

    /// A write under way, or the last one.
    private static final class DiskLook {
        final long began;
        volatile boolean over;

        DiskLook(long began) {
            this.began = began;
        }
    }

    /// @param clock nanoseconds, monotonic
    /// @param full with less space the disk is full
    Troubles(LongSupplier clock, MinFree full) {
        this.clock = clock;
        this.full = full;
    }

    /// @param view what the server said, null if it did not
    /// @param error why the server let nobody in, null if it did
    /// @param data the folder of the server's data, null while it is not known
    List<Trouble> of(@Nullable ServerView view, Dialect.Load load, @Nullable SQLException error, @Nullable Path data) {
        boolean unacknowledged = view != null && view.semiSyncPrimary() && view.waitingCommits() > 0;
        List<Trouble> troubles = new ArrayList<>();
        if (load.exhausted() || (error != null && MariaDb.noConnectionLeft(error))) {
            troubles.add(Trouble.EXHAUSTED);
        }
        if (lasts(Trouble.SEMI_SYNC_BLOCKED, unacknowledged)) {
            troubles.add(Trouble.SEMI_SYNC_BLOCKED);
        }
        if (lasts(Trouble.WRITES_BLOCKED, load.lockWaits() > 0)) {
            troubles.add(Trouble.WRITES_BLOCKED);
        }
        if (data != null) {
            disk(data, troubles);
        }
        return troubles;
    }

    private boolean lasts(Trouble trouble, boolean now) {
        if (!now) {
            since.remove(trouble);
            return false;
        }
        long began = since.computeIfAbsent(trouble, _ -> clock.getAsLong());
        return clock.getAsLong() - began >= WAITING.toNanos();
    }

    private void disk(Path data, List<Trouble> troubles) {
        DiskLook look = running;
        boolean busy = look != null && !look.over;
        if (busy && look != null && clock.getAsLong() - look.began > STALLED.toNanos()) {
            troubles.add(Trouble.DISK_STALLED);
            return; // statvfs may hang as well
        }
        try {
            FileStore store = Files.getFileStore(data);
            if (!full.met(store.getUsableSpace(), store.getTotalSpace())) {
                troubles.add(Trouble.DISK_FULL);
            }
            if (store.isReadOnly()) {
                troubles.add(Trouble.READ_ONLY_DISK);
            }
        } catch (IOException e) {
            return; // what cannot be looked at is not told
        }
        boolean seen = troubles.contains(Trouble.DISK_FULL) || troubles.contains(Trouble.READ_ONLY_DISK);
        if (!seen && failing) {
            // after an error ext4 refuses every write and, since Linux 6.15, is still mounted rw: emergency_ro
            troubles.add(Trouble.READ_ONLY_DISK);
        }
        if (!busy && !seen && (!ever || clock.getAsLong() - looked > DISK_INTERVAL.toNanos())) {
            ever = true;
            looked = clock.getAsLong();
            write(data.resolve(PROBE_FILE));
        }
    }

    private void write(Path file) {
        DiskLook look = new DiskLook(clock.getAsLong());
        running = look;
        Thread.ofPlatform().name("disk-probe").daemon(true).start(() -> {
            try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                out.write(ByteBuffer.wrap(new byte[] {'\n'}));
                out.force(false);
                failing = false;
            } catch (AccessDeniedException | NoSuchFileException e) {
                failing = false; // not this agent's to write to: that it returned is what counts
            } catch (IOException e) {
                failing = true;
            } finally {
                look.over = true;
            }
        });
    }
}
