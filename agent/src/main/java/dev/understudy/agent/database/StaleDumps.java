package dev.understudy.agent.database;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Ends what is left on a primary of this host's earlier receivers, before a receiver starts again. When a replica
/// comes back while its earlier dump thread is still there (the connection was cut silently), MariaDB's primary ends
/// that thread by itself and, with semi-sync, may hang for ever: the new dump thread waits in
/// `Ack_receiver::remove_slave` for an acknowledgement thread that polls without a time-out, and holds the lock that
/// every new connection needs (10.11.19, seen by its stack). Killed from outside its socket is shut down and the
/// poll wakes.
///
/// The replication account may see and kill its own connections without a further grant.
final class StaleDumps {

    private static final Duration STATEMENT = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final String ESTABLISHED = "01";

    private final Dialect sql;
    private final int primaryPort;

    StaleDumps(Dialect sql, int primaryPort) {
        this.sql = sql;
        this.primaryPort = primaryPort;
    }

    /// Returns when they are gone, or after a few seconds.
    void end(Session primary, Deadline deadline) throws SQLException {
        Deadline patience = Deadline.in(deadline.left(PATIENCE));
        Set<Long> killed = new HashSet<>();
        while (true) {
            Map<Long, Integer> stale = sql.dumps(primary, STATEMENT);
            stale.values().removeAll(livePorts());
            if (stale.isEmpty() || patience.isOver()) {
                return;
            }
            for (long id : stale.keySet()) {
                if (killed.add(id)) {
                    sql.kill(primary, id, false, STATEMENT);
                }
            }
            Replication.pause();
        }
    }

    /// Local ports of this host's established connections to the primary's port: a receiver of another server that
    /// runs here. See proc(5), `/proc/net/tcp`.
    private Set<Integer> livePorts() {
        Set<Integer> ports = new HashSet<>();
        for (Path file : List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"))) {
            for (String line : lines(file)) {
                String[] fields = line.strip().split("\\s+", -1);
                if (fields.length > 3 && fields[3].equals(ESTABLISHED) && port(fields[2]) == primaryPort) {
                    ports.add(port(fields[1]));
                }
            }
        }
        return ports;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of(); // no such protocol on this host
        }
    }

    private static int port(String address) {
        int colon = address.lastIndexOf(':');
        return colon < 0 ? -1 : Integer.parseInt(address.substring(colon + 1), 16);
    }
}
