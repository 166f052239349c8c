package dev.understudy.agent.database;

import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes this server follow a primary: a replica after a failover, a former primary that rejoins (S17, S18). One
/// command at a time, on the caller's thread.
final class Following {

    private static final Logger log = LoggerFactory.getLogger(Following.class);

    private static final Duration REMOTE = Duration.ofSeconds(2);
    private static final Duration STOP = Duration.ofSeconds(5);
    private static final int NOT_IN_PRIMARYS_LOG = 1236;

    private final Server server;
    private final Dialect sql;
    private final Replication replication;
    private final Fence fence;
    private final DroppedTail dropped;
    private final EngineLog engineLog;
    private final ExtraTransactions extras;

    Following(Server server, Replication replication, Fence fence, DroppedTail dropped, EngineLog engineLog) {
        this.server = server;
        this.sql = server.sql();
        this.replication = replication;
        this.fence = fence;
        this.dropped = dropped;
        this.engineLog = engineLog;
        this.extras = new ExtraTransactions(server);
    }

    /// Also tells what the last start of this server took that the primary lacks.
    Outcome follow(Command.Follow command) throws SQLException {
        Outcome outcome = begin(command);
        return outcome instanceof Outcome.Done done
                ? dropped.missing(command, extras)
                        .<Outcome>map(told -> new Outcome.Done(Map.of(Command.Follow.DROPPED, told)))
                        .orElse(done)
                : outcome;
    }

    private Outcome begin(Command.Follow command) throws SQLException {
        Deadline deadline = Deadline.in(Duration.ofMillis(command.timeoutMillis()));
        Session session = server.act();
        ServerView view = server.view(session);
        if (follows(view, command) && settled(view)) {
            return finish();
        }
        if (!view.readOnly() || view.waitingCommits() > 0) {
            Outcome fenced = fence.release();
            if (!(fenced instanceof Outcome.Done done) || done.facts().containsKey("killed")) {
                return new Outcome.Unknown("the server was writable and had to be fenced first: " + fenced.describe());
            }
        }
        Outcome restored = server.cut().restore(command.primaryAddress(), command.port());
        if (!(restored instanceof Outcome.Done)) {
            return new Outcome.Failed("the primary is still cut off: " + restored.describe());
        }
        try (Session primary =
                Session.remote(server.local(), command.primaryAddress(), command.port(), deadline.left(REMOTE))) {
            if (resumable(view, command)) {
                new StaleDumps(sql, command.port()).end(primary, deadline);
                sql.startReceiver(session, Server.STATEMENT);
                return awaitReceiver(session, deadline);
            }
            return repoint(session, primary, view, command, deadline);
        }
    }

    /// Configured for this primary by these settings.
    private static boolean follows(ServerView view, Command.Follow command) {
        ReplicaView replica = view.replica();
        return replica != null
                && replica.source().equals(command.primaryAddress())
                && replica.port() == command.port()
                && view.readOnly()
                && view.semiSyncReplica()
                && !view.semiSyncPrimary();
    }

    private static boolean settled(ServerView view) {
        ReplicaView replica = view.replica();
        return replica != null && replica.receiver().equals("Yes") && replica.applierRuns();
    }

    /// Only its receiver was stopped: a start of that alone, with the applier running, loses nothing. One that has
    /// never run since the server's start may be configured to begin at a file and position ([RelayLog]).
    private static boolean resumable(ServerView view, Command.Follow command) {
        ReplicaView replica = view.replica();
        return follows(view, command)
                && replica != null
                && replica.receiverStopped()
                && replica.applierRuns()
                && !replica.received().isEmpty();
    }

    private Outcome repoint(
            Session session, Session primary, ServerView before, Command.Follow command, Deadline deadline)
            throws SQLException {
        ReplicaView old = before.replica();
        if (old != null) {
            Outcome applied = finishOld(session, old, command, deadline);
            if (!(applied instanceof Outcome.Done)) {
                return applied;
            }
        }
        ServerView view = server.view(session);
        Outcome refused = compare(command, session, primary, view, deadline);
        if (refused != null) {
            return refused;
        }
        if (view.waitingCommits() > 0) {
            return new Outcome.Failed("commits wait for an acknowledgement: semi-sync cannot be turned off");
        }
        String password;
        try {
            password = server.local().replicationPassword();
        } catch (IOException e) {
            return new Outcome.Failed("the replication password cannot be read: " + e);
        }
        // the order matters: without the replica role before the start, events with the own server id are skipped
        sql.semiSyncPrimary(session, false, Server.STATEMENT);
        engineLog.asBefore(session);
        server.stop(session, STOP, timeout -> sql.stopReplication(session, timeout));
        sql.semiSyncReplica(session, true, Server.STATEMENT);
        sql.followFrom(
                session,
                command.primaryAddress(),
                command.port(),
                server.local().replicationUser(),
                password,
                view.position(),
                Server.STATEMENT);
        try (Session again = Session.remote( // the dump has ended the first one
                server.local(), command.primaryAddress(), command.port(), deadline.left(REMOTE))) {
            new StaleDumps(sql, command.port()).end(again, deadline);
        }
        sql.startReplication(session, Server.STATEMENT);
        log.info(
                "event=following group={} primary={}:{} position={}",
                server.group().name(),
                command.primaryAddress(),
                command.port(),
                view.position());
        return awaitReceiver(session, deadline);
    }

    /// Nothing that was received may be lost by the repointing (S18): the old primary's receiver is stopped first,
    /// with the applier running, then the applier gets its time.
    private Outcome finishOld(Session session, ReplicaView old, Command.Follow command, Deadline deadline)
            throws SQLException {
        if (!old.receiverStopped() && old.applierRuns()) {
            boolean same = old.source().equals(command.primaryAddress()) && old.port() == command.port();
            if (!same) {
                Outcome cut = server.cut().cut(old.source(), old.port());
                if (!(cut instanceof Outcome.Done)) {
                    return new Outcome.Failed("the old primary could not be cut off: " + cut.describe());
                }
            }
            server.stop(session, deadline.left(STOP), timeout -> sql.stopReceiver(session, timeout));
        }
        return replication.catchUp(session, deadline);
    }

    private @Nullable Outcome compare(
            Command.Follow command, Session session, Session primary, ServerView view, Deadline deadline)
            throws SQLException {
        return switch (sql.presentAt(primary, view, deadline.left())) {
            case BinlogPresence.Answer.Present _ -> {
                BinlogPresence.Answer.Diverged reused = extras.reused(command, session, view, deadline);
                yield reused == null ? null : diverged(command, session, reused.reason(), deadline);
            }
            case BinlogPresence.Answer.Diverged diverged -> diverged(command, session, diverged.reason(), deadline);
            case BinlogPresence.Answer.Purged purged -> new Outcome.Refused("purged", purged.reason());
            case BinlogPresence.Answer.Unclear unclear ->
                new Outcome.Failed("the primary's binary log could not be compared: " + unclear.reason());
        };
    }

    private Outcome diverged(Command.Follow command, Session session, String reason, Deadline deadline) {
        return new Outcome.Refused("diverged", reason + "; " + extras.told(command, session, deadline));
    }

    private Outcome awaitReceiver(Session session, Deadline deadline) throws SQLException {
        while (true) {
            ReplicaView replica = sql.lookReplica(session, Server.STATEMENT).orElse(null);
            if (replica == null) {
                return new Outcome.Failed("replication was reset by someone else");
            }
            if (replica.receiver().equals("Yes")) {
                return finish();
            }
            if (replica.receiverErrno() == NOT_IN_PRIMARYS_LOG) {
                server.stop(session, STOP, timeout -> sql.stopReplication(session, timeout));
                sql.forgetPrimary(session, Server.STATEMENT);
                return new Outcome.Refused("diverged", replica.error());
            }
            if (deadline.isOver()) {
                return new Outcome.Failed("the receiver is not connected in time, " + replica.receiver() + ": error "
                        + replica.receiverErrno() + ": " + replica.error());
            }
            Replication.pause();
        }
    }

    private Outcome finish() {
        Outcome restored = server.cut().restoreAll();
        return restored instanceof Outcome.Done
                ? Outcome.Done.withoutFacts()
                : new Outcome.Failed("follows, but the cut-off rule is still there: " + restored.describe());
    }
}
