package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.LongTransactions;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.LoggerFactory;

/// Some real servers with one [LocalDatabase] each, as the agents have them. Server 1 is the primary after
/// [#replicate]. The cut-off table has a name of its own for each server, and all ports are of this process alone.
final class Site implements AutoCloseable {

    static final ResourceId PRIMARY = ResourceId.primary("shopdb");

    private static final AtomicInteger PORTS =
            new AtomicInteger(20_000 + (int) (ProcessHandle.current().pid() % 900));

    static {
        // the driver logs every statement at DEBUG, passwords included
        if (LoggerFactory.getLogger("org.mariadb.jdbc") instanceof ch.qos.logback.classic.Logger driver) {
            driver.setLevel(Level.INFO);
        }
    }

    final Path folder;
    private final Map<Integer, MariaDbServer> servers = new HashMap<>();
    private final Map<Integer, LocalDatabase> agents = new HashMap<>();
    private final List<NftSourceCut> cuts = new ArrayList<>();
    private final Map<Integer, NftReplicaDoor> doors = new HashMap<>();
    private final AtomicInteger commands = new AtomicInteger();

    Site(int count) throws IOException {
        folder = Files.createTempDirectory("understudy-databases");
        int port = PORTS.getAndIncrement();
        try {
            for (int id = 1; id <= count; id++) {
                servers.put(id, MariaDbServer.create(id, port, folder));
                NftSourceCut cut = new NftSourceCut(
                        List.of(), "us_test_" + ProcessHandle.current().pid() + "_" + port + "_" + id);
                NftReplicaDoor door = new NftReplicaDoor(
                        List.of(), "us_test_door_" + ProcessHandle.current().pid() + "_" + port + "_" + id, port);
                cuts.add(cut);
                doors.put(id, door);
                agents.put(id, agentOf(id, cut, door));
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private LocalDatabase agentOf(int id, SourceCut cut, ReplicaDoor door) {
        MariaDbServer server = server(id);
        InetSocketAddress copies = new InetSocketAddress(server.address, 0);
        return new LocalDatabase(group(server.port), server.local(), server, cut, door, copies);
    }

    /// The agent ends, whatever it does, and another one takes its place.
    LocalDatabase restartAgent(int id) {
        agent(id).close();
        LocalDatabase next = agentOf(id, cut(id), door(id));
        agents.put(id, next);
        return next;
    }

    DatabaseGroup group() {
        return group(server(1).port);
    }

    private static DatabaseGroup group(int port) {
        return new DatabaseGroup(
                "shopdb",
                Mode.AUTOMATIC,
                List.of("db1", "db2", "db3"),
                "mariadb",
                port,
                null,
                null,
                "mariadb",
                Duration.ofSeconds(5));
    }

    MariaDbServer server(int id) {
        MariaDbServer server = servers.get(id);
        if (server == null) {
            throw new IllegalArgumentException("no server " + id);
        }
        return server;
    }

    SourceCut cut(int id) {
        return cuts.get(id - 1);
    }

    LocalDatabase agent(int id) {
        LocalDatabase agent = agents.get(id);
        if (agent == null) {
            throw new IllegalArgumentException("no agent " + id);
        }
        return agent;
    }

    /// Server 1 is primary, the others follow; a table for orders exists everywhere.
    Site replicate() {
        done(stage(1));
        for (int id = 2; id <= servers.size(); id++) {
            done(follow(id, 1));
        }
        done(open(1, servers.size() == 1));
        server(1).sql("CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY) ENGINE=InnoDB");
        for (int id = 2; id <= servers.size(); id++) {
            int replica = id;
            await().until(() -> server(replica)
                    .query("SELECT @@gtid_slave_pos")
                    .equals(server(1).query("SELECT @@gtid_binlog_pos")));
        }
        return this;
    }

    Outcome execute(int id, Command command) {
        long start = System.nanoTime();
        Outcome outcome = agent(id).execute(command, () -> true);
        System.out.printf(
                "%-14s db%d %5d ms %s%n",
                command.verb(), id, (System.nanoTime() - start) / 1_000_000, outcome.describe());
        return outcome;
    }

    String next() {
        return "c" + commands.incrementAndGet();
    }

    Outcome cut(int id, int primary) {
        return execute(id, new Command.CutReceiver(next(), PRIMARY, 2, server(primary).address));
    }

    Outcome catchUp(int id, Duration timeout) {
        return execute(id, new Command.CatchUp(next(), PRIMARY, 2, timeout.toMillis()));
    }

    Outcome stage(int id) {
        return execute(id, new Command.Stage(next(), PRIMARY, 2));
    }

    Outcome follow(int id, int primary) {
        return execute(
                id, new Command.Follow(next(), PRIMARY, 2, server(primary).address, server(primary).port, 20_000));
    }

    Outcome open(int id, boolean alone) {
        return execute(id, new Command.OpenWrites(next(), PRIMARY, 2, alone));
    }

    Outcome openWithoutLease(int id) {
        return agent(id).execute(new Command.OpenWrites(next(), PRIMARY, 2, true), () -> false);
    }

    Outcome shutOut(int id, String address, long number) {
        return execute(id, new Command.ShutOut(next(), PRIMARY, 2, address, number));
    }

    Outcome letIn(int id, String address, long number) {
        return execute(id, new Command.LetIn(next(), PRIMARY, 2, address, number));
    }

    NftReplicaDoor door(int id) {
        return Objects.requireNonNull(doors.get(id));
    }

    Outcome unblock(int id) {
        return execute(id, new Command.UnblockWrites(next(), PRIMARY, 2, "P1"));
    }

    Outcome reach(int id, String position, Duration timeout) {
        return execute(id, new Command.ReachPosition(next(), PRIMARY, 2, position, timeout.toMillis()));
    }

    Outcome release(int id) {
        return execute(id, new Command.Release(next(), PRIMARY, 3, 2));
    }

    Outcome block(int id, Duration budget) {
        return block(id, budget, new LongTransactions(budget, true));
    }

    Outcome block(int id, Duration budget, LongTransactions policy) {
        return execute(
                id,
                new Command.BlockWrites(
                        next(),
                        PRIMARY,
                        2,
                        "P1",
                        budget.toMillis(),
                        policy.patience().toMillis(),
                        policy.end()));
    }

    /// Waits until the replica has applied all that the primary has, and compares the rows.
    void awaitEqual(int replica, int primary) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> server(replica)
                        .query("SELECT @@gtid_binlog_pos")
                        .equals(server(primary).query("SELECT @@gtid_binlog_pos")));
        assertThat(server(replica).rows()).isEqualTo(server(primary).rows());
    }

    /// Waits until both have the same rows, whatever their binary logs say.
    void awaitEqualRows(int replica, int primary) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> server(replica).rows().equals(server(primary).rows()));
    }

    /// Holds a lock that keeps the replica's applier waiting while it goes on receiving.
    Session holdApplier(int id) throws SQLException {
        Session holder = server(id).root();
        holder.run("LOCK TABLES shop.orders WRITE", Duration.ofSeconds(5));
        return holder;
    }

    static Outcome.Refused refused(Outcome outcome) {
        assertThat(outcome).as(outcome.describe()).isInstanceOf(Outcome.Refused.class);
        return (Outcome.Refused) outcome;
    }

    static String failed(Outcome outcome) {
        assertThat(outcome).as(outcome.describe()).isInstanceOf(Outcome.Failed.class);
        return ((Outcome.Failed) outcome).reason();
    }

    static Map<String, String> done(Outcome outcome) {
        assertThat(outcome).as(outcome.describe()).isInstanceOf(Outcome.Done.class);
        return ((Outcome.Done) outcome).facts();
    }

    @Override
    public void close() {
        agents.values().forEach(LocalDatabase::close);
        servers.values().forEach(MariaDbServer::close);
        cuts.forEach(NftSourceCut::restoreAll);
        doors.values().forEach(NftReplicaDoor::openAll);
        MariaDbServer.delete(folder);
    }
}
