package dev.understudy.agent.database;

import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.database.Sessions.Purpose;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes sure that this server acknowledges no write any more, and is the only place that makes it writable. Ends
/// within about 1.5 s whatever the server does: a server that hangs, or whose commits wait for a replica's
/// acknowledgement, is killed, because every softer way would acknowledge rows that the new primary lacks (FACTS,
/// "Pitfalls of fencing and semi-sync"). It comes back read-only by its own configuration (S16). Thread-safe.
final class Fence {

    private static final Logger log = LoggerFactory.getLogger(Fence.class);

    private static final Duration ANSWER = Duration.ofMillis(250);
    private static final Duration READ_ONLY = Duration.ofMillis(300);
    /// After which the soft way has failed.
    private static final Duration SOFT = Duration.ofMillis(900);

    private static final long SWITCH_MILLIS = 200;

    private final Server server;
    private final DroppedTail dropped;
    private final ReentrantLock writeSwitch = new ReentrantLock();
    private final AtomicLong fences = new AtomicLong();
    private final AtomicLong closings = new AtomicLong();

    Fence(Server server, DroppedTail dropped) {
        this.server = server;
        this.dropped = dropped;
    }

    /// How often this server has been fenced: whoever wants to make it writable remembers the count first.
    long count() {
        return fences.get();
    }

    /// How often this server was fenced, or made read-only for a planned move: for [#whileOpen].
    long closings() {
        return closings.get();
    }

    /// The server is about to be made read-only for a planned move. Afterwards nothing comes through [#whileOpen] any
    /// more that asked before.
    ///
    /// @return false: what runs there does not end in time
    boolean closing(Deadline deadline) {
        closings.incrementAndGet();
        try {
            if (!writeSwitch.tryLock(deadline.left().toMillis(), TimeUnit.MILLISECONDS)) {
                return false;
            }
            writeSwitch.unlock();
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// A statement of the agent's own that must not reach a server which is no primary any more.
    interface Statement {
        void run() throws SQLException;
    }

    /// Runs the statement unless the lease is over or the server was closed since `seen`; whoever wants to close it
    /// meanwhile waits for the statement, and a fence kills the server when that takes too long.
    void whileOpen(LeaseCheck lease, long seen, Statement statement) throws SQLException {
        writeSwitch.lock();
        try {
            if (lease.live() && closings.get() == seen) {
                statement.run();
            }
        } finally {
            writeSwitch.unlock();
        }
    }

    Outcome release() {
        fences.incrementAndGet();
        closings.incrementAndGet();
        if (gone(server.service().state())) {
            return Outcome.Done.withoutFacts();
        }
        boolean held = false;
        try {
            held = writeSwitch.tryLock(SWITCH_MILLIS, TimeUnit.MILLISECONDS);
            String hard = held ? soften() : "another statement holds the switch to writable";
            return hard.isEmpty() ? Outcome.Done.withoutFacts() : kill(hard);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return kill("interrupted");
        } catch (SQLException e) {
            return kill(Server.describe(e));
        } finally {
            if (held) {
                writeSwitch.unlock();
            }
        }
    }

    private static boolean gone(ServiceState state) {
        return switch (state) {
            case ENDED, STOPPED -> true;
            case RUNNING, UNKNOWN -> false;
        };
    }

    /// The soft way. Returns why it is not enough, empty if it is.
    private String soften() throws SQLException {
        Deadline deadline = Deadline.in(SOFT);
        Dialect sql = server.sql();
        Session session = server.sessions().of(Purpose.FENCE, ANSWER);
        ServerView view = sql.look(session, deadline.left(ANSWER));
        if (view.waitingCommits() > 0) {
            return view.waitingCommits() + " commits wait for an acknowledgement";
        }
        if (view.readOnly() && !view.semiSyncPrimary()) {
            return ""; // a replica: it acknowledges nothing
        }
        if (!view.readOnly()) {
            server.bounded(session, deadline.left(READ_ONLY), timeout -> sql.setReadOnly(session, true, timeout));
        }
        for (long client : sql.clientSessions(session, server.sessions().ids(), deadline.left(ANSWER))) {
            sql.kill(session, client, false, deadline.left(ANSWER));
        }
        int waiting = sql.waitingCommits(session, deadline.left(ANSWER));
        return waiting == 0 ? "" : waiting + " commits wait for an acknowledgement";
    }

    /// SIGKILL, then start again without waiting for the start. Done when the process is gone.
    private Outcome kill(String reason) {
        log.warn("event=database-killed group={} reason=\"{}\"", server.group().name(), reason);
        Outcome killed = server.service().kill();
        return switch (killed) {
            case Outcome.Done _ -> {
                server.sessions().close();
                Thread.ofVirtual().name("database-start").start(this::startAgain);
                yield new Outcome.Done(Map.of("killed", reason));
            }
            case Outcome.Refused _, Outcome.Failed _, Outcome.Unknown _ ->
                new Outcome.Failed("not fenced: " + reason + "; kill: " + killed.describe());
        };
    }

    private void startAgain() {
        dropped.keep();
        Outcome started = server.service().start();
        log.info(
                "event=database-started group={} outcome=\"{}\"", server.group().name(), started.describe());
    }

    /// Makes the server writable if the lease is live at that moment and no fence came since `seen`.
    Outcome open(Session session, LeaseCheck lease, long seen) throws SQLException {
        writeSwitch.lock();
        try {
            if (!lease.live()) {
                return new Outcome.Refused("lease", "no live lease");
            }
            if (fences.get() != seen) {
                return new Outcome.Refused("lease", "fenced in the meantime");
            }
            server.sql().setReadOnly(session, false, Server.STATEMENT);
            return Outcome.Done.withoutFacts();
        } finally {
            writeSwitch.unlock();
        }
    }
}
