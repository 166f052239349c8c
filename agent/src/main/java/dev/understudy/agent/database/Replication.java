package dev.understudy.agent.database;

import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a replica does in a failover before anyone is promoted: it is cut off from the old primary, applies what it
/// has, is staged. One command at a time, on the caller's thread.
final class Replication {

    private static final Logger log = LoggerFactory.getLogger(Replication.class);

    /// Once cut off, stopping the receiver takes milliseconds (S19).
    private static final Duration STOP = Duration.ofSeconds(3);
    /// How long an applier that was just started is watched for an error of its own.
    private static final Duration APPLIER_START = Duration.ofMillis(500);

    private static final Duration WAIT_SLICE = Duration.ofMillis(250);

    private final Server server;
    private final Dialect sql;
    private final RelayLog relayLog;
    private final ShutReplicas shutReplicas;

    Replication(Server server, ShutReplicas shutReplicas) {
        this.server = server;
        this.shutReplicas = shutReplicas;
        this.sql = server.sql();
        this.relayLog = new RelayLog(server);
    }

    Outcome cutReceiver(String primaryAddress) throws SQLException {
        if (!primaryAddress.isEmpty()) {
            Outcome cut = server.cut().cut(primaryAddress, server.group().port());
            if (!(cut instanceof Outcome.Done)) {
                return new Outcome.Failed("the primary could not be cut off: " + cut.describe());
            }
        }
        Session session = server.act();
        ServerView view = server.view(session);
        ReplicaView replica = view.replica();
        if (replica == null) {
            return positions(session, view, "none");
        }
        if (!replica.applierRuns() && !view.applied().reached(replica.received())) {
            Outcome refused = startApplier(session, replica);
            if (refused != null) {
                return refused;
            }
        }
        ReplicaView now = replica(session);
        // a receiver whose applier is broken stays cut off in the kernel: stopping it too would put at risk what it
        // has received (S18)
        String receiver = "cut";
        if (now != null && !now.receiverStopped() && now.applierRuns()) {
            server.stop(session, STOP, timeout -> sql.stopReceiver(session, timeout));
            receiver = "stopped";
        }
        return positions(session, server.view(session), receiver);
    }

    private Outcome positions(Session session, ServerView view, String receiver) throws SQLException {
        Map<String, String> facts = new HashMap<>();
        // a server that was started again does not say itself what its relay log has (S25)
        GtidList unapplied =
                relayLog.unapplied(session, view).map(RelayLog.Unapplied::last).orElse(new GtidList(List.of()));
        facts.put("received", view.received().merge(unapplied).toString());
        facts.put("applied", view.position().toString());
        facts.put("binlog", view.binlog().toString());
        facts.put("serverStart", server.serverStart(server.processId(session)));
        facts.put("semiSyncReplica", Boolean.toString(view.semiSyncReplica()));
        facts.put("receiver", receiver);
        ReplicaView replica = view.replica();
        if (replica != null && replica.applierErrno() != 0) {
            facts.put("applierError", replica.error());
        }
        return new Outcome.Done(facts);
    }

    /// Starts the applier while the receiver's thread exists; with both stopped a start would purge the relay log,
    /// so its files are copied aside instead. Returns why it cannot be done, null if it was.
    private @Nullable Outcome startApplier(Session session, ReplicaView replica) throws SQLException {
        if (replica.receiverStopped()) {
            String copy = copyRelayLog(session);
            return new Outcome.Failed("no candidate: receiver and applier are both stopped with events received up to "
                    + replica.received() + " unapplied; relay log copied to " + copy);
        }
        sql.startApplier(session, Server.STATEMENT);
        Deadline deadline = Deadline.in(APPLIER_START);
        ReplicaView now = replica(session);
        while (now != null && !now.applierRuns() && now.applierErrno() == 0 && !deadline.isOver()) {
            pause();
            now = replica(session);
        }
        return null;
    }

    private @Nullable ReplicaView replica(Session session) throws SQLException {
        return sql.lookReplica(session, Server.STATEMENT).orElse(null);
    }

    private String copyRelayLog(Session session) throws SQLException {
        Path base = Path.of(sql.relayLogBase(session, Server.STATEMENT));
        Path folder = server.local().copies().resolve("relay-" + Instant.now().toEpochMilli());
        Path source = Optional.ofNullable(base.getParent()).orElse(Path.of("."));
        String prefix = String.valueOf(base.getFileName());
        try (Stream<Path> files = Files.list(source)) {
            Files.createDirectories(folder);
            List<Path> relayFiles = files.filter(
                            f -> String.valueOf(f.getFileName()).startsWith(prefix))
                    .toList();
            for (Path file : relayFiles) {
                Files.copy(file, folder.resolve(String.valueOf(file.getFileName())));
            }
            log.warn(
                    "event=relay-log-copied group={} files={} folder={}",
                    server.group().name(),
                    relayFiles.size(),
                    folder);
            return folder.toString();
        } catch (IOException e) {
            return "nowhere (" + e + ")";
        }
    }

    /// Applies everything received, also what only the relay log of an earlier run of the server has (S25).
    Outcome catchUpWithAll(Session session, Deadline deadline) throws SQLException {
        Optional<RelayLog.Unapplied> unapplied = relayLog.unapplied(session, server.view(session));
        if (unapplied.isPresent()) {
            Outcome applied = relayLog.apply(session, unapplied.get(), deadline);
            if (!(applied instanceof Outcome.Done)) {
                return applied;
            }
        }
        ServerView view = server.view(session);
        ReplicaView replica = view.replica();
        if (replica != null && replica.delaySeconds() > 0 && !view.position().reached(replica.received())) {
            Outcome hurried = relayLog.hurry(session, replica, deadline);
            if (!(hurried instanceof Outcome.Done)) {
                return hurried;
            }
            view = server.view(session);
            return view.position().reached(replica.received())
                    ? new Outcome.Done(Map.of("applied", view.position().toString()))
                    : new Outcome.Failed("applied " + view.position() + " of " + replica.received() + " received");
        }
        return catchUp(session, deadline);
    }

    /// Waits until everything that this run of the server has received is applied.
    Outcome catchUp(Session session, Deadline deadline) throws SQLException {
        boolean started = false;
        while (true) {
            ServerView view = server.view(session);
            ReplicaView replica = view.replica();
            if (replica == null || view.applied().reached(replica.received())) {
                return new Outcome.Done(Map.of("applied", view.position().toString()));
            }
            String progress = "applied " + view.applied() + " of " + replica.received() + " received";
            if (!replica.applierRuns()) {
                if (replica.applierErrno() != 0) {
                    return new Outcome.Failed("the applier is broken, " + progress + ": error " + replica.applierErrno()
                            + ": " + replica.error());
                }
                if (started) {
                    return new Outcome.Failed("the applier does not run, " + progress);
                }
                Outcome refused = startApplier(session, replica);
                if (refused != null) {
                    return refused;
                }
                started = true;
            }
            if (deadline.isOver()) {
                return new Outcome.Failed("not caught up in time: " + progress);
            }
            sql.awaitApplied(session, replica.received(), deadline.left(WAIT_SLICE));
        }
    }

    Outcome reachPosition(Session session, GtidList target, Deadline deadline) throws SQLException {
        while (true) {
            ServerView view = server.view(session);
            GtidList position = view.position();
            if (position.reached(target)) {
                return new Outcome.Done(Map.of("applied", position.toString()));
            }
            ReplicaView replica = view.replica();
            String progress = "applied " + position + " of " + target;
            if (replica == null) {
                return new Outcome.Failed("follows nobody, " + progress);
            }
            if (replica.applierErrno() != 0) {
                return new Outcome.Failed("the applier is broken, " + progress + ": error " + replica.applierErrno()
                        + ": " + replica.error());
            }
            if (deadline.isOver()) {
                return new Outcome.Failed("not reached in time: " + progress);
            }
            if (sql.awaitApplied(session, target, deadline.left(WAIT_SLICE))
                    && !server.view(session).position().reached(target)) {
                return new Outcome.Failed(
                        "the same sequence numbers with other server ids: applied " + position + ", wanted " + target);
            }
        }
    }

    Outcome stage(Session session) throws SQLException {
        ServerView view = server.view(session);
        ReplicaView replica = view.replica();
        if (replica != null) {
            if (!view.applied().reached(replica.received())) {
                return new Outcome.Refused(
                        "unapplied", "applied " + view.applied() + " of " + replica.received() + " received");
            }
            Optional<RelayLog.Unapplied> unapplied = relayLog.unapplied(session, view);
            if (unapplied.isPresent()) {
                return new Outcome.Refused(
                        "unapplied",
                        "applied " + view.applied() + " of " + unapplied.get().last() + " in the relay log");
            }
            server.stop(session, STOP, timeout -> sql.stopReplication(session, timeout));
            sql.forgetPrimary(session, Server.STATEMENT);
        }
        if (view.semiSyncReplica()) {
            sql.semiSyncReplica(session, false, Server.STATEMENT);
        }
        Outcome opened = shutReplicas.letEverybodyIn();
        if (!(opened instanceof Outcome.Done)) {
            return new Outcome.Failed("replicas of an earlier epoch are still shut out: " + opened.describe());
        }
        sql.semiSyncPrimary(session, true, Server.STATEMENT);
        return new Outcome.Done(
                Map.of("binlog", sql.look(session, Server.STATEMENT).binlog().toString()));
    }

    static void pause() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
