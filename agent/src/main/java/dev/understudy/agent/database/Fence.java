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
    private final ReentrantLock writeSwitch = new ReentrantLock();
    private final AtomicLong fences = new AtomicLong();

    Fence(Server server) {
        this.server = server;
    }

    /// How often this server has been fenced: whoever wants to make it writable remembers the count first.
    long count() {
        return fences.get();
    }

    Outcome release() {
        fences.incrementAndGet();
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
