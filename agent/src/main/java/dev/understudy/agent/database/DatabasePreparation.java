package dev.understudy.agent.database;

import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.Severity;
import java.io.IOException;
import java.io.PrintStream;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// `understudy-agent database init`: prepares the server on this host as a member of a group that is to begin empty.
/// Twice is once. A server that is in use is left as it is: what it lacks is told, to be run by hand, and Understudy
/// adopts what it finds.
public final class DatabasePreparation {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration STATEMENT = Duration.ofSeconds(30);

    private final Dialect sql;
    private final DatabaseLocal local;
    private final String from;
    private final PrintStream out;

    /// @param local as the agent will use it; the files of passwords exist already, the same one on every host for the
    /// account of replication
    /// @param from the hosts from which others may replicate, as the server writes them
    public DatabasePreparation(String engine, DatabaseLocal local, String from, PrintStream out) {
        this.sql = Dialect.named(engine);
        this.local = local;
        this.from = from;
        this.out = out;
    }

    /// @return whether the server is prepared now
    public boolean run() {
        Bootstrap.Accounts accounts;
        try {
            accounts = accounts();
        } catch (IOException e) {
            out.println("refused: a password file cannot be read: " + e.getMessage());
            out.println("  the file of the account of replication has the same content on every host of the group");
            return false;
        }
        DatabaseLocal administrator = new DatabaseLocal(
                local.socket(),
                "root",
                null,
                local.replicationUser(),
                local.replicationPasswordFile(),
                local.copies(),
                local.diverged());
        try (Session session = Session.local(administrator, CONNECT)) {
            return prepare(session, accounts);
        } catch (SQLException e) {
            out.println("failed: " + Server.describe(e));
            return false;
        }
    }

    private Bootstrap.Accounts accounts() throws IOException {
        String password = local.replicationPassword();
        if (password.isEmpty()) {
            throw new IOException(local.replicationPasswordFile() + " is empty");
        }
        return new Bootstrap.Accounts(
                local.user(),
                local.passwordFile() == null ? null : local.password(),
                local.replicationUser(),
                password,
                from);
    }

    private boolean prepare(Session session, Bootstrap.Accounts accounts) throws SQLException {
        Bootstrap bootstrap = sql.bootstrap();
        List<Finding> blocking = settings(session);
        List<String> missing = bootstrap.missing(session, accounts, STATEMENT);
        List<String> inUse = bootstrap.inUse(session, STATEMENT);
        if (!inUse.isEmpty()) {
            return missing.isEmpty() ? done(true, blocking) : refuse(bootstrap, accounts, missing, inUse);
        }
        if (!blocking.isEmpty()) {
            out.println("refused: it could not be promoted as it is set up; mend that and run this again");
            return false;
        }
        boolean before = missing.isEmpty() && sql.look(session, STATEMENT).readOnly() && historyIsEmpty(session);
        if (!before) {
            bootstrap.makeAccounts(session, accounts, STATEMENT);
            missing.forEach(what -> out.println("made     " + what));
            if (!historyIsEmpty(session) || !sql.look(session, STATEMENT).readOnly()) {
                bootstrap.beginHistory(session, STATEMENT);
                out.println("begun    an empty history; read-only until it is made the primary");
            }
        }
        for (String account : bootstrap.others(session, accounts, STATEMENT)) {
            out.println("warning  the account " + account
                    + " is on this server alone: make what the application needs on the primary, once there is one");
        }
        return done(before, blocking);
    }

    /// What blocks; everything is told.
    private List<Finding> settings(Session session) throws SQLException {
        Optional<StartOptions> start = sql.startOptions(sql.processId(session, STATEMENT));
        List<Finding> findings =
                sql.settings(session, "", start, null, STATEMENT).findings();
        List<Finding> blocking = findings.stream()
                .filter(finding -> finding.severity() == Severity.BLOCKS)
                .toList();
        findings.forEach(
                finding -> out.println((blocking.contains(finding) ? "UNFIT    " : "warning  ") + finding.describe()));
        return blocking;
    }

    private boolean historyIsEmpty(Session session) throws SQLException {
        ServerView view = sql.look(session, STATEMENT);
        return view.position().isEmpty() && view.binlogState().isEmpty();
    }

    private boolean done(boolean before, List<Finding> blocking) {
        out.println(before ? "prepared already: nothing was changed" : "prepared");
        return blocking.isEmpty();
    }

    private boolean refuse(Bootstrap bootstrap, Bootstrap.Accounts accounts, List<String> missing, List<String> inUse) {
        inUse.forEach(reason -> out.println("refused: " + reason));
        out.println("  a server in use is not begun anew: Understudy adopts it as it is found. It lacks:");
        missing.forEach(what -> out.println("    " + what));
        out.println("  Run these on the primary, with passwords for …, and everybody gets them:");
        bootstrap.statements(accounts).forEach(statement -> out.println("    " + statement + ";"));
        return false;
    }
}
