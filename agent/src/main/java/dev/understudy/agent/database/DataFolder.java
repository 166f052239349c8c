package dev.understudy.agent.database;

import dev.understudy.agent.database.Sessions.Purpose;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the server's data are, also while it is dead (the path is kept in the agent's own folder), and how much they
/// are. Sizes are taken now and then, on a thread of their own. Thread-safe.
final class DataFolder {

    private static final Logger log = LoggerFactory.getLogger(DataFolder.class);

    private static final Duration AGAIN = Duration.ofMinutes(1);

    private final Server server;
    private final AtomicBoolean looking = new AtomicBoolean();
    private volatile @Nullable Path path;
    private volatile long bytes = -1;
    private volatile long free = -1;
    private volatile String cannotReceive = "its data folder is not known yet";
    private volatile long lookedAt;
    private volatile @Nullable DataSwap known;

    DataFolder(Server server) {
        this.server = server;
        Path kept = kept();
        if (Files.isRegularFile(kept)) {
            try {
                path = Path.of(Files.readString(kept).strip());
            } catch (IOException | RuntimeException e) {
                log.warn("event=data-folder-unread file={} reason=\"{}\"", kept, e.toString());
            }
        }
    }

    private Path kept() {
        return server.local().besideCopies("data-folder-" + server.group().name());
    }

    /// The server said where its data are.
    void know(Path folder) {
        if (folder.equals(path)) {
            return;
        }
        path = folder;
        try {
            Path half =
                    server.local().besideCopies("data-folder-" + server.group().name() + ".half");
            Files.createDirectories(half.getParent());
            Files.writeString(half, folder + "\n");
            Files.move(half, kept(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            log.warn("event=data-folder-not-kept reason=\"{}\"", e.toString());
        }
    }

    /// As things are now; empty while the folder has never been known.
    Optional<DataSwap> swap() {
        DataSwap now = path == null ? null : new DataSwap(path);
        known = now;
        return Optional.ofNullable(now);
    }

    /// As things were at the last look.
    Optional<DataSwap> known() {
        return Optional.ofNullable(known);
    }

    long bytes() {
        return bytes;
    }

    long free() {
        return free;
    }

    /// Why a copy could not take the data's place, empty if it could.
    String cannotReceive() {
        return cannotReceive;
    }

    /// Looks again on another thread, if the last look is old.
    void lookAgain() {
        boolean due = lookedAt == 0 || System.nanoTime() - lookedAt > AGAIN.toNanos();
        if (path != null && due && looking.compareAndSet(false, true)) {
            Thread.ofVirtual().name("data-folder").start(() -> {
                try {
                    look();
                } finally {
                    looking.set(false);
                }
            });
        }
    }

    /// Looks now.
    void look() {
        DataSwap swap = swap().orElse(null);
        if (swap == null) {
            return;
        }
        lookedAt = System.nanoTime();
        try {
            cannotReceive = swap.hindrance();
            if (Files.isDirectory(swap.data())) {
                free = swap.room();
                bytes = size(swap.data(), logs());
            }
        } catch (IOException e) {
            log.warn("event=data-folder-not-measured reason=\"{}\"", e.toString());
        }
    }

    /// Beginnings of the names of the server's log files, which no copy has.
    private List<Path> logs() {
        List<Path> names = new ArrayList<>();
        try {
            Session session = server.sessions().of(Purpose.PROBE, Server.CONNECT);
            Path index = server.sql().binlogIndex(session, Server.STATEMENT);
            names.add(index.resolveSibling(String.valueOf(index.getFileName()).replaceAll("index$", "")));
            String relay = server.sql().relayLogBase(session, Server.STATEMENT);
            if (!relay.isEmpty()) {
                names.add(Path.of(relay + "."));
            }
        } catch (SQLException e) {
            log.debug("event=logs-not-known reason=\"{}\"", e.toString());
        }
        return names;
    }

    private static long size(Path folder, List<Path> without) throws IOException {
        long[] sum = {0};
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes) {
                return visited.getParent() != null
                                && visited.getParent().equals(folder)
                                && DataSwap.isOurs(String.valueOf(visited.getFileName()))
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                boolean isLog =
                        without.stream().anyMatch(name -> file.toString().startsWith(name.toString()));
                sum[0] += isLog || !attributes.isRegularFile() ? 0 : attributes.size();
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException gone) {
                return FileVisitResult.CONTINUE; // tables come and go
            }
        });
        return sum[0];
    }
}
