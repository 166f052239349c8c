package dev.understudy.agent.database;

import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.protocol.ClusterSpec.LongTransactions;
import dev.understudy.protocol.Outcome;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens a server to writes, and closes a primary for a planned move without losing a running transaction if the
/// budget allows. One command at a time, on the caller's thread.
final class Writes {

    private static final Logger log = LoggerFactory.getLogger(Writes.class);

    /// Transactions that are younger come and go by themselves.
    private static final Duration LONG_TRANSACTION = Duration.ofSeconds(1);

    /// InnoDB refreshes its table of transactions only when nobody has read it for 100 ms.
    private static final Duration FRESH = Duration.ofMillis(130);

    private final Server server;
    private final Dialect sql;
    private final Fence fence;
    private final EngineLog engineLog;

    Writes(Server server, Fence fence, EngineLog engineLog) {
        this.server = server;
        this.sql = server.sql();
        this.fence = fence;
        this.engineLog = engineLog;
    }

    Outcome open(boolean alone, LeaseCheck lease) throws SQLException {
        long seen = fence.count();
        Session session = server.act();
        ServerView view = server.view(session);
        if (view.replica() != null) {
            return new Outcome.Refused(
                    "unstaged", "it still replicates from " + view.replica().source());
        }
        if (!lease.live()) {
            return new Outcome.Refused("lease", "no live lease");
        }
        if (alone) {
            engineLog.flushEachCommit(session);
        }
        if (alone == view.semiSyncPrimary()) {
            sql.semiSyncPrimary(session, !alone, Server.STATEMENT);
        }
        if (!alone) {
            engineLog.asBefore(session);
        }
        Outcome opened = view.readOnly() ? fence.open(session, lease, seen) : Outcome.Done.withoutFacts();
        if (!(opened instanceof Outcome.Done)) {
            return opened;
        }
        server.cut().restoreAll();
        return new Outcome.Done(
                Map.of("binlog", sql.look(session, Server.STATEMENT).binlog().toString()));
    }

    Outcome unblock(LeaseCheck lease) throws SQLException {
        return fence.open(server.act(), lease, fence.count());
    }

    /// Transactions that are long already are waited for while everybody writes on. Two thirds of the budget are for
    /// what runs then to end by itself, then the rest is ended.
    Outcome block(LongTransactions policy, Duration budget, LeaseCheck lease) throws SQLException {
        long seen = fence.count();
        Session session = server.act();
        Set<Long> left = awaitLong(session, Deadline.in(policy.patience()));
        if (!left.isEmpty() && !policy.end()) {
            return new Outcome.Failed("nothing was blocked: transactions of more than %d s have not ended in %d s: %s"
                    .formatted(
                            LONG_TRANSACTION.toSeconds(),
                            policy.patience().toSeconds(),
                            String.join(", ", sql.transactions(session, left, Server.STATEMENT))));
        }
        end(session, left);
        Deadline deadline = Deadline.in(budget);
        Deadline patience = Deadline.in(budget.multipliedBy(2).dividedBy(3));
        try {
            if (sql.look(session, Server.STATEMENT).readOnly()) {
                return settle(session, deadline, lease, seen);
            }
            if (!fence.closing(patience)) {
                return new Outcome.Failed("a statement of the agent's own waits for a replica");
            }
            readOnly(session, patience, deadline);
            endClients(session);
            return settle(session, deadline, lease, seen);
        } catch (SQLException e) {
            return undo(lease, seen, Server.describe(e));
        }
    }

    /// Waits for the transactions that were long already; new ones are not waited for. Returns those that have not
    /// ended.
    private Set<Long> awaitLong(Session session, Deadline patience) throws SQLException {
        Set<Long> pending = new HashSet<>(writers(session, LONG_TRANSACTION));
        while (!pending.isEmpty() && !patience.isOver()) {
            pause(patience.left(FRESH));
            pending.retainAll(writers(session, LONG_TRANSACTION));
        }
        return pending;
    }

    private void end(Session session, Set<Long> writers) throws SQLException {
        for (long writer : writers) {
            log.info(
                    "event=transaction-ended group={} connection={}",
                    server.group().name(),
                    writer);
            sql.kill(session, writer, false, Server.STATEMENT);
        }
    }

    private static void pause(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Set<Long> writers(Session session, Duration age) throws SQLException {
        return sql.writingSessions(session, server.sessions().ids(), age, Server.STATEMENT);
    }

    /// Waits behind running statements; when it takes too long, they are ended and it is tried once more.
    private void readOnly(Session session, Deadline patience, Deadline deadline) throws SQLException {
        try {
            Duration first = patience.isOver() ? deadline.left().dividedBy(2) : patience.left();
            server.bounded(session, first, timeout -> sql.setReadOnly(session, true, timeout));
        } catch (SQLException e) {
            Session again = server.act();
            if (sql.waitingCommits(again, Server.STATEMENT) > 0) {
                throw e; // no replica acknowledges: ending those sessions would leave rows that are nowhere else
            }
            endClients(again);
            server.bounded(again, deadline.left(), timeout -> sql.setReadOnly(again, true, timeout));
        }
    }

    private void endClients(Session session) throws SQLException {
        for (long client : sql.clientSessions(session, server.sessions().ids(), Server.STATEMENT)) {
            sql.kill(session, client, false, Server.STATEMENT);
        }
    }

    /// The position counts once no commit waits for its acknowledgement and it stays the same over two looks.
    private Outcome settle(Session session, Deadline deadline, LeaseCheck lease, long seen) throws SQLException {
        ServerView last = sql.look(session, Server.STATEMENT);
        while (!deadline.isOver()) {
            Replication.pause();
            ServerView next = sql.look(session, Server.STATEMENT);
            if (next.readOnly() && next.waitingCommits() == 0 && next.binlog().equals(last.binlog())) {
                return new Outcome.Done(Map.of("binlog", next.binlog().toString()));
            }
            last = next;
        }
        return undo(lease, seen, "writes did not come to rest: " + last.waitingCommits() + " commits wait");
    }

    private Outcome undo(LeaseCheck lease, long seen, String reason) {
        try {
            Outcome opened = fence.open(server.act(), lease, seen);
            return new Outcome.Failed(reason + "; writable again: " + opened.describe());
        } catch (SQLException e) {
            return new Outcome.Failed(reason + "; still read-only: " + Server.describe(e));
        }
    }
}
