package dev.understudy.agent.database;

import dev.understudy.agent.database.BinlogFile.Transaction;
import dev.understudy.agent.database.EventKeeper.ScheduledEvent;
import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation.HeartbeatRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// MariaDB 10.5 and later.
final class MariaDb implements Dialect {

    private static final String LOOK = """
        SELECT @@global.version AS version, @@global.server_id AS server_id, @@global.read_only AS read_only,
               @@global.gtid_binlog_pos AS binlog, @@global.gtid_binlog_state AS state,
               @@global.gtid_slave_pos AS applied, @@global.rpl_semi_sync_master_enabled AS semi_primary,
               @@global.rpl_semi_sync_slave_enabled AS semi_replica""";

    private static final String SEMI_SYNC_STATUS = """
        SHOW GLOBAL STATUS WHERE Variable_name IN ('Rpl_semi_sync_master_clients',\
        'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_master_no_tx')""";

    private static final int ACCESS_DENIED = 1227;

    private static final String BACKUP = "mariadb-backup";
    private static final String UNPACK = "mbstream";

    private static final String LOAD = """
        SELECT (SELECT COUNT(*) FROM information_schema.processlist
                WHERE state LIKE 'Waiting for % lock' AND time_ms > 1000 AND user <> 'system user') AS waits,
               (SELECT variable_value FROM information_schema.global_status
                WHERE variable_name = 'THREADS_CONNECTED') AS connected,
               @@global.max_connections AS most_connections""";

    private static final String CLIENTS = """
        SELECT id FROM information_schema.processlist
        WHERE user NOT IN ('system user', 'event_scheduler', 'unauthenticated user')
          AND command NOT IN ('Binlog Dump', 'Daemon', 'Slave_IO', 'Slave_SQL', 'Slave_worker')""";

    /// Not those whose commit waits for an acknowledgement: ending one commits it here, unacknowledged.
    private static final String WRITERS = """
        SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx
        WHERE trx_rows_modified > 0 AND trx_mysql_thread_id > 0
          AND trx_mysql_thread_id NOT IN (
            SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for semi-sync ACK%')
          AND trx_started <= now() - INTERVAL""";

    private static final String EVENT_TABLE = """
        CREATE TABLE IF NOT EXISTS understudy.scheduled_event (
          event_schema VARCHAR(64) NOT NULL,
          event_name VARCHAR(64) NOT NULL,
          runs TINYINT NOT NULL,
          PRIMARY KEY (event_schema, event_name)
        ) ENGINE = InnoDB CHARACTER SET utf8mb4""";

    private static final String EVENT_TABLE_THERE = """
        SELECT 1 FROM information_schema.tables
        WHERE table_schema = 'understudy' AND table_name = 'scheduled_event'""";

    /// No time-out at all, as far as the server can say it.
    private static final String FOR_EVER = "18446744073709551615";

    /// As a row event, so that nothing of it is worked out again on a replica.
    private static final String HEARTBEAT_SESSION =
            "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1, binlog_format = 'ROW'";

    static final String HEARTBEAT_TABLE = """
        CREATE TABLE IF NOT EXISTS understudy.heartbeat (
          cluster_group VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
          server_id INT UNSIGNED NOT NULL,
          epoch BIGINT UNSIGNED NOT NULL,
          micros BIGINT NOT NULL) ENGINE = InnoDB""";

    /// A wait that only the server's own answer, or its end, ends.
    private static final Duration UNTIL_ANSWERED = Duration.ofDays(1);

    private static final Set<Integer> TABLE_MISSING = Set.of(1146, 1049);
    private static final int LOCK_WAIT_OVER = 1205;

    private static final int TOO_MANY_CONNECTIONS = 1040;
    private static final Set<Integer> ALIVE = Set.of(TOO_MANY_CONNECTIONS, 1203, 1044, 1045, 1129, 1130, 1226, 1698);
    private static final Set<Integer> EXHAUSTED = Set.of(TOO_MANY_CONNECTIONS, 1203, 1226);
    private static final int NO_SUCH_THREAD = 1094;
    private static final int LOG_COMMAND_FAILED = 1220;
    private static final int HEARTBEAT_SECONDS = 1;

    @Override
    public ServerView look(Session session, Duration timeout) throws SQLException {
        Map<String, String> row = session.query(LOOK, timeout).getFirst();
        Map<String, Integer> status = semiSyncStatus(session, timeout);
        return new ServerView(
                text(row, "version"),
                number(row, "server_id"),
                number(row, "read_only") != 0,
                GtidList.parse(text(row, "binlog")),
                GtidList.parse(text(row, "state")),
                GtidList.parse(text(row, "applied")),
                number(row, "semi_primary") != 0,
                number(row, "semi_replica") != 0,
                status.getOrDefault("rpl_semi_sync_master_clients", 0),
                status.getOrDefault("rpl_semi_sync_master_wait_sessions", 0),
                status.getOrDefault("rpl_semi_sync_master_no_tx", 0),
                null);
    }

    private static Map<String, Integer> semiSyncStatus(Session session, Duration timeout) throws SQLException {
        Map<String, Integer> status = new HashMap<>();
        for (Map<String, String> row : session.query(SEMI_SYNC_STATUS, timeout)) {
            status.put(text(row, "Variable_name").toLowerCase(Locale.ROOT), Math.toIntExact(number(row, "Value")));
        }
        return status;
    }

    @Override
    public Optional<ReplicaView> lookReplica(Session session, Duration timeout) throws SQLException {
        List<Map<String, String>> rows = session.query("SHOW SLAVE STATUS", timeout);
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        Map<String, String> row = rows.getFirst();
        String ioError = text(row, "Last_IO_Error");
        String sqlError = text(row, "Last_SQL_Error");
        return Optional.of(new ReplicaView(
                text(row, "Master_Host"),
                Math.toIntExact(number(row, "Master_Port")),
                text(row, "Slave_IO_Running"),
                text(row, "Slave_SQL_Running"),
                GtidList.parse(text(row, "Gtid_IO_Pos")),
                text(row, "Seconds_Behind_Master").isEmpty() ? -1 : number(row, "Seconds_Behind_Master"),
                Math.toIntExact(number(row, "Last_IO_Errno")),
                Math.toIntExact(number(row, "Last_SQL_Errno")),
                sqlError.isEmpty() ? ioError : sqlError,
                number(row, "SQL_Delay"),
                text(row, "Master_SSL_Allowed").equals("Yes")));
    }

    @Override
    public Map<String, String> status(Session session, Duration timeout) throws SQLException {
        return named(session, "SHOW GLOBAL STATUS", timeout);
    }

    @Override
    public Map<String, String> variables(Session session, Duration timeout) throws SQLException {
        return named(session, "SHOW GLOBAL VARIABLES", timeout);
    }

    private static Map<String, String> named(Session session, String sql, Duration timeout) throws SQLException {
        Map<String, String> named = new LinkedHashMap<>();
        for (Map<String, String> row : session.query(sql, timeout)) {
            named.put(text(row, "Variable_name"), text(row, "Value"));
        }
        return named;
    }

    @Override
    public List<Map<String, String>> replicas(Session session, Duration timeout) throws SQLException {
        return session.query("SHOW ALL SLAVES STATUS", timeout);
    }

    @Override
    public int waitingCommits(Session session, Duration timeout) throws SQLException {
        return semiSyncStatus(session, timeout).getOrDefault("rpl_semi_sync_master_wait_sessions", 0);
    }

    @Override
    public Load load(Session session, Duration timeout) throws SQLException {
        Map<String, String> row = session.query(LOAD, timeout).getFirst();
        return new Load(
                Math.toIntExact(number(row, "waits")), number(row, "connected") >= number(row, "most_connections"));
    }

    @Override
    public Setup settings(
            Session session,
            String replicationUser,
            Optional<StartOptions> start,
            @Nullable ReplicaView replica,
            Duration timeout)
            throws SQLException {
        Map<String, String> row = session.query(MariaDbLint.SETTINGS, timeout).getFirst();
        List<String> writers = session.query(MariaDbLint.WRITERS, timeout).stream()
                .map(r -> text(r, "grantee"))
                .toList();
        return new Setup(
                text(row, "version"),
                number(row, "server_id"),
                number(row, "log_bin") != 0 ? text(row, "binlog_format") : "",
                number(row, "gtid_domain_id"),
                MariaDbLint.findings(row, writers, missingAccount(session, replicationUser, timeout), start, replica));
    }

    /// The account, if nobody may follow as it; null also where the agent's account does not see others.
    private static @Nullable String missingAccount(Session session, String user, Duration timeout) throws SQLException {
        if (user.isEmpty()) {
            return null;
        }
        Map<String, String> row = session.query(MariaDbLint.FOLLOWERS.formatted(quoted("'" + user + "'@%")), timeout)
                .getFirst();
        boolean seesOthers = number(row, "accounts") > 1;
        return seesOthers && number(row, "followers") == 0 ? user : null;
    }

    @Override
    public Bootstrap bootstrap() {
        return new MariaDbBootstrap();
    }

    @Override
    public Optional<StartOptions> startOptions(long pid) {
        return StartOptions.of(pid);
    }

    @Override
    public Path dataFolder(Session session, Duration timeout) throws SQLException {
        return Path.of(text(
                session.query("SELECT @@global.datadir AS datadir", timeout).getFirst(), "datadir"));
    }

    /// Nobody is let in because every connection is taken.
    static boolean noConnectionLeft(SQLException error) {
        return EXHAUSTED.contains(error.getErrorCode());
    }

    @Override
    public long processId(Session session, Duration timeout) throws SQLException {
        Map<String, String> row = session.query("SELECT @@global.pid_file AS pid, @@global.datadir AS datadir", timeout)
                .getFirst();
        try {
            Path file = Path.of(text(row, "datadir")).resolve(text(row, "pid"));
            return Long.parseLong(Files.readString(file).strip());
        } catch (IOException | NumberFormatException e) {
            return 0;
        }
    }

    @Override
    public void setReadOnly(Session session, boolean readOnly, Duration timeout) throws SQLException {
        session.run("SET GLOBAL read_only = " + (readOnly ? 1 : 0), timeout);
    }

    @Override
    public void kill(Session session, long connection, boolean statementOnly, Duration timeout) throws SQLException {
        try {
            session.run("KILL HARD " + (statementOnly ? "QUERY " : "CONNECTION ") + connection, timeout);
        } catch (SQLException e) {
            if (e.getErrorCode() != NO_SUCH_THREAD) {
                throw e;
            }
        }
    }

    @Override
    public Set<Long> clientSessions(Session session, Set<Long> ours, Duration timeout) throws SQLException {
        return ids(session, CLIENTS, ours, timeout);
    }

    @Override
    public Set<Long> writingSessions(Session session, Set<Long> ours, Duration age, Duration timeout)
            throws SQLException {
        return ids(session, WRITERS + " " + age.toSeconds() + " SECOND", ours, timeout);
    }

    @Override
    public List<String> transactions(Session session, Set<Long> connections, Duration timeout) throws SQLException {
        String sql = """
            SELECT p.id, p.user, p.host, timestampdiff(SECOND, t.trx_started, now()) AS age
            FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
            WHERE p.id IN (%s) ORDER BY age DESC""".formatted(connections.stream().map(String::valueOf).collect(Collectors.joining(", ")));
        return session.query(sql, timeout).stream()
                .map(row -> "%s (%s@%s, %s s)"
                        .formatted(text(row, "id"), text(row, "user"), client(text(row, "host")), text(row, "age")))
                .toList();
    }

    private static Set<Long> ids(Session session, String sql, Set<Long> except, Duration timeout) throws SQLException {
        return session.query(sql, timeout).stream()
                .map(row -> number(row, "id"))
                .filter(id -> !except.contains(id) && id != session.id())
                .collect(Collectors.toSet());
    }

    @Override
    public void startApplier(Session session, Duration timeout) throws SQLException {
        session.run("START SLAVE SQL_THREAD", timeout);
    }

    @Override
    public void startReceiver(Session session, Duration timeout) throws SQLException {
        session.run("START SLAVE IO_THREAD", timeout);
    }

    @Override
    public void stopReceiver(Session session, Duration timeout) throws SQLException {
        session.run("STOP SLAVE IO_THREAD", timeout);
    }

    @Override
    public void stopReplication(Session session, Duration timeout) throws SQLException {
        session.run("STOP SLAVE", timeout);
    }

    @Override
    public void startReplication(Session session, Duration timeout) throws SQLException {
        session.run("START SLAVE", timeout);
    }

    @Override
    public void forgetPrimary(Session session, Duration timeout) throws SQLException {
        session.run("RESET SLAVE ALL", timeout);
    }

    @Override
    public void followFrom(
            Session session,
            String address,
            int port,
            String user,
            String password,
            GtidList position,
            Duration timeout)
            throws SQLException {
        Map<String, String> row = session.query("SELECT @@global.gtid_slave_pos AS applied", timeout)
                .getFirst();
        if (!text(row, "applied").equals(position.toString())) {
            session.run("SET GLOBAL gtid_slave_pos = '" + position + "'", timeout);
        }
        session.run(
                "CHANGE MASTER TO MASTER_HOST = " + quoted(address) + ", MASTER_PORT = " + port + ", MASTER_USER = "
                        + quoted(user) + ", MASTER_PASSWORD = " + quoted(password)
                        + ", MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = "
                        + HEARTBEAT_SECONDS,
                timeout);
    }

    @Override
    public void semiSyncPrimary(Session session, boolean on, Duration timeout) throws SQLException {
        if (on) {
            session.run(
                    "SET GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC, rpl_semi_sync_master_timeout = "
                            + FOR_EVER + ", rpl_semi_sync_master_wait_no_slave = 1",
                    timeout);
        }
        session.run("SET GLOBAL rpl_semi_sync_master_enabled = " + (on ? 1 : 0), timeout);
    }

    @Override
    public String commitFlush(Session session, Duration timeout) throws SQLException {
        return text(
                session.query("SELECT @@global.innodb_flush_log_at_trx_commit AS value", timeout)
                        .getFirst(),
                "value");
    }

    @Override
    public void commitFlush(Session session, String setting, Duration timeout) throws SQLException {
        session.run("SET GLOBAL innodb_flush_log_at_trx_commit = " + Integer.parseInt(setting), timeout);
    }

    /// With 1 a commit that the binary log has is answered before its end is in InnoDB's log.
    @Override
    public String flushEachCommit() {
        return "3";
    }

    @Override
    public void flushEngine(Session session, Duration timeout) throws SQLException {
        session.run("FLUSH LOCAL ENGINE LOGS", timeout);
    }

    @Override
    public boolean isForbidden(SQLException error) {
        return error.getErrorCode() == ACCESS_DENIED;
    }

    @Override
    public void semiSyncReplica(Session session, boolean on, Duration timeout) throws SQLException {
        session.run("SET GLOBAL rpl_semi_sync_slave_enabled = " + (on ? 1 : 0), timeout);
    }

    @Override
    public boolean awaitApplied(Session session, GtidList position, Duration wait) throws SQLException {
        String seconds = String.format(Locale.ROOT, "%.3f", wait.toMillis() / 1000.0);
        Map<String, String> row = session.query(
                        "SELECT MASTER_GTID_WAIT('" + position + "', " + seconds + ") AS late", wait.plusMillis(1500))
                .getFirst();
        return text(row, "late").equals("0");
    }

    @Override
    public boolean writeHeartbeat(Session session, String group, long epoch, long micros) throws SQLException {
        session.run(HEARTBEAT_SESSION, Server.STATEMENT);
        // the server works the condition out when the statement has its lock on the table, which waits while the
        // server is being made read-only: accounts that may write through read_only write nothing after it
        String sql = """
            INSERT INTO understudy.heartbeat (cluster_group, server_id, epoch, micros)
            SELECT %s, @@global.server_id, %d, %d FROM DUAL WHERE @@global.read_only = 0
            ON DUPLICATE KEY UPDATE server_id = VALUES(server_id), epoch = VALUES(epoch), micros = VALUES(micros)""".formatted(quoted(group), epoch, micros);
        return session.update(sql, UNTIL_ANSWERED) > 0;
    }

    @Override
    public Optional<HeartbeatRow> readHeartbeat(Session session, String group, Duration timeout) throws SQLException {
        try {
            return session
                    .query(
                            "SELECT server_id, epoch, micros FROM understudy.heartbeat WHERE cluster_group = "
                                    + quoted(group),
                            timeout)
                    .stream()
                    .map(row -> new HeartbeatRow(number(row, "server_id"), number(row, "epoch"), number(row, "micros")))
                    .findFirst();
        } catch (SQLException e) {
            if (tableMissing(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public void createHeartbeatTable(Session session) throws SQLException {
        session.run(HEARTBEAT_SESSION, Server.STATEMENT);
        session.run("CREATE DATABASE IF NOT EXISTS understudy", UNTIL_ANSWERED);
        session.run(HEARTBEAT_TABLE, UNTIL_ANSWERED);
    }

    @Override
    public List<ScheduledEvent> events(Session session, Duration timeout) throws SQLException {
        return session
                .query("SELECT event_schema, event_name, definer, status FROM information_schema.events", timeout)
                .stream()
                .map(row -> new ScheduledEvent(
                        text(row, "event_schema"), text(row, "event_name"), text(row, "definer"), state(row)))
                .toList();
    }

    private static ScheduledEvent.State state(Map<String, String> row) {
        return switch (text(row, "status")) {
            case "ENABLED" -> ScheduledEvent.State.RUNS;
            case "SLAVESIDE_DISABLED" -> ScheduledEvent.State.SLEEPS;
            default -> ScheduledEvent.State.DISABLED;
        };
    }

    @Override
    public void createEventTable(Session session) throws SQLException {
        if (session.query(EVENT_TABLE_THERE, Server.STATEMENT).isEmpty()) {
            session.run(HEARTBEAT_SESSION, Server.STATEMENT);
            session.run(EVENT_TABLE, UNTIL_ANSWERED);
        }
    }

    @Override
    public Set<String> runningEvents(Session session, Duration timeout) throws SQLException {
        return session
                .query("SELECT event_schema, event_name FROM understudy.scheduled_event WHERE runs = 1", timeout)
                .stream()
                .map(row -> text(row, "event_schema") + "." + text(row, "event_name"))
                .collect(Collectors.toSet());
    }

    @Override
    public void listEvent(Session session, ScheduledEvent event, boolean runs) throws SQLException {
        session.run(HEARTBEAT_SESSION, Server.STATEMENT);
        session.update("""
                INSERT INTO understudy.scheduled_event (event_schema, event_name, runs)
                SELECT %s, %s, %d FROM DUAL WHERE @@global.read_only = 0
                ON DUPLICATE KEY UPDATE runs = VALUES(runs)""".formatted(quoted(event.schema()), quoted(event.name()), runs ? 1 : 0), UNTIL_ANSWERED);
    }

    @Override
    public void wakeEvent(Session session, ScheduledEvent event) throws SQLException {
        session.run(HEARTBEAT_SESSION, Server.STATEMENT);
        // without the clause the account that runs the statement would become the definer
        String sql = "ALTER DEFINER = %s EVENT %s.%s ENABLE"
                .formatted(definer(event.definer()), name(event.schema()), name(event.name()));
        session.run(sql, UNTIL_ANSWERED);
    }

    /// `user@host`; a role has no host.
    private static String definer(String text) {
        int at = text.lastIndexOf('@');
        return at <= 0 ? name(text) : name(text.substring(0, at)) + "@" + name(text.substring(at + 1));
    }

    private static String name(String text) {
        return "`" + text.replace("`", "``") + "`";
    }

    @Override
    public boolean tableMissing(SQLException error) {
        return TABLE_MISSING.contains(error.getErrorCode());
    }

    @Override
    public boolean lockedError(SQLException error) {
        return error.getErrorCode() == LOCK_WAIT_OVER;
    }

    @Override
    public BinlogPresence.Answer presentAt(Session other, ServerView mine, Duration timeout) throws SQLException {
        return BinlogPresence.ask(other, mine.position(), mine.binlogState(), timeout);
    }

    @Override
    public BinlogPresence.Answer sameAt(Session other, Transaction before, Transaction transaction, Duration timeout)
            throws SQLException {
        return BinlogPresence.same(other, before, transaction, timeout);
    }

    @Override
    public Path binlogIndex(Session session, Duration timeout) throws SQLException {
        Map<String, String> row = session.query(
                        "SELECT @@global.log_bin_index AS file, @@global.datadir AS datadir", timeout)
                .getFirst();
        return Path.of(text(row, "datadir")).resolve(text(row, "file"));
    }

    @Override
    public List<Transaction> latest(Session session, int most) throws SQLException, IOException {
        return BinlogFile.latest(binlogIndex(session, Server.STATEMENT), most);
    }

    @Override
    public List<String> decoder(Path file, long begin, long end) {
        return List.of(
                "mariadb-binlog",
                "--no-defaults",
                "--base64-output=decode-rows",
                "--verbose",
                "--start-position=" + begin,
                "--stop-position=" + end,
                file.toString());
    }

    @Override
    public List<String> backup(Path socket, String user, Path temporary) {
        return List.of(
                BACKUP,
                "--no-defaults",
                "--backup",
                "--stream=mbstream",
                "--parallel=2",
                "--socket=" + socket,
                "--user=" + user,
                "--target-dir=" + temporary);
    }

    @Override
    public List<String> unpack(Path folder) {
        return List.of(UNPACK, "-x", "-C", folder.toString());
    }

    @Override
    public List<String> prepare(Path folder) {
        return List.of(BACKUP, "--no-defaults", "--prepare", "--target-dir=" + folder);
    }

    @Override
    public List<String> copyPrograms() {
        return List.of(BACKUP, UNPACK);
    }

    /// File, position and GTIDs, separated by tabs; the file was renamed in 11.
    @Override
    public String backupPosition(Path folder) throws IOException {
        for (String name : List.of("xtrabackup_binlog_info", "mariadb_backup_binlog_info")) {
            Path file = folder.resolve(name);
            if (Files.exists(file)) {
                String[] fields = Files.readString(file).strip().split("\\s+", 3);
                String gtids = fields.length < 3 ? "" : fields[2].replaceAll("\\s", "");
                try {
                    return GtidList.parse(gtids).toString();
                } catch (IllegalArgumentException e) {
                    throw new IOException("the copy's position is no GTID list: '" + gtids + "'", e);
                }
            }
        }
        throw new IOException("the copy does not say up to where it has everything");
    }

    /// The binary log is empty, and becomes one that begins after the position: presence in it can be asked (S17).
    @Override
    public void seed(Session session, GtidList position, GtidList state, Duration timeout) throws SQLException {
        Map<String, String> row = session.query("SELECT @@global.gtid_binlog_state AS state", timeout)
                .getFirst();
        if (text(row, "state").isEmpty() && !state.isEmpty()) {
            session.run("SET GLOBAL gtid_binlog_state = '" + state + "'", timeout);
        }
        session.run("SET GLOBAL gtid_slave_pos = '" + position + "'", timeout);
    }

    @Override
    public Map<Long, Integer> dumps(Session other, Duration timeout) throws SQLException {
        List<Map<String, String>> rows = other.query(
                "SELECT id, command, host FROM information_schema.processlist WHERE host LIKE '%:%'", timeout);
        String own = rows.stream()
                .filter(row -> number(row, "id") == other.id())
                .map(row -> client(text(row, "host")))
                .findFirst()
                .orElse("");
        Map<Long, Integer> ports = new HashMap<>();
        for (Map<String, String> row : rows) {
            String host = text(row, "host");
            if (text(row, "command").equals("Binlog Dump") && client(host).equals(own)) {
                ports.put(number(row, "id"), Integer.parseInt(host.substring(host.lastIndexOf(':') + 1)));
            }
        }
        return ports;
    }

    /// One that was killed is there until it has ended.
    @Override
    public Set<Long> dumpsOf(Session session, String address, Duration timeout) throws SQLException {
        String sql = "SELECT id, host FROM information_schema.processlist WHERE command IN ('Binlog Dump', 'Killed')";
        return session.query(sql, timeout).stream()
                .filter(row -> client(text(row, "host")).equals(address))
                .map(row -> number(row, "id"))
                .collect(Collectors.toSet());
    }

    private static String client(String hostAndPort) {
        return hostAndPort.substring(0, Math.max(0, hostAndPort.lastIndexOf(':')));
    }

    @Override
    public String relayLogBase(Session session, Duration timeout) throws SQLException {
        Map<String, String> row = session.query("SELECT @@global.relay_log_basename AS base", timeout)
                .getFirst();
        return text(row, "base");
    }

    @Override
    public String relayLogFile(Session session, Duration timeout) throws SQLException {
        return session.query("SHOW SLAVE STATUS", timeout).stream()
                .findFirst()
                .map(row -> text(row, "Relay_Log_File"))
                .orElse("");
    }

    @Override
    public List<RelayLog.Event> relayEvents(Session session, String file, long after, int most, Duration timeout)
            throws SQLException {
        String which = after == 0 ? " LIMIT " + most : " FROM " + after + " LIMIT 1, " + most;
        return session.query("SHOW RELAYLOG EVENTS IN " + quoted(file) + which, timeout).stream()
                .map(row -> new RelayLog.Event(text(row, "Event_type"), number(row, "Pos"), text(row, "Info")))
                .toList();
    }

    @Override
    public boolean noSuchLog(SQLException error) {
        return error.getErrorCode() == LOG_COMMAND_FAILED
                && String.valueOf(error.getMessage()).contains("Could not find target log");
    }

    @Override
    public boolean unreadableLog(SQLException error) {
        return error.getErrorCode() == LOG_COMMAND_FAILED && !noSuchLog(error);
    }

    /// Naming a relay log file is what keeps CHANGE MASTER from deleting them all.
    @Override
    public void applyFrom(Session session, String file, long position, Duration timeout) throws SQLException {
        session.run(
                "CHANGE MASTER TO RELAY_LOG_FILE = " + quoted(file) + ", RELAY_LOG_POS = " + position
                        + ", MASTER_USE_GTID = no, MASTER_DELAY = 0",
                timeout);
    }

    @Override
    public void followByGtid(Session session, Duration timeout) throws SQLException {
        session.run("CHANGE MASTER TO MASTER_USE_GTID = slave_pos", timeout);
    }

    @Override
    public boolean aliveError(SQLException error) {
        return ALIVE.contains(error.getErrorCode());
    }

    private static String text(Map<String, String> row, String column) {
        return row.getOrDefault(column, "");
    }

    private static long number(Map<String, String> row, String column) {
        String value = text(row, column);
        return value.isEmpty() ? 0 : Long.parseLong(value);
    }

    static String quoted(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'";
    }
}
