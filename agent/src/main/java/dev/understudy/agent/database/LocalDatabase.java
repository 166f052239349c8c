package dev.understudy.agent.database;

import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.agent.database.Sessions.Purpose;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.LongTransactions;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Trouble;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import dev.understudy.wire.metrics.Family;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// [DatabaseControl] over SQL on the server's unix socket. Commands other than [Command.Release] run one at a time;
/// a second one is Refused `busy`. A release never waits for them and keeps whatever runs from opening the server
/// again.
public final class LocalDatabase implements DatabaseControl {

    private static final Duration LOOK = Duration.ofMillis(300);
    private static final Duration LOAD_INTERVAL = Duration.ofSeconds(1);
    private static final Duration OBSERVE = Duration.ofMillis(800);

    private final Server server;
    private final DroppedTail dropped;
    private final Fence fence;
    private final ShutReplicas shutReplicas;
    private final Replication replication;
    private final Following following;
    private final Writes writes;
    private final HeartbeatKeeper heartbeat;
    private final SettingsKeeper settings;
    private final Rebuilding rebuilding;
    private final DatabaseFigures figures;
    private final ReentrantLock acting = new ReentrantLock();
    private final ReentrantLock looking = new ReentrantLock();
    private final AtomicBoolean opening = new AtomicBoolean();
    private final Troubles troubles;
    private @Nullable ReplicaView lastReplica;
    private @Nullable Path data;
    private Dialect.Load load = Dialect.Load.NONE;
    private long loadLooked;

    /// @param cut for this group alone: the rules of another group's must not be in it
    /// @param door for this group alone as well
    /// @param copies where other agents fetch copies of the data while one is offered; port 0 for any
    public LocalDatabase(
            DatabaseGroup group,
            DatabaseLocal local,
            ServiceControl service,
            SourceCut cut,
            ReplicaDoor door,
            InetSocketAddress copies) {
        server = new Server(group, local, service, cut, door);
        troubles = new Troubles(System::nanoTime, group.full());
        dropped = new DroppedTail(server);
        fence = new Fence(server, dropped);
        shutReplicas = new ShutReplicas(server);
        replication = new Replication(server, shutReplicas);
        EngineLog engineLog = new EngineLog(server);
        following = new Following(server, replication, fence, dropped, engineLog);
        writes = new Writes(server, fence, engineLog);
        heartbeat = new HeartbeatKeeper(server, fence, System::nanoTime);
        settings = new SettingsKeeper(server, System::nanoTime);
        rebuilding = new Rebuilding(server, copies);
        figures = new DatabaseFigures(server);
    }

    @Override
    public Observation.Database observe() {
        looking.lock();
        try {
            ServiceState state = server.service().state();
            return switch (state) {
                case ENDED, STOPPED -> {
                    if (state == ServiceState.ENDED) {
                        dropped.died();
                    }
                    yield unseen(state, Health.DOWN, List.of(), "the process has ended");
                }
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
            return unseen(state, health, troubles.of(null, Dialect.Load.NONE, e, data), Server.describe(e));
        }
        dropped.lives();
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
        lookAtLoad(session, deadline);
        String serverStart = server.serverStart(server.processId(session));
        lookAtSettings(session, deadline, serverStart);
        return seen(state, view.with(lastReplica), serverStart, detail);
    }

    /// Once a second: who waits for locks, and where the data is. What is not answered in time keeps its last value.
    private void lookAtLoad(Session session, Deadline deadline) {
        if (data != null && System.nanoTime() - loadLooked < LOAD_INTERVAL.toNanos()) {
            return;
        }
        loadLooked = System.nanoTime();
        try {
            if (data == null) {
                data = server.sql().dataFolder(session, deadline.left(LOOK));
                rebuilding.folder().know(data);
            }
            if (!dropped.knowsIndex()) {
                dropped.index(server.sql().binlogIndex(session, deadline.left(LOOK)));
            }
            load = server.sql().load(session, deadline.left(LOOK));
            shutReplicas.keep(session);
        } catch (SQLException e) {
            server.sessions().drop(Purpose.PROBE);
        }
    }

    private void lookAtSettings(Session session, Deadline deadline, String serverStart) {
        try {
            settings.keep(session, deadline, serverStart, lastReplica, data, LOOK);
        } catch (SQLException e) {
            server.sessions().drop(Purpose.PROBE); // what was read last stands, and the next look tries again
        }
    }

    @Override
    public Optional<Observation.Settings> settings(Duration wait) {
        Deadline deadline = Deadline.in(wait);
        while (settings.latest().isEmpty() && !deadline.isOver()) {
            observe();
            Replication.pause();
        }
        return settings.latest();
    }

    private Observation.Database seen(ServiceState state, ServerView view, String serverStart, String detail) {
        ReplicaView replica = view.replica();
        rebuilding.follows(() -> replica != null && replica.receiver().equals("Yes") && replica.applierRuns());
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
                heartbeat.latest(),
                troubles.of(view, heartbeat.locked() ? load.waiting() : load, null, data),
                detail,
                view.unacknowledged());
    }

    private Observation.Database unseen(ServiceState state, Health health, List<Trouble> troubled, String detail) {
        String serverStart =
                health == Health.DOWN ? "" : server.serverStart(server.service().mainPid());
        return new Observation.Database(
                server.group().name(),
                state,
                health,
                "",
                0,
                serverStart,
                null,
                "",
                "",
                false,
                false,
                0,
                null,
                null,
                troubled,
                detail,
                null);
    }

    /// The other connections are opened while the server lets the agent in.
    private void openOthers() {
        if (!opening.compareAndSet(false, true)) {
            return;
        }
        Thread.ofVirtual().name("database-sessions").start(() -> {
            try {
                for (Purpose purpose : Purpose.values()) {
                    if (purpose != Purpose.PROBE && purpose != Purpose.HEARTBEAT) {
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
            rebuilding.makeWay(command.verb());
            return fence.release();
        }
        Outcome copied = copied(command);
        if (copied != null) {
            return copied;
        }
        if (needsServer(command)) {
            rebuilding.makeWay(command.verb());
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

    /// What runs beside other commands: a copy takes long, and touches neither replication nor the data in use.
    private @Nullable Outcome copied(Command command) {
        if (command instanceof Command.OfferCopy offer) {
            return rebuilding.offer(offer);
        }
        if (command instanceof Command.ReceiveCopy receive) {
            return rebuilding.receive(receive);
        }
        return command instanceof Command.EndCopy end ? rebuilding.end(end) : null;
    }

    private static boolean needsServer(Command command) {
        return command instanceof Command.CutReceiver
                || command instanceof Command.Stage
                || command instanceof Command.BlockWrites;
    }

    private Outcome adopt(Command.AdoptCopy adopt, LeaseCheck lease) {
        Outcome adopted = rebuilding.adopt(adopt, lease);
        dropped.forget();
        return adopted;
    }

    @Override
    public Observation.Data data() {
        return rebuilding.data();
    }

    private Outcome dispatch(Command command, LeaseCheck lease) throws SQLException {
        return switch (command) {
            case Command.Release _ -> fence.release();
            case Command.CutReceiver cut -> replication.cutReceiver(cut.primaryAddress());
            case Command.CatchUp catchUp ->
                replication.catchUpWithAll(server.act(), Deadline.in(Duration.ofMillis(catchUp.timeoutMillis())));
            case Command.Stage _ -> replication.stage(server.act());
            case Command.Follow follow -> follow(follow);
            case Command.OpenWrites open -> writes.open(open.alone(), lease);
            case Command.BlockWrites block ->
                writes.block(
                        new LongTransactions(Duration.ofMillis(block.waitMillis()), block.end()),
                        Duration.ofMillis(block.budgetMillis()),
                        lease);
            case Command.UnblockWrites _ -> writes.unblock(lease);
            case Command.ReachPosition reach -> reach(reach);
            case Command.ShutOut out -> shutReplicas.shutOut(out.address());
            case Command.LetIn in -> shutReplicas.letIn(in.address());
            case Command.Detach _ -> shutReplicas.letEverybodyIn();
            case Command.AdoptCopy adopt -> adopt(adopt, lease);
            case Command.TakeAddress _,
                    Command.SetServerState _,
                    Command.CloseEpoch _,
                    Command.RestartService _,
                    Command.OfferCopy _,
                    Command.ReceiveCopy _,
                    Command.EndCopy _,
                    Command.Attach _ -> new Outcome.Refused("unsupported", command.verb() + " is not for a database");
        };
    }

    /// Whoever follows hears nobody: nobody needs to be shut out.
    private Outcome follow(Command.Follow follow) throws SQLException {
        Optional<String> unseeded = rebuilding.unseeded();
        if (unseeded.isPresent()) {
            return new Outcome.Refused("unseeded", unseeded.get());
        }
        Outcome followed = following.follow(follow);
        if (followed instanceof Outcome.Done) {
            shutReplicas.letEverybodyIn();
        }
        return followed;
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
    public void beat(long epoch, LeaseCheck lease) {
        heartbeat.beat(epoch, lease);
    }

    @Override
    public List<Family> figures() {
        return figures.read();
    }

    @Override
    public void close() {
        rebuilding.close();
        server.sessions().close();
    }
}
