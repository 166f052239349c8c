package dev.understudy.agent.database;

import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.sys.Freezing;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A real mariadbd in a folder of its own, on a loopback address of its own, configured as the lab's are; and the
/// [ServiceControl] of it. Its data folder is copied from a template that is made once.
final class MariaDbServer implements ServiceControl {

    static final String REPLICATION_USER = "repl";
    static final String APPLICATION_USER = "app";
    static final String AGENT_USER = "understudy";
    private static final String AGENT_GRANT = "GRANT " + String.join(", ", MariaDbBootstrap.AGENT_RIGHTS)
            + " ON *.* TO understudy@localhost IDENTIFIED BY 's''ecret'";

    static final String PASSWORD = "s'ecret";

    private static @Nullable Path template;

    final int id;
    final int port;
    final String address;
    final Path folder;
    private @Nullable Process process;
    private volatile boolean stopped;
    private List<String> options = List.of();

    MariaDbServer(int id, int port, Path folder) {
        this.id = id;
        this.port = port;
        this.folder = folder;
        this.address = "127.1.0." + id;
    }

    /// A freshly installed server with the accounts that Understudy needs, outside the replicated history.
    static MariaDbServer create(int id, int port, Path parent) throws IOException {
        Path folder = Files.createDirectories(parent.resolve("db" + id));
        copy(template(), folder.resolve("data"));
        MariaDbServer server = new MariaDbServer(id, port, folder);
        Files.writeString(folder.resolve("password"), PASSWORD + "\n");
        server.start();
        server.awaitAnswer();
        return server;
    }

    private static synchronized Path template() throws IOException {
        if (template == null) {
            Path made = Files.createTempDirectory("understudy-mariadb-template");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(made)));
            Path data = made.resolve("data");
            Process install = new ProcessBuilder(
                            "mariadb-install-db",
                            "--no-defaults",
                            "--datadir=" + data,
                            "--user=root",
                            "--auth-root-authentication-method=socket",
                            "--auth-root-socket-user=root",
                            "--skip-test-db")
                    .redirectErrorStream(true)
                    .redirectOutput(made.resolve("install.log").toFile())
                    .start();
            waitFor(install);
            template = data;
            try (MariaDbServer server = new MariaDbServer(9, 20999, made)) {
                server.start();
                server.awaitAnswer();
                server.sql(
                        "SET sql_log_bin=0",
                        AGENT_GRANT,
                        "GRANT " + MariaDbBootstrap.SCHEMA_RIGHTS + " ON understudy.* TO understudy@localhost",
                        "GRANT REPLICATION SLAVE ON *.* TO '" + REPLICATION_USER + "'@'%' IDENTIFIED BY 's''ecret'",
                        "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO '" + APPLICATION_USER
                                + "'@'%' IDENTIFIED BY 's''ecret'");
                server.stop();
            }
        }
        return template;
    }

    static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            System.err.println("left behind: " + folder + ": " + e);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                String name = String.valueOf(file.getFileName());
                if (!name.startsWith("binlog.") && !name.startsWith("relay.") && !name.startsWith("master.info")) {
                    Files.copy(file, to.resolve(from.relativize(file).toString()));
                }
            }
        }
    }

    private static void waitFor(Process process) throws IOException {
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("a process did not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    Path socket() {
        return folder.resolve("mysqld.sock");
    }

    /// As the agent: an account with the grants that the documentation asks for, and no more.
    DatabaseLocal local() {
        return as(AGENT_USER, folder.resolve("password"));
    }

    private DatabaseLocal as(String user, @Nullable Path passwordFile) {
        return new DatabaseLocal(
                socket(),
                user,
                passwordFile,
                REPLICATION_USER,
                folder.resolve("password"),
                folder.resolve("copies"),
                folder.resolve("diverged"));
    }

    @Override
    public synchronized Outcome start() {
        if (state() == ServiceState.RUNNING) {
            return Outcome.Done.withoutFacts();
        }
        List<String> command = new ArrayList<>(List.of(
                "mariadbd",
                "--no-defaults",
                "--user=root",
                "--datadir=" + folder.resolve("data"),
                "--socket=" + socket(),
                "--pid-file=" + folder.resolve("mysqld.pid"),
                "--bind-address=" + address,
                "--port=" + port,
                "--server-id=" + id,
                "--log-bin=binlog",
                "--relay-log=relay",
                "--gtid-strict-mode=1",
                "--log-slave-updates",
                "--skip-slave-start",
                "--read-only=1",
                "--init-rpl-role=SLAVE",
                "--sync-binlog=1",
                "--innodb-flush-log-at-trx-commit=1",
                "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
                "--rpl-semi-sync-master-timeout=18446744073709551615",
                "--slave-net-timeout=4",
                "--skip-name-resolve",
                "--innodb-buffer-pool-size=16M",
                "--innodb-log-file-size=16M",
                "--performance-schema=0",
                "--max-connections=30"));
        command.addAll(options);
        try {
            stopped = false;
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            folder.resolve("error.log").toFile()))
                    .start();
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            return new Outcome.Failed(e.toString());
        }
    }

    /// It is started again with further options, which win over the usual ones.
    void restartWith(String... further) {
        stop();
        options = List.of(further);
        start();
        awaitAnswer();
    }

    void awaitAnswer() {
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(() -> !query("SELECT 1").isEmpty());
    }

    /// Runs the statements in one session as root, each with its time-out.
    void sql(String... statements) {
        try (Session session = root()) {
            for (String statement : statements) {
                session.run(statement, Duration.ofSeconds(20));
            }
        } catch (SQLException e) {
            throw new IllegalStateException("db" + id + ": " + e.getMessage(), e);
        }
    }

    /// The first column of the first row, empty if there is no row.
    String query(String statement) {
        try (Session session = root()) {
            return session.query(statement, Duration.ofSeconds(20)).stream()
                    .findFirst()
                    .map(row -> row.values().iterator().next())
                    .orElse("");
        } catch (SQLException e) {
            throw new IllegalStateException("db" + id + ": " + e.getMessage(), e);
        }
    }

    String rows() {
        return query("SELECT coalesce(group_concat(id ORDER BY id), '') FROM shop.orders");
    }

    Session root() throws SQLException {
        return Session.local(as("root", null), Duration.ofSeconds(5));
    }

    /// As the application, without privileges. Over the unix socket: on one host the cut-off rule would hit clients
    /// too.
    Session application() throws SQLException {
        return Session.local(as(APPLICATION_USER, folder.resolve("password")), Duration.ofSeconds(5));
    }

    @Override
    public Outcome stop() {
        stopped = true;
        return end(false);
    }

    @Override
    public Outcome kill() {
        return end(true);
    }

    private synchronized Outcome end(boolean hard) {
        Process running = process;
        if (running == null) {
            return Outcome.Done.withoutFacts();
        }
        if (hard) {
            running.destroyForcibly();
        } else {
            running.destroy();
        }
        try {
            waitFor(running);
        } catch (IOException e) {
            return new Outcome.Failed(e.toString());
        }
        return Outcome.Done.withoutFacts();
    }

    @Override
    public ServiceState state() {
        Process running = process;
        if (running == null) {
            return ServiceState.UNKNOWN;
        }
        return running.isAlive() ? ServiceState.RUNNING : stopped ? ServiceState.STOPPED : ServiceState.ENDED;
    }

    @Override
    public long mainPid() {
        Process running = process;
        return running != null && running.isAlive() ? running.pid() : 0;
    }

    /// It lives and does nothing, from when this returns.
    void freeze() {
        Freezing.freeze(mainPid());
    }

    void thaw() {
        Freezing.thaw(mainPid());
    }

    @Override
    public void watch(Consumer<ServiceState> listener) {
        throw new UnsupportedOperationException("not needed here");
    }

    @Override
    public void close() {
        kill();
    }
}
