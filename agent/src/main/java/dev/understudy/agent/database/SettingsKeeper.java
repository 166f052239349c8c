package dev.understudy.agent.database;

import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.Observation.Settings;
import dev.understudy.protocol.Observation.Severity;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// How the server is set up, read when it is seen to have started and then once a minute. [#keep] is for the one that
/// looks at the server; what was read is for any thread.
final class SettingsKeeper {

    private static final Duration INTERVAL = Duration.ofMinutes(1);
    /// Somebody may be about to mend it, and a failover may wait for that.
    private static final Duration WHILE_UNFIT = Duration.ofSeconds(5);
    private static final long MIB = 1L << 20;

    private final Server server;
    private final LongSupplier clock;
    private final AtomicReference<@Nullable Started> started = new AtomicReference<>();
    private volatile @Nullable Settings latest;
    private String run = "";
    private long begun;
    private boolean reading;

    /// What was found out about its start, by a thread of its own: a program has to be run for it.
    private record Started(Optional<StartOptions> options) {}

    /// @param clock nanoseconds, monotonic
    SettingsKeeper(Server server, LongSupplier clock) {
        this.server = server;
        this.clock = clock;
    }

    Optional<Settings> latest() {
        return Optional.ofNullable(latest);
    }

    /// Reads when it is time to.
    ///
    /// @param serverStart identifies this run of the server
    void keep(
            Session session,
            Deadline deadline,
            String serverStart,
            @Nullable ReplicaView replica,
            @Nullable Path data,
            Duration limit)
            throws SQLException {
        Settings known = latest;
        boolean unfit =
                known != null && known.findings().stream().anyMatch(finding -> finding.severity() == Severity.BLOCKS);
        boolean due =
                !serverStart.equals(run) || clock.getAsLong() - begun > (unfit ? WHILE_UNFIT : INTERVAL).toNanos();
        if (due && !reading) {
            reading = true;
            run = serverStart;
            begun = clock.getAsLong();
            started.set(null);
            long pid = server.processId(session);
            Thread.ofVirtual()
                    .name("database-options")
                    .start(() -> started.set(new Started(server.sql().startOptions(pid))));
        }
        Started start = started.get();
        if (reading && start != null) {
            latest = read(
                    server.sql()
                            .settings(
                                    session,
                                    server.local().replicationUser(),
                                    start.options(),
                                    replica,
                                    deadline.left(limit)),
                    replica,
                    data);
            reading = false;
        }
    }

    private Settings read(Dialect.Setup setup, @Nullable ReplicaView replica, @Nullable Path data) {
        long free = -1;
        long total = -1;
        if (data != null) {
            try {
                FileStore store = Files.getFileStore(data);
                free = store.getUsableSpace() / MIB * MIB;
                total = store.getTotalSpace() / MIB * MIB;
            } catch (IOException e) {
                free = -1; // a folder that this agent may not see
            }
        }
        return new Settings(
                server.group().name(),
                setup.version(),
                setup.serverId(),
                setup.binlogFormat(),
                setup.gtidDomain(),
                replica == null ? 0 : replica.delaySeconds(),
                free,
                total,
                setup.findings());
    }
}
