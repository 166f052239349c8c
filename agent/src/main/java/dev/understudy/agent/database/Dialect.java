package dev.understudy.agent.database;

import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.GtidList;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Every SQL statement of the database half, by what it is for. One implementation an engine. Each call takes at
/// most its time-out and throws what the server or the driver says; none decides anything.
sealed interface Dialect permits MariaDb {

    /// @throws IllegalArgumentException if the engine is not known
    static Dialect named(String engine) {
        return switch (engine) {
            case "mariadb" -> new MariaDb();
            default -> throw new IllegalArgumentException("engine '" + engine + "' is not known: mariadb");
        };
    }

    /// Everything but replication. Takes no lock that an operator's lock, DDL or a waiting commit could hold.
    ServerView look(Session session, Duration timeout) throws SQLException;

    /// Replication from a primary, empty if none is configured. Blocks while another session stops replication.
    Optional<ReplicaView> lookReplica(Session session, Duration timeout) throws SQLException;

    int waitingCommits(Session session, Duration timeout) throws SQLException;

    /// The server's process id as its own pid file says, 0 if it cannot be read.
    long processId(Session session, Duration timeout) throws SQLException;

    void setReadOnly(Session session, boolean readOnly, Duration timeout) throws SQLException;

    /// Ends the statement that the connection runs, or the connection too.
    void kill(Session session, long connection, boolean statementOnly, Duration timeout) throws SQLException;

    /// Ids of client connections: not replication's, not the server's own, not `ours`.
    Set<Long> clientSessions(Session session, Set<Long> ours, Duration timeout) throws SQLException;

    /// Ids of client connections with an open transaction that has changed something and is older than `age`.
    Set<Long> writingSessions(Session session, Set<Long> ours, Duration age, Duration timeout) throws SQLException;

    void startApplier(Session session, Duration timeout) throws SQLException;

    void startReceiver(Session session, Duration timeout) throws SQLException;

    void stopReceiver(Session session, Duration timeout) throws SQLException;

    void stopReplication(Session session, Duration timeout) throws SQLException;

    void startReplication(Session session, Duration timeout) throws SQLException;

    /// Forgets the primary and the relay log.
    void forgetPrimary(Session session, Duration timeout) throws SQLException;

    /// Configures, without starting, to follow a primary from `position`.
    void followFrom(
            Session session,
            String address,
            int port,
            String user,
            String password,
            GtidList position,
            Duration timeout)
            throws SQLException;

    /// Semi-sync for the primary role (no time-out, wait after sync) on or off. Off releases waiting commits as if
    /// they were acknowledged: the caller has made sure that none waits, or that it was journaled.
    void semiSyncPrimary(Session session, boolean on, Duration timeout) throws SQLException;

    /// Semi-sync for the replica role. Counts from the receiver's next start.
    void semiSyncReplica(Session session, boolean on, Duration timeout) throws SQLException;

    /// Waits until the position is applied. False: not within the wait.
    boolean awaitApplied(Session session, GtidList position, Duration wait) throws SQLException;

    /// Whether another server's binary log has this one's history up to the position.
    BinlogPresence.Answer presentAt(Session other, ServerView mine, Duration timeout) throws SQLException;

    /// The client ports of connections of this account, from this host, that stream another server's binary log to a
    /// replica, by connection id.
    Map<Long, Integer> dumps(Session other, Duration timeout) throws SQLException;

    /// Folder and file name prefix of the relay log files.
    String relayLogBase(Session session, Duration timeout) throws SQLException;

    /// The server lives but lets nobody in (too many connections, access denied): no sign of death.
    boolean aliveError(SQLException error);
}
