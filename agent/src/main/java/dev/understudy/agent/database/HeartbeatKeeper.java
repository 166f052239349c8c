package dev.understudy.agent.database;

import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.database.Sessions.Purpose;
import dev.understudy.protocol.Observation.HeartbeatRow;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the heartbeat row on the primary and reads it on a replica, so that the difference between both rows says
/// how far the replica is behind. At most one write is under way: while its commit waits for an acknowledgement no
/// other one is begun, and it is never ended from here (it would stay on this server alone). A lock that somebody
/// holds ends the attempt after a second, and is told.
///
/// [#beat] is for one thread of its own; what it found is read by any.
final class HeartbeatKeeper {

    /// Between two rows.
    static final Duration INTERVAL = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(HeartbeatKeeper.class);
    private static final Duration READ = Duration.ofSeconds(1);

    private final Server server;
    private final Fence fence;
    private final LongSupplier clock;
    private final EventKeeper events;
    private volatile @Nullable HeartbeatRow latest;
    private volatile boolean locked;
    private long written;
    private boolean ever;
    private String told = "";

    /// @param clock nanoseconds, monotonic
    HeartbeatKeeper(Server server, Fence fence, LongSupplier clock) {
        this.server = server;
        this.fence = fence;
        this.clock = clock;
        this.events = new EventKeeper(server, fence, clock);
    }

    /// The newest row of this server that is known here.
    @Nullable
    HeartbeatRow latest() {
        return latest;
    }

    /// The last row could not be written because of somebody's lock.
    boolean locked() {
        return locked;
    }

    void beat(long epoch, LeaseCheck lease) {
        if (epoch > 0 && ever && clock.getAsLong() - written < INTERVAL.toNanos()) {
            return;
        }
        try {
            Session session = server.sessions().of(Purpose.HEARTBEAT, Server.CONNECT);
            if (epoch == 0 || !write(session, epoch, lease)) {
                locked = false;
                latest = server.sql()
                        .readHeartbeat(session, server.group().name(), READ)
                        .orElse(null);
            }
            tell("");
        } catch (SQLException e) {
            locked = server.sql().lockedError(e);
            tell(Server.describe(e));
        }
    }

    /// False if the server takes no writes, or not from here.
    private boolean write(Session session, long epoch, LeaseCheck lease) throws SQLException {
        ever = true;
        written = clock.getAsLong();
        long seen = fence.closings();
        ServerView view = server.sql().look(session, Server.STATEMENT);
        if (view.readOnly() || !lease.live()) {
            return false;
        }
        try {
            boolean put = put(session, view.serverId(), epoch);
            if (put) {
                events.keep(session, epoch, lease, seen);
            }
            return put;
        } catch (SQLException e) {
            if (!server.sql().tableMissing(e)) {
                throw e;
            }
            fence.whileOpen(lease, seen, () -> server.sql().createHeartbeatTable(session));
            log.info("event=heartbeat-table-created group={}", server.group().name());
            return lease.live() && put(session, view.serverId(), epoch);
        }
    }

    private boolean put(Session session, long serverId, long epoch) throws SQLException {
        long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        if (!server.sql().writeHeartbeat(session, server.group().name(), epoch, micros)) {
            return false;
        }
        locked = false;
        latest = new HeartbeatRow(serverId, epoch, micros);
        return true;
    }

    /// Once when it begins and once when it is over. A server that is gone is told by those who look at it.
    private void tell(String problem) {
        if (!problem.equals(told)) {
            log.info(
                    "event=heartbeat-row group={} problem=\"{}\"",
                    server.group().name(),
                    problem);
            told = problem;
        }
    }
}
