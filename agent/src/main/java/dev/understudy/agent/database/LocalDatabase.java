package dev.understudy.agent.database;

import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.agent.database.Sessions.Purpose;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// [DatabaseControl] over SQL on the server's unix socket. Commands other than [Command.Release] run one at a time;
/// a second one is Refused `busy`. A release never waits for them and keeps whatever runs from opening the server
/// again.
public final class LocalDatabase implements DatabaseControl {

    private static final Duration LOOK = Duration.ofMillis(300);
    private static final Duration OBSERVE = Duration.ofMillis(800);

    private final Server server;
    private final Fence fence;
    private final Replication replication;
    private final Following following;
    private final Writes writes;
    private final ReentrantLock acting = new ReentrantLock();
    private final ReentrantLock looking = new ReentrantLock();
    private final AtomicBoolean opening = new AtomicBoolean();
    private @Nullable ReplicaView lastReplica;

    /// @param cut for this group alone: the rules of another group's must not be in it
    public LocalDatabase(DatabaseGroup group, DatabaseLocal local, ServiceControl service, SourceCut cut) {
        server = new Server(group, local, service, cut);
        fence = new Fence(server);
        replication = new Replication(server);
        following = new Following(server, replication, fence);
        writes = new Writes(server, fence);
    }

    @Override
    public Observation.Database observe() {
        looking.lock();
        try {
            ServiceState state = server.service().state();
            return switch (state) {
                case ENDED, STOPPED -> unseen(state, Health.DOWN, "the process has ended");
                case RUNNING, UNKNOWN -> look(state);
            };
        } finally {
            looking.unlock();
        }
    }

    private Observation.Database look(ServiceState state) {
        Deadline deadline = Deadline.in(OBSERVE);
        boolean fresh = !server.sessions().isOpen(Purpose.PROBE);
        ServerView view;
        Session session;
        try {
            session = server.sessions().of(Purpose.PROBE, LOOK);
            view = server.sql().look(session, deadline.left(LOOK));
        } catch (SQLException e) {
            server.sessions().drop(Purpose.PROBE);
            Health health = server.sql().aliveError(e) ? Health.UP : Health.UNKNOWN;
            return unseen(state, health, Server.describe(e));
        }
        if (fresh) {
            openOthers();
        }
        String detail = "";
        if (server.stopping()) {
            detail = "replication is being stopped";
        } else {
            try {
                lastReplica =
                        server.sql().lookReplica(session, deadline.left(LOOK)).orElse(null);
            } catch (SQLException e) {
                server.sessions().drop(Purpose.PROBE);
                detail = "replication as seen before: " + Server.describe(e);
            }
        }
        return seen(state, view.with(lastReplica), server.serverStart(server.processId(session)), detail);
    }

    private Observation.Database seen(ServiceState state, ServerView view, String serverStart, String detail) {
        ReplicaView replica = view.replica();
        return new Observation.Database(
                server.group().name(),
                state,
                Health.UP,
                view.version(),
                view.serverId(),
                serverStart,
                view.readOnly(),
                view.binlog().toString(),
                view.applied().toString(),
                view.semiSyncPrimary(),
                view.semiSyncReplica(),
                view.semiSyncClients(),
                replica == null
                        ? null
                        : new Observation.Replica(
                                replica.source(),
                                replica.receiver(),
                                replica.applier(),
                                view.received().toString(),
                                replica.secondsBehind(),
                                replica.receiverErrno(),
                                replica.applierErrno(),
                                replica.error()),
                detail);
    }

    private Observation.Database unseen(ServiceState state, Health health, String detail) {
        String serverStart =
                health == Health.DOWN ? "" : server.serverStart(server.service().mainPid());
        return new Observation.Database(
                server.group().name(), state, health, "", 0, serverStart, null, "", "", false, false, 0, null, detail);
    }

    /// The other connections are opened while the server lets the agent in.
    private void openOthers() {
        if (!opening.compareAndSet(false, true)) {
            return;
        }
        Thread.ofVirtual().name("database-sessions").start(() -> {
            try {
                for (Purpose purpose : Purpose.values()) {
                    if (purpose != Purpose.PROBE) {
                        server.sessions().of(purpose, Server.CONNECT);
                    }
                }
            } catch (SQLException e) {
                server.sessions().drop(Purpose.PROBE); // the next look tries again
            } finally {
                opening.set(false);
            }
        });
    }

    @Override
    public Outcome execute(Command command, LeaseCheck lease) {
        if (command instanceof Command.Release) {
            return fence.release();
        }
        if (!acting.tryLock()) {
            return new Outcome.Refused("busy", "another command is being carried out");
        }
        try {
            return dispatch(command, lease);
        } catch (SQLException e) {
            return new Outcome.Failed(Server.describe(e));
        } finally {
            acting.unlock();
        }
    }

    private Outcome dispatch(Command command, LeaseCheck lease) throws SQLException {
        return switch (command) {
            case Command.Release _ -> fence.release();
            case Command.CutReceiver cut -> replication.cutReceiver(cut.primaryAddress());
            case Command.CatchUp catchUp ->
                replication.catchUp(server.act(), Deadline.in(Duration.ofMillis(catchUp.timeoutMillis())));
            case Command.Stage _ -> replication.stage(server.act());
            case Command.Follow follow -> following.follow(follow);
            case Command.OpenWrites open -> writes.open(open.alone(), lease);
            case Command.BlockWrites block -> writes.block(Duration.ofMillis(block.budgetMillis()), lease);
            case Command.UnblockWrites _ -> writes.unblock(lease);
            case Command.ReachPosition reach -> reach(reach);
            case Command.TakeAddress _, Command.SetServerState _ ->
                new Outcome.Refused("unsupported", command.verb() + " is not for a database");
        };
    }

    private Outcome reach(Command.ReachPosition reach) throws SQLException {
        Optional<GtidList> target = parsed(reach.position());
        return target.isEmpty()
                ? new Outcome.Refused("unsupported", "not a GTID list: '" + reach.position() + "'")
                : replication.reachPosition(
                        server.act(), target.get(), Deadline.in(Duration.ofMillis(reach.timeoutMillis())));
    }

    private static Optional<GtidList> parsed(String text) {
        try {
            return Optional.of(GtidList.parse(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        server.sessions().close();
    }
}
