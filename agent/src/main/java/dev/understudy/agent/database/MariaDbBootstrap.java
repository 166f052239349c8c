package dev.understudy.agent.database;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// [Bootstrap] for MariaDB 10.5 and later.
final class MariaDbBootstrap implements Bootstrap {

    /// What the agent's account needs on everything: to open and close the server and to direct its replication, to
    /// end sessions, to see what they wait for, to begin a domain's history again, to log its own row as it likes;
    /// with `SUPER` to have each commit of a primary that runs alone in InnoDB's log before it is answered.
    static final List<String> AGENT_RIGHTS = List.of(
            "READ ONLY ADMIN",
            "REPLICATION SLAVE ADMIN",
            "REPLICATION MASTER ADMIN",
            "REPLICA MONITOR",
            "CONNECTION ADMIN",
            "PROCESS",
            "RELOAD",
            "BINLOG ADMIN",
            "BINLOG MONITOR",
            "EVENT",
            "SET USER",
            "SUPER");

    /// And on the schema of its own.
    static final String SCHEMA_RIGHTS = "CREATE, SELECT, INSERT, UPDATE";

    private static final String SCHEMAS = """
        SELECT s.schema_name AS name FROM information_schema.schemata s
        WHERE s.schema_name NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'understudy')
          AND (s.schema_name <> 'test' OR EXISTS (
            SELECT 1 FROM information_schema.tables t WHERE t.table_schema = s.schema_name))
        ORDER BY 1""";

    private static final String DUMPS =
            "SELECT COUNT(*) AS dumps FROM information_schema.processlist WHERE command = 'Binlog Dump'";

    /// Without the server's own. A role has no host.
    private static final String ACCOUNTS = """
        SELECT user, host FROM mysql.global_priv
        WHERE NOT (host = 'localhost' AND user IN ('root', 'mysql', 'mariadb.sys'))
          AND NOT (user = 'PUBLIC' AND host = '') AND COALESCE(JSON_VALUE(priv, '$.is_role'), 0) = 0
        ORDER BY 1, 2""";

    @Override
    public List<String> inUse(Session session, Duration timeout) throws SQLException {
        List<String> reasons = new ArrayList<>();
        List<String> schemas = session.query(SCHEMAS, timeout).stream()
                .map(row -> row.getOrDefault("name", ""))
                .toList();
        if (!schemas.isEmpty()) {
            reasons.add("it has data: " + String.join(", ", schemas));
        }
        session.query("SHOW ALL SLAVES STATUS", timeout).stream()
                .map(row -> "it replicates from " + row.getOrDefault("Master_Host", ""))
                .forEach(reasons::add);
        if (!session.query(DUMPS, timeout).getFirst().getOrDefault("dumps", "0").equals("0")) {
            reasons.add("another server replicates from it");
        }
        return reasons;
    }

    @Override
    public List<String> missing(Session session, Accounts accounts, Duration timeout) throws SQLException {
        List<String> missing = new ArrayList<>();
        account(session, accounts.replication(), accounts.from(), accounts.replicationPassword(), timeout, missing);
        rights(session, accounts.replication(), accounts.from(), List.of("REPLICATION SLAVE"), timeout, missing);
        if (accounts.makesAgent()) {
            account(session, accounts.agent(), "localhost", accounts.agentPassword(), timeout, missing);
            rights(session, accounts.agent(), "localhost", AGENT_RIGHTS, timeout, missing);
            String sql =
                    "SELECT COUNT(*) AS n FROM information_schema.schema_privileges WHERE table_schema = 'understudy'"
                            + " AND grantee = " + quoted(grantee(accounts.agent(), "localhost"));
            if (!session.query(sql, timeout).getFirst().getOrDefault("n", "0").equals("4")) {
                missing.add(SCHEMA_RIGHTS + " on understudy.* for " + grantee(accounts.agent(), "localhost"));
            }
        }
        return missing;
    }

    /// The account with this password, or by the socket.
    private static void account(
            Session session,
            String user,
            String host,
            @Nullable String password,
            Duration timeout,
            List<String> missing)
            throws SQLException {
        String matches = password == null
                ? "JSON_VALUE(priv, '$.plugin') = 'unix_socket'"
                : "JSON_VALUE(priv, '$.authentication_string') = PASSWORD(" + quoted(password) + ")";
        List<Map<String, String>> rows = session.query(
                "SELECT COALESCE(" + matches + ", 0) AS matches FROM mysql.global_priv WHERE user = " + quoted(user)
                        + " AND host = " + quoted(host),
                timeout);
        if (rows.isEmpty()) {
            missing.add("the account " + grantee(user, host));
        } else if (!rows.getFirst().getOrDefault("matches", "0").equals("1")) {
            missing.add("the account " + grantee(user, host) + " as this host's files say it (its password differs)");
        }
    }

    private static void rights(
            Session session, String user, String host, List<String> rights, Duration timeout, List<String> missing)
            throws SQLException {
        // the table of rights spells two of them in its own way
        List<String> has = session
                .query(
                        "SELECT privilege_type AS p FROM information_schema.user_privileges WHERE grantee = "
                                + quoted(grantee(user, host)),
                        timeout)
                .stream()
                .map(row -> row.getOrDefault("p", "").replace("READ_ONLY", "READ ONLY"))
                .map(right -> right.equals("SLAVE MONITOR") ? "REPLICA MONITOR" : right)
                .toList();
        List<String> lacks =
                rights.stream().filter(right -> !has.contains(right)).toList();
        if (!lacks.isEmpty()) {
            missing.add(String.join(", ", lacks) + " for " + grantee(user, host));
        }
    }

    @Override
    public List<String> others(Session session, Accounts accounts, Duration timeout) throws SQLException {
        List<String> ours =
                List.of(grantee(accounts.agent(), "localhost"), grantee(accounts.replication(), accounts.from()));
        return session.query(ACCOUNTS, timeout).stream()
                .map(row -> grantee(row.getOrDefault("user", ""), row.getOrDefault("host", "")))
                .filter(account -> !ours.contains(account))
                .toList();
    }

    @Override
    public List<String> statements(Accounts accounts) {
        return sql(new Accounts(
                accounts.agent(),
                accounts.agentPassword() == null ? null : "…",
                accounts.replication(),
                "…",
                accounts.from()));
    }

    @Override
    public void makeAccounts(Session session, Accounts accounts, Duration timeout) throws SQLException {
        session.run("SET sql_log_bin = 0", timeout);
        for (String statement : sql(accounts)) {
            session.run(statement, timeout);
        }
        session.run("CREATE DATABASE IF NOT EXISTS understudy", timeout);
        session.run(MariaDb.HEARTBEAT_TABLE, timeout);
    }

    private static List<String> sql(Accounts accounts) {
        String replication = grantee(accounts.replication(), accounts.from());
        String agent = grantee(accounts.agent(), "localhost");
        Stream<String> ours = Stream.of(
                "CREATE USER IF NOT EXISTS " + replication,
                "ALTER USER " + replication + by(accounts.replicationPassword()),
                "GRANT REPLICATION SLAVE ON *.* TO " + replication);
        Stream<String> own = Stream.of(
                "CREATE USER IF NOT EXISTS " + agent,
                "ALTER USER " + agent
                        + (accounts.agentPassword() == null
                                ? " IDENTIFIED VIA unix_socket"
                                : by(accounts.agentPassword())),
                "GRANT " + String.join(", ", AGENT_RIGHTS) + " ON *.* TO " + agent,
                "GRANT " + SCHEMA_RIGHTS + " ON understudy.* TO " + agent);
        return Stream.concat(ours, accounts.makesAgent() ? own : Stream.empty()).collect(Collectors.toList());
    }

    private static String by(String password) {
        return " IDENTIFIED BY " + quoted(password);
    }

    @Override
    public void beginHistory(Session session, Duration timeout) throws SQLException {
        session.run("SET GLOBAL read_only = 1", timeout);
        session.run("RESET MASTER", timeout);
        session.run("SET GLOBAL gtid_slave_pos = ''", timeout);
    }

    private static String grantee(String user, String host) {
        return quoted(user) + "@" + quoted(host);
    }

    private static String quoted(String text) {
        return MariaDb.quoted(text);
    }
}
