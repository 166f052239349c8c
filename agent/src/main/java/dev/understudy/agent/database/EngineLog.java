package dev.understudy.agent.database;

import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a primary answers while nobody acknowledges it is nowhere else, and its next start after a crash drops the
/// end of its binary log that the storage engine knows only as prepared (S16), which with the usual setting is also
/// what was answered last. So while a primary runs alone (S20) the engine's own log has each commit before it is
/// answered. Thread-safe.
final class EngineLog {

    private static final Logger log = LoggerFactory.getLogger(EngineLog.class);

    private static final Duration FLUSH = Duration.ofSeconds(2);

    private final Server server;
    private @Nullable String before;
    private boolean flushed;

    EngineLog(Server server) {
        this.server = server;
    }

    /// To be called before commits are answered without an acknowledgement, and again whenever that is ordered anew.
    /// What was answered before is in the engine's own log afterwards. Without the right to set that it is told and
    /// the site goes on: a primary is better than none.
    synchronized void flushEachCommit(Session session) throws SQLException {
        Dialect sql = server.sql();
        String now = sql.commitFlush(session, Server.STATEMENT);
        boolean set = now.equals(sql.flushEachCommit()) || set(session, now);
        if (!set || !now.equals(sql.flushEachCommit()) || !flushed) {
            flushed = false;
            sql.flushEngine(session, FLUSH);
            flushed = true;
        }
    }

    private boolean set(Session session, String now) throws SQLException {
        Dialect sql = server.sql();
        try {
            sql.commitFlush(session, sql.flushEachCommit(), Server.STATEMENT);
            before = now;
            return true;
        } catch (SQLException e) {
            if (!sql.isForbidden(e)) {
                throw e;
            }
            log.warn(
                    "event=commits-not-flushed group={} reason=\"a crash drops the last commits that were answered: {}\"",
                    server.group().name(),
                    Server.describe(e));
            return false;
        }
    }

    /// As it was before [#flushEachCommit]: others have what is answered from now on, or nothing is.
    synchronized void asBefore(Session session) throws SQLException {
        flushed = false;
        if (before != null) {
            server.sql().commitFlush(session, before, Server.STATEMENT);
            before = null;
        }
    }
}
