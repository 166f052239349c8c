package dev.understudy.agent.database;

import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.agent.database.Sessions.Purpose;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The server on this host and the ways to reach it, shared by the procedures. Thread-safe.
final class Server {

    /// For statements that do not wait for anything but a short internal lock.
    static final Duration STATEMENT = Duration.ofSeconds(3);

    static final Duration CONNECT = Duration.ofSeconds(1);

    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    private static final Logger log = LoggerFactory.getLogger(Server.class);

    private final DatabaseGroup group;
    private final DatabaseLocal local;
    private final ServiceControl service;
    private final SourceCut cut;
    private final ReplicaDoor door;
    private final Dialect dialect;
    private final Sessions sessions;
    private final AtomicInteger stopping = new AtomicInteger();

    Server(DatabaseGroup group, DatabaseLocal local, ServiceControl service, SourceCut cut, ReplicaDoor door) {
        this.group = group;
        this.local = local;
        this.service = service;
        this.cut = cut;
        this.door = door;
        this.dialect = Dialect.named(group.engine());
        this.sessions = new Sessions(local);
    }

    DatabaseGroup group() {
        return group;
    }

    DatabaseLocal local() {
        return local;
    }

    ServiceControl service() {
        return service;
    }

    SourceCut cut() {
        return cut;
    }

    ReplicaDoor door() {
        return door;
    }

    Dialect sql() {
        return dialect;
    }

    Sessions sessions() {
        return sessions;
    }

    Session act() throws SQLException {
        return sessions.of(Purpose.ACT, CONNECT);
    }

    /// Everything, replication included.
    ServerView view(Session session) throws SQLException {
        ServerView view = dialect.look(session, STATEMENT);
        Optional<ReplicaView> replica = dialect.lookReplica(session, STATEMENT);
        return view.with(replica.orElse(null));
    }

    /// A statement that may hang.
    interface Statement {
        void run(Duration timeout) throws SQLException;
    }

    /// Runs a statement of `session` and has it ended from another connection when it takes longer than the limit;
    /// the session stays usable. Throws what the ended statement throws.
    void bounded(Session session, Duration limit, Statement statement) throws SQLException {
        CountDownLatch done = new CountDownLatch(1);
        Thread.ofVirtual().name("database-kill").start(() -> {
            if (!awaited(done, limit)) {
                endStatement(session, done);
            }
        });
        try {
            statement.run(limit.plusMillis(250));
        } finally {
            synchronized (done) {
                done.countDown();
            }
        }
    }

    private static boolean awaited(CountDownLatch done, Duration limit) {
        try {
            return done.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            return true; // nobody interrupts it but the end of the process
        }
    }

    /// Holds the latch's monitor, so that it never hits the next statement of that connection.
    private void endStatement(Session session, CountDownLatch done) {
        synchronized (done) {
            if (done.getCount() == 0) {
                return;
            }
            try {
                Session other = sessions.of(Purpose.KILL, Duration.ofMillis(200));
                dialect.kill(other, session.id(), true, Duration.ofMillis(200));
            } catch (SQLException e) {
                log.warn("event=statement-not-ended group={} connection={}", group.name(), session.id(), e);
            }
        }
    }

    /// Statements that stop replication make others hang that look at it: marked, so that [#stopping] can tell.
    void stop(Session session, Duration limit, Statement statement) throws SQLException {
        stopping.incrementAndGet();
        try {
            bounded(session, limit, statement);
        } finally {
            stopping.decrementAndGet();
        }
    }

    boolean stopping() {
        return stopping.get() > 0;
    }

    /// Identifies this run of the server: the boot of its host, start time in clock ticks since then, process id. Two
    /// boots may well start it at the same tick with the same id. Empty if no process is known. See proc(5),
    /// `/proc/pid/stat`, field 22, and random(4).
    String serverStart(long pid) {
        if (pid <= 0) {
            return "";
        }
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            String boot = Files.readString(BOOT_ID).strip();
            return boot.substring(0, Math.min(8, boot.length())) + "-" + fields[19] + "-" + pid;
        } catch (IOException e) {
            return "";
        }
    }

    /// The process id: the service's main process, else what the server's own pid file says.
    long processId(Session session) {
        long pid = service.mainPid();
        if (pid > 0) {
            return pid;
        }
        try {
            return dialect.processId(session, STATEMENT);
        } catch (SQLException e) {
            return 0;
        }
    }

    /// What went wrong, on one line, for an outcome.
    static String describe(SQLException e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        return (e.getErrorCode() == 0 ? "" : "error " + e.getErrorCode() + ": ")
                + message.lines().findFirst().orElse("");
    }
}
