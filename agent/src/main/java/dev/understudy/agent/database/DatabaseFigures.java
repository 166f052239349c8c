package dev.understudy.agent.database;

import dev.understudy.agent.database.Sessions.Purpose;
import dev.understudy.wire.metrics.Family;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// The server's figures for a scrape, over a session of their own: whatever hangs there, no look, command or fence
/// waits for it. A server that does not answer within [#LIMIT] is not up. Thread-safe.
final class DatabaseFigures {

    /// For the whole of one scrape, connecting included.
    private static final Duration LIMIT = Duration.ofSeconds(1);

    private static final Duration CONNECT = Duration.ofMillis(300);

    private final Server server;
    private final ReentrantLock reading = new ReentrantLock();
    private volatile boolean up;

    DatabaseFigures(Server server) {
        this.server = server;
    }

    private interface Reading {
        List<Family> read(Session session, Duration timeout) throws SQLException;
    }

    /// Everything as it is now. A second scrape at the same time hears only whether the server was up a moment ago.
    List<Family> read() {
        if (!reading.tryLock()) {
            return List.of(up(up));
        }
        try {
            return readNow();
        } finally {
            reading.unlock();
        }
    }

    private List<Family> readNow() {
        Deadline deadline = Deadline.in(LIMIT);
        List<Family> all = new ArrayList<>();
        Family.Building success = Family.gauge(
                "mysql_exporter_collector_success",
                "Whether a collector of this page could read its source.",
                "collector");
        Family.Building took = Family.gauge(
                "mysql_exporter_collector_duration_seconds", "How long a collector of this page took.", "collector");
        Dialect sql = server.sql();
        up = part(
                "global_status",
                deadline,
                (session, limit) -> MysqldNames.status(sql.status(session, limit)),
                all,
                success,
                took);
        if (up) {
            part(
                    "global_variables",
                    deadline,
                    (session, limit) -> MysqldNames.variables(sql.variables(session, limit)),
                    all,
                    success,
                    took);
            part("heartbeat", deadline, this::heartbeat, all, success, took);
            // last: it waits while replication is being stopped
            if (!server.stopping()) {
                part(
                        "slave_status",
                        deadline,
                        (session, limit) -> MysqldNames.replicas(sql.replicas(session, limit)),
                        all,
                        success,
                        took);
            }
        }
        all.add(up(up));
        all.add(success.build());
        all.add(took.build());
        return all;
    }

    private boolean part(
            String name,
            Deadline deadline,
            Reading reading,
            List<Family> all,
            Family.Building success,
            Family.Building took) {
        long began = System.nanoTime();
        boolean read;
        try {
            Session session = server.sessions().of(Purpose.SCRAPE, deadline.left(CONNECT));
            all.addAll(reading.read(session, deadline.left()));
            read = true;
        } catch (SQLException e) {
            server.sessions().drop(Purpose.SCRAPE);
            read = false;
        }
        success.sample(read ? 1 : 0, name);
        took.sample((System.nanoTime() - began) / 1e9, name);
        return read;
    }

    private List<Family> heartbeat(Session session, Duration limit) throws SQLException {
        return server.sql()
                .readHeartbeat(session, server.group().name(), limit)
                .map(row -> MysqldNames.heartbeat(row, Instant.now().toEpochMilli() / 1e3))
                .orElse(List.of());
    }

    private static Family up(boolean up) {
        return Family.gauge("mysql_up", "Whether the MySQL server is up.").of(up ? 1 : 0);
    }
}
