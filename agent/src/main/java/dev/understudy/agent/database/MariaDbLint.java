package dev.understudy.agent.database;

import static dev.understudy.protocol.Observation.Severity.BLOCKS;
import static dev.understudy.protocol.Observation.Severity.WARNS;

import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.Severity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What is amiss in a MariaDB server's settings for one that may become the primary. Blocks: a promotion would lose
/// rows
/// or leave nobody who can follow. Warns: everything else, which includes what costs rows only when two hosts lose
/// power
/// at once (docs/DECISIONS.md says why).
final class MariaDbLint {

    /// What [#findings] looks at.
    static final String SETTINGS = """
        SELECT @@global.version AS version, @@global.server_id AS server_id, @@global.gtid_domain_id AS gtid_domain_id,
               @@global.log_bin AS log_bin, @@global.log_slave_updates AS log_slave_updates,
               @@global.binlog_format AS binlog_format, @@global.gtid_strict_mode AS gtid_strict_mode,
               @@global.sync_binlog AS sync_binlog, @@global.sync_relay_log AS sync_relay_log,
               @@global.innodb_flush_log_at_trx_commit AS innodb_flush_log_at_trx_commit,
               @@global.relay_log_recovery AS relay_log_recovery,
               @@global.rpl_semi_sync_master_enabled AS semi_primary,
               @@global.rpl_semi_sync_master_timeout AS rpl_semi_sync_master_timeout,
               @@global.rpl_semi_sync_master_wait_point AS rpl_semi_sync_master_wait_point,
               CONCAT_WS(' ', @@global.replicate_do_db, @@global.replicate_ignore_db, @@global.replicate_do_table,
                 @@global.replicate_ignore_table, @@global.replicate_wild_do_table,
                 @@global.replicate_wild_ignore_table) AS filters,
               (SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type = 'SUPER'
                 AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')) AS super""";

    /// Accounts that may write though the server is read-only, other than the administrator's own. An account that may
    /// not read `mysql.*` sees only itself here.
    static final String WRITERS = """
        SELECT grantee FROM information_schema.user_privileges
        WHERE (privilege_type = 'READ_ONLY ADMIN'
               OR (privilege_type = 'SUPER' AND CAST(SUBSTRING_INDEX(@@global.version, '.', 1) AS INT) = 10
                   AND CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(@@global.version, '.', 2), '.', -1) AS INT) < 11))
          AND grantee NOT IN ('''root''@''localhost''', '''mysql''@''localhost''',
                              CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), ''''))
        GROUP BY grantee ORDER BY grantee""";

    static final String FOLLOWERS = """
        SELECT COUNT(DISTINCT grantee) AS accounts,
               SUM(grantee LIKE %s AND privilege_type = 'REPLICATION SLAVE') AS followers
        FROM information_schema.user_privileges""";

    /// A month in milliseconds: nobody waits longer for a replica.
    private static final long LONG_ENOUGH = 30L * 86_400_000;

    private final Map<String, String> row;
    private final List<Finding> findings = new ArrayList<>();

    private MariaDbLint(Map<String, String> row) {
        this.row = row;
    }

    /// @param row of [#SETTINGS]
    /// @param writers by [#WRITERS]
    /// @param missingAccount the account of replication, if it is not there
    /// @param start with what it would be started again, empty if that is not known
    static List<Finding> findings(
            Map<String, String> row,
            List<String> writers,
            @Nullable String missingAccount,
            Optional<StartOptions> start,
            @Nullable ReplicaView replica) {
        MariaDbLint lint = new MariaDbLint(row);
        lint.history();
        if (missingAccount != null) {
            lint.add(
                    BLOCKS,
                    "REPLICATION_ACCOUNT",
                    "no account " + missingAccount + " with REPLICATION SLAVE, one is needed: nobody could follow it");
        }
        lint.durability();
        start.ifPresent(lint::start);
        lint.others(writers, replica);
        return lint.findings.stream()
                .sorted(Comparator.comparing(Finding::severity))
                .toList();
    }

    private void history() {
        need(BLOCKS, "log_bin", "1", "without a binary log nobody can follow it");
        need(BLOCKS, "log_slave_updates", "1", "what it has applied as a replica would be missing in its binary log");
        String filters = text("filters").strip();
        if (!filters.isEmpty()) {
            add(
                    BLOCKS,
                    "REPLICATION_FILTER",
                    "it replicates not everything (" + filters + "), no filter is wanted: it acknowledges rows that it"
                            + " does not have");
        }
        need(WARNS, "gtid_strict_mode", "1", "a write by hand could part its history unnoticed");
        if (text("binlog_format").equals("STATEMENT")) {
            add(WARNS, "BINLOG_FORMAT", "binlog_format is STATEMENT, ROW is safe: replicas may come to other rows");
        }
        if (on("semi_primary")
                && (number("rpl_semi_sync_master_timeout") < LONG_ENOUGH
                        || !text("rpl_semi_sync_master_wait_point").equals("AFTER_SYNC"))) {
            add(
                    WARNS,
                    "SEMI_SYNC",
                    "rpl_semi_sync_master_timeout is " + text("rpl_semi_sync_master_timeout") + " and the wait point "
                            + text("rpl_semi_sync_master_wait_point")
                            + ", no time-out and AFTER_SYNC are wanted: it may answer commits that no replica has");
        }
    }

    private void durability() {
        String powerCut = "rows are lost when this host and the primary's lose power together";
        need(WARNS, "sync_binlog", "1", powerCut);
        if (!text("innodb_flush_log_at_trx_commit").equals("3")) { // as the agent sets it while it runs alone
            need(WARNS, "innodb_flush_log_at_trx_commit", "1", powerCut);
        }
        if (!text("innodb_flush_log_at_trx_commit").equals("3") && !on("super")) {
            add(
                    WARNS,
                    "AGENT_RIGHTS",
                    "the agent's account has no SUPER, which it needs to flush each commit while the server runs alone:"
                            + " what was answered last then may be lost when the server dies");
        }
        need(WARNS, "sync_relay_log", "1", powerCut);
        need(WARNS, "relay_log_recovery", "0", "it throws away at its start what it had received: " + powerCut);
    }

    private void start(StartOptions start) {
        if (!start.on("read-only")) {
            add(WARNS, "READ_ONLY", "it does not start with read_only, 1 is wanted: it could be written to by hand");
        }
        if (!start.on("skip-slave-start")) {
            add(
                    WARNS,
                    "SKIP_SLAVE_START",
                    "it starts without skip_slave_start, which is wanted: it would follow an old primary by itself");
        }
        if (!start.value("init-rpl-role").orElse("").equalsIgnoreCase("SLAVE")) {
            add(
                    WARNS,
                    "INIT_RPL_ROLE",
                    "it starts without init_rpl_role = SLAVE, which is wanted: after a crash as primary it keeps rows"
                            + " that nobody else has and cannot follow");
        }
        Stream.of("binlog-do-db", "binlog-ignore-db")
                .filter(name -> start.value(name).isPresent())
                .forEach(name -> add(
                        BLOCKS,
                        "BINLOG_FILTER",
                        name.replace('-', '_') + " is " + start.value(name).orElse("")
                                + ", no filter is wanted: what it leaves out nobody else would get"));
    }

    private void others(List<String> writers, @Nullable ReplicaView replica) {
        if (!writers.isEmpty()) {
            add(
                    WARNS,
                    "WRITES_THROUGH_READ_ONLY",
                    String.join(", ", writers) + " may write on a replica (READ ONLY ADMIN), nobody should: such rows"
                            + " part the histories");
        }
        if (replica != null && !replica.encrypted()) {
            add(WARNS, "REPLICATION_TLS", "it follows " + replica.source() + " without TLS: rows travel readable");
        }
    }

    private void need(Severity severity, String variable, String wanted, String why) {
        if (!text(variable).equals(wanted)) {
            add(
                    severity,
                    variable.toUpperCase(java.util.Locale.ROOT),
                    variable + " is " + text(variable) + ", " + wanted + " is wanted: " + why);
        }
    }

    private void add(Severity severity, String code, String text) {
        findings.add(new Finding(code, severity, text));
    }

    private boolean on(String variable) {
        return text(variable).equals("1");
    }

    private String text(String variable) {
        return row.getOrDefault(variable, "");
    }

    /// Unsigned numbers that do not fit are as large as they can be.
    private long number(String variable) {
        try {
            return Long.parseUnsignedLong(text(variable)) >= 0 ? Long.parseLong(text(variable)) : Long.MAX_VALUE;
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
