package dev.understudy.agent.database;

import dev.understudy.agent.database.BinlogFile.Transaction;
import dev.understudy.agent.database.EventKeeper.ScheduledEvent;
import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.HeartbeatRow;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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

    /// The server's counters by name, as it prints them.
    Map<String, String> status(Session session, Duration timeout) throws SQLException;

    /// The server's settings by name, as it prints them.
    Map<String, String> variables(Session session, Duration timeout) throws SQLException;

    /// Replication from each source, by column. Blocks while another session stops replication.
    List<Map<String, String>> replicas(Session session, Duration timeout) throws SQLException;

    int waitingCommits(Session session, Duration timeout) throws SQLException;

    /// What sessions wait for, and whether another one would be let in.
    Load load(Session session, Duration timeout) throws SQLException;

    /// @param lockWaits sessions whose statement has waited for a lock for a second or more: an operator's, a backup's,
    /// DDL's
    /// @param exhausted no connection is left for an ordinary account
    record Load(int lockWaits, boolean exhausted) {
        static final Load NONE = new Load(0, false);

        /// The same, when a session of the agent's own is known to have waited for a lock.
        Load waiting() {
            return new Load(Math.max(1, lockWaits), exhausted);
        }
    }

    /// How it is set up, and what of it is amiss for one that may be promoted.
    ///
    /// @param replicationUser the account with which others follow this server; empty: it is not looked for
    /// @param start from [#startOptions]
    Setup settings(
            Session session,
            String replicationUser,
            Optional<StartOptions> start,
            @Nullable ReplicaView replica,
            Duration timeout)
            throws SQLException;

    /// @param binlogFormat ROW, MIXED or STATEMENT; empty without a binary log
    /// @param findings what blocks first
    record Setup(String version, long serverId, String binlogFormat, long gtidDomain, List<Finding> findings) {}

    /// With what the process would be started again. Runs a program; empty if that cannot be found out.
    Optional<StartOptions> startOptions(long pid);

    /// How an empty server becomes a member.
    Bootstrap bootstrap();

    /// The folder of the server's data.
    Path dataFolder(Session session, Duration timeout) throws SQLException;

    /// The server's process id as its own pid file says, 0 if it cannot be read.
    long processId(Session session, Duration timeout) throws SQLException;

    void setReadOnly(Session session, boolean readOnly, Duration timeout) throws SQLException;

    /// Ends the statement that the connection runs, or the connection too.
    void kill(Session session, long connection, boolean statementOnly, Duration timeout) throws SQLException;

    /// Ids of client connections: not replication's, not the server's own, not `ours`.
    Set<Long> clientSessions(Session session, Set<Long> ours, Duration timeout) throws SQLException;

    /// Ids of client connections with an open transaction that has changed something and is older than `age`.
    Set<Long> writingSessions(Session session, Set<Long> ours, Duration age, Duration timeout) throws SQLException;

    /// Whose transactions these connections run and for how long, for people: `12 (app@10.0.0.5, 340 s)`.
    List<String> transactions(Session session, Set<Long> connections, Duration timeout) throws SQLException;

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

    /// How the storage engine's own log is flushed at commits, as the server's setting spells it.
    String commitFlush(Session session, Duration timeout) throws SQLException;

    /// Sets that until the server's next start.
    void commitFlush(Session session, String setting, Duration timeout) throws SQLException;

    /// The setting with which a commit is in the engine's own log before it is answered.
    String flushEachCommit();

    /// Brings the engine's own log to the disk, with all commits that were answered so far.
    void flushEngine(Session session, Duration timeout) throws SQLException;

    /// The account lacks a right.
    boolean isForbidden(SQLException error);

    /// Semi-sync for the replica role. Counts from the receiver's next start.
    void semiSyncReplica(Session session, boolean on, Duration timeout) throws SQLException;

    /// Waits until the position is applied. False: not within the wait.
    boolean awaitApplied(Session session, GtidList position, Duration wait) throws SQLException;

    /// Writes the heartbeat row of the group, unless the server is read-only when the row's turn comes: a statement
    /// that waited behind the one that made it read-only writes nothing, whatever the account may do. Waits for
    /// locks for a second at most; for an acknowledgement as long as it takes, because ending that wait would
    /// leave the row here alone.
    ///
    /// @return whether it was written
    boolean writeHeartbeat(Session session, String group, long epoch, long micros) throws SQLException;

    /// The heartbeat row of the group as it is on this server; empty if there is none yet.
    Optional<HeartbeatRow> readHeartbeat(Session session, String group, Duration timeout) throws SQLException;

    /// Makes the table of heartbeat rows. The caller has made sure that the server is not made read-only meanwhile.
    void createHeartbeatTable(Session session) throws SQLException;

    /// The scheduled events that the account may see.
    List<ScheduledEvent> events(Session session, Duration timeout) throws SQLException;

    /// Makes the list of those that run, if it is not there. The caller has made sure that the server is not made
    /// read-only meanwhile.
    void createEventTable(Session session) throws SQLException;

    /// The keys of those that are on the list.
    Set<String> runningEvents(Session session, Duration timeout) throws SQLException;

    /// Puts one on the list or takes it off, unless the server is read-only when the row's turn comes. Replicated, as
    /// the heartbeat row is.
    void listEvent(Session session, ScheduledEvent event, boolean runs) throws SQLException;

    /// From now on this server runs it, with the rights that it had. Replicated; waits for an acknowledgement as long
    /// as it takes. The caller has made sure that the server is not made read-only meanwhile.
    void wakeEvent(Session session, ScheduledEvent event) throws SQLException;

    /// The statement failed because the table of heartbeat rows is not there.
    boolean tableMissing(SQLException error);

    /// The statement gave up waiting for somebody's lock.
    boolean lockedError(SQLException error);

    /// Whether another server's binary log has this one's history up to the position.
    BinlogPresence.Answer presentAt(Session other, ServerView mine, Duration timeout) throws SQLException;

    /// Whether another server's binary log has this very transaction, after the one before it in its domain.
    BinlogPresence.Answer sameAt(Session other, Transaction before, Transaction transaction, Duration timeout)
            throws SQLException;

    /// The file that names the files of the server's binary log.
    Path binlogIndex(Session session, Duration timeout) throws SQLException;

    /// The latest transactions of the server's own binary log, read from its files, oldest first, at most so many.
    List<Transaction> latest(Session session, int most) throws SQLException, IOException;

    /// The command that prints a part of a binary log file for people, rows included.
    ///
    /// @param begin offset of the first event
    /// @param end offset behind the last event
    List<String> decoder(Path file, long begin, long end);

    /// The command that writes a copy of the running server's data to its standard output; the account's password is
    /// in its environment.
    ///
    /// @param temporary an empty folder for what it has to keep meanwhile
    List<String> backup(Path socket, String user, Path temporary);

    /// The command that unpacks such a copy from its standard input into a folder.
    List<String> unpack(Path folder);

    /// The command that makes an unpacked copy consistent, so that a server can start with it.
    List<String> prepare(Path folder);

    /// The programs that the three need.
    List<String> copyPrograms();

    /// Up to where a copy that was unpacked into a folder has everything: a GTID list.
    ///
    /// @throws IOException it does not say
    String backupPosition(Path folder) throws IOException;

    /// Says to a server that was just started from a copy where it stands. It replicates from nobody yet.
    ///
    /// @param state for its binary log, if that is empty: the position, and before it who else has written. Without
    /// those, a server that has written earlier would be taken for diverged if this one became the primary
    void seed(Session session, GtidList position, GtidList state, Duration timeout) throws SQLException;

    /// The client ports of connections of this account, from this host, that stream another server's binary log to a
    /// replica, by connection id.
    Map<Long, Integer> dumps(Session other, Duration timeout) throws SQLException;

    /// Connections of that host's to this server that stream its binary log, by connection id.
    Set<Long> dumpsOf(Session session, String address, Duration timeout) throws SQLException;

    /// Folder and file name prefix of the relay log files.
    String relayLogBase(Session session, Duration timeout) throws SQLException;

    /// The relay log file that holds the first event which may not be applied, empty if no replication is configured.
    String relayLogFile(Session session, Duration timeout) throws SQLException;

    /// At most `most` events of a relay log file, from its beginning or after the one at `after`.
    ///
    /// @param after 0 for the beginning
    List<RelayLog.Event> relayEvents(Session session, String file, long after, int most, Duration timeout)
            throws SQLException;

    /// There is no log file of that name.
    boolean noSuchLog(SQLException error);

    /// A log file holds something that is no event.
    boolean unreadableLog(SQLException error);

    /// Has the applier, at its next start, begin at a place in the relay log, which is kept, and stay behind on purpose
    /// no more. Both threads are stopped.
    void applyFrom(Session session, String file, long position, Duration timeout) throws SQLException;

    /// Follows by GTID again after [#applyFrom]. The next start purges the relay log.
    void followByGtid(Session session, Duration timeout) throws SQLException;

    /// The server lives but lets nobody in (too many connections, access denied): no sign of death.
    boolean aliveError(SQLException error);
}
