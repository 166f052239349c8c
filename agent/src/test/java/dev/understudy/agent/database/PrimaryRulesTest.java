package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.ClusterSpec.LongTransactions;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/// Fencing, blocking and looking at a primary, on real servers.
class PrimaryRulesTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String LOOPBACK = "127.0.0.1";

    @Test
    void s16_commitsThatWaitAreNotAcknowledgedByTheFenceAndAreGoneOnRejoin() throws Exception {
        try (Site site = new Site(2).replicate()) {
            Site.done(site.cut(2, 1));
            CompletableFuture<Integer> commit = CompletableFuture.supplyAsync(() -> application(site, 1, 7));
            await().atMost(LONG).until(() -> waiting(site, 1) == 1);
            await().atMost(LONG)
                    .untilAsserted(() -> assertThat(site.agent(1).observe().troubles())
                            .containsExactly(Observation.Trouble.SEMI_SYNC_BLOCKED));
            String before = site.agent(1).observe().serverStart();

            assertThat(Site.done(site.release(1))).containsKey("killed");

            assertThat(commit).failsWithin(LONG);
            site.server(1).awaitAnswer();
            Observation.Database seen = site.agent(1).observe();
            assertThat(seen.readOnly()).isTrue();
            assertThat(seen.serverStart()).isNotEmpty().isNotEqualTo(before);
            Site.done(site.catchUp(2, LONG));
            Site.done(site.stage(2));
            Site.done(site.open(2, true));
            Site.done(site.follow(1, 2));
            site.server(2).sql("INSERT INTO shop.orders VALUES (8)");
            site.awaitEqual(1, 2);
            assertThat(site.server(1).rows()).isEqualTo("8");
        }
    }

    /// On one machine every replica comes from the loopback's own address.
    @Test
    void s14_aReplicaThatIsShutOutIsNotHeardUntilItIsLetIn() throws Exception {
        try (Site site = new Site(2).replicate()) {
            assertThat(Site.done(site.shutOut(1, LOOPBACK, 1)))
                    .containsEntry("binlog", site.server(1).query("SELECT @@gtid_binlog_pos"));
            assertThat(dumps(site)).isEmpty();
            CompletableFuture<Integer> commit =
                    CompletableFuture.supplyAsync(() -> insertOverSocket(site, "INSERT INTO shop.orders VALUES (7)"));
            await().atMost(LONG).until(() -> waiting(site, 1) == 1);
            await().atMost(LONG).until(() -> receiver(site, 2).equals("Connecting"));

            site.door(1).openAll(); // somebody flushes the rules
            await().atMost(LONG).until(() -> {
                site.agent(1).observe();
                return site.door(1).shutOut().orElseThrow().contains(LOOPBACK);
            });
            await().atMost(LONG).until(() -> dumps(site).isEmpty());
            Site.done(site.letIn(1, LOOPBACK, 2));
            assertThat(commit).succeedsWithin(LONG);
            site.awaitEqual(2, 1);
            assertThat(site.agent(1).observe().unacknowledged()).isZero();
        }
    }

    @Test
    void s14_aCommitThatIsAnsweredWithoutAnAcknowledgementIsCounted() throws Exception {
        try (Site site = new Site(2).replicate()) {
            Site.done(site.cut(2, 1));
            CompletableFuture<Integer> commit = CompletableFuture.supplyAsync(() -> application(site, 1, 7));
            await().atMost(LONG).until(() -> waiting(site, 1) == 1);
            assertThat(site.agent(1).observe().unacknowledged()).isZero();
            String session = site.server(1)
                    .query(
                            "SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for semi-sync ACK%'");
            site.server(1).sql("KILL HARD CONNECTION " + session);
            assertThat(commit).failsWithin(LONG);
            await().atMost(LONG)
                    .until(() -> Objects.equals(site.agent(1).observe().unacknowledged(), 1L));
        }
    }

    private static int insertOverSocket(Site site, String sql) {
        site.server(1).sql(sql);
        return 1;
    }

    private static String receiver(Site site, int id) {
        Observation.Replica replica = site.agent(id).observe().replica();
        return replica == null ? "" : replica.receiver();
    }

    private static String dumps(Site site) {
        return site.server(1)
                .query("SELECT id FROM information_schema.processlist WHERE command IN ('Binlog Dump', 'Killed')");
    }

    @Test
    void fencingAHealthyPrimaryMakesItReadOnlyAndEndsItsClientsButNotItsReplicas() throws Exception {
        try (Site site = new Site(2).replicate();
                Session client = site.server(1).application()) {
            assertThat(Site.done(site.release(1))).isEmpty();

            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("1");
            assertThatThrownBy(() -> execute(client, "INSERT INTO shop.orders VALUES (1)"))
                    .isInstanceOf(SQLException.class);
            assertThat(site.agent(1).observe().semiSyncClients()).isEqualTo(1);
            Site.done(site.release(1));
            assertThat(site.server(1).state()).isEqualTo(ServiceState.RUNNING);
        }
    }

    @Test
    void aPrimaryThatHangsIsKilledByTheFence() throws Exception {
        try (Site site = new Site(1).replicate()) {
            site.agent(1).observe();
            site.server(1).freeze();
            assertThat(site.agent(1).observe().health()).isEqualTo(Health.UNKNOWN);

            assertThat(Site.done(site.release(1))).containsKey("killed");

            site.server(1).awaitAnswer();
            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("1");
        }
    }

    @Test
    void anOperatorsReadLockIsNoDeathAndTheFenceStillEnds() throws Exception {
        try (Site site = new Site(2).replicate();
                Session backup = site.server(1).root()) {
            backup.run("FLUSH TABLES WITH READ LOCK", LONG);
            CompletableFuture<Integer> blocked = CompletableFuture.supplyAsync(() -> application(site, 1, 1));
            await().atMost(LONG)
                    .until(() -> !site.server(1)
                            .query("SELECT id FROM information_schema.processlist WHERE state LIKE '%lock%'")
                            .isEmpty());

            assertThat(site.agent(1).observe().health()).isEqualTo(Health.UP);
            assertThat(site.agent(2).observe().health()).isEqualTo(Health.UP);
            await().atMost(LONG)
                    .untilAsserted(() -> assertThat(site.agent(1).observe().troubles())
                            .containsExactly(Observation.Trouble.WRITES_BLOCKED));
            assertThat(site.agent(2).observe().troubles()).isEmpty();

            Site.done(site.release(1));
            assertThat(blocked).failsWithin(LONG);
        }
    }

    @Test
    void exhaustedConnectionsAreALiveServerAndShutTheAgentOutOfNothing() throws Exception {
        List<Session> clients = new ArrayList<>();
        try (Site site = new Site(1).replicate()) {
            site.agent(1).observe();
            await().atMost(LONG)
                    .until(() -> Integer.parseInt(
                                    site.server(1)
                                            .query(
                                                    "SELECT count(*) FROM information_schema.processlist WHERE user = 'understudy'"))
                            >= 4);
            assertThatThrownBy(() -> {
                        while (true) {
                            clients.add(site.server(1).application());
                        }
                    })
                    .hasMessageContaining("Too many connections");

            Observation.Database seen = site.agent(1).observe();
            assertThat(seen.health()).isEqualTo(Health.UP);
            assertThat(seen.readOnly()).isFalse();
            await().atMost(LONG)
                    .until(() -> site.agent(1).observe().troubles().equals(List.of(Observation.Trouble.EXHAUSTED)));

            assertThat(Site.done(site.release(1))).isEmpty();
            assertThat(site.agent(1).observe().readOnly()).isTrue();
        } finally {
            for (Session client : clients) {
                client.close();
            }
        }
    }

    @Test
    void tooManyConnectionsForANewAgentIsUp() throws Exception {
        List<Session> clients = new ArrayList<>();
        try (Site site = new Site(1).replicate()) {
            site.server(1).sql("CREATE USER watcher@localhost IDENTIFIED BY 's''ecret'");
            DatabaseLocal own = site.server(1).local();
            DatabaseLocal plain = new DatabaseLocal(
                    own.socket(),
                    "watcher",
                    own.replicationPasswordFile(),
                    own.replicationUser(),
                    own.replicationPasswordFile(),
                    own.copies(),
                    own.diverged());
            assertThatThrownBy(() -> {
                        while (true) {
                            clients.add(site.server(1).application());
                        }
                    })
                    .hasMessageContaining("Too many connections");
            try (LocalDatabase late = new LocalDatabase(
                    site.group(),
                    plain,
                    site.server(1),
                    new NftSourceCut(List.of(), "us_test_unused"),
                    site.door(1),
                    new InetSocketAddress(site.server(1).address, 0))) {
                Observation.Database seen = late.observe();
                assertThat(seen.health()).isEqualTo(Health.UP);
                assertThat(seen.detail()).contains("1040");
                assertThat(seen.troubles()).containsExactly(Observation.Trouble.EXHAUSTED);
            }
        } finally {
            for (Session client : clients) {
                client.close();
            }
        }
    }

    @Test
    void aKilledServerIsDownAndItsIdentityDoesNotFlapWhileItLives() throws Exception {
        try (Site site = new Site(1).replicate()) {
            String first = site.agent(1).observe().serverStart();
            assertThat(first).isNotEmpty().isEqualTo(site.agent(1).observe().serverStart());
            site.server(1).kill();
            Observation.Database seen = site.agent(1).observe();
            assertThat(seen.health()).isEqualTo(Health.DOWN);
            assertThat(seen.service()).isEqualTo(ServiceState.ENDED);
            Site.done(site.release(1));
        }
    }

    /// S16, S20: its start drops what InnoDB knows only as prepared, and nobody else has it.
    @Test
    void whatAPrimaryThatRunsAloneHasAnsweredIsThereAfterItsCrash() throws Exception {
        try (Site site = new Site(2).replicate()) {
            try (Session client = site.server(1).application()) {
                execute(client, "INSERT INTO shop.orders VALUES (1)");
                Site.done(site.open(1, true));
                site.server(1).kill(); // with what was answered before it ran alone
            }
            site.server(1).start();
            site.server(1).awaitAnswer();
            assertThat(site.server(1).rows()).isEqualTo("1");

            Site.done(site.open(1, true));
            try (Session client = site.server(1).application()) {
                execute(client, "INSERT INTO shop.orders VALUES (2)");
                site.server(1).kill();
            }
            site.server(1).start();
            site.server(1).awaitAnswer();
            assertThat(site.server(1).rows()).isEqualTo("1,2");

            Site.done(site.follow(2, 1));
            site.awaitEqual(2, 1);
            Site.done(site.open(1, true));
            assertThat(flush(site)).isEqualTo("3");
            Site.done(site.open(1, false));
            assertThat(flush(site)).isEqualTo("1");
            Site.done(site.open(1, true));
            Site.done(site.release(1));
            Site.done(site.follow(1, 2));
            assertThat(flush(site)).isEqualTo("1");
        }
    }

    private static String flush(Site site) {
        return site.server(1).query("SELECT @@innodb_flush_log_at_trx_commit");
    }

    @Test
    void blockedWritesWaitForARunningTransactionAndThePositionIsReachedElsewhere() throws Exception {
        try (Site site = new Site(2).replicate();
                Session client = site.server(1).application()) {
            execute(client, "BEGIN");
            execute(client, "INSERT INTO shop.orders VALUES (1)");
            await().until(() -> oldTransactions(site, 1).equals("1"));
            CompletableFuture<Outcome> block = CompletableFuture.supplyAsync(() -> site.block(1, LONG));
            execute(client, "COMMIT");
            String position = Site.done(block.get()).getOrDefault("binlog", "");

            assertThat(position).isEqualTo(site.server(1).query("SELECT @@gtid_binlog_pos"));
            Site.done(site.reach(2, position, LONG));
            assertThat(site.server(2).rows()).isEqualTo("1");
            assertThat(Site.failed(site.reach(2, "0-1-1000", Duration.ofMillis(200))))
                    .contains("not reached in time");

            Site.done(site.unblock(1));
            assertThat(application(site, 1, 2)).isEqualTo(2);
        }
    }

    @Test
    void aLongTransactionIsWaitedForWhileOthersWriteAndNothingIsBlockedIfItDoesNotEnd() throws Exception {
        try (Site site = new Site(2).replicate();
                Session client = site.server(1).application()) {
            execute(client, "BEGIN");
            execute(client, "INSERT INTO shop.orders VALUES (1)");
            await().until(() -> oldTransactions(site, 1).equals("1"));
            CompletableFuture<Outcome> block = CompletableFuture.supplyAsync(
                    () -> site.block(1, LONG, new LongTransactions(Duration.ofSeconds(2), false)));

            for (int id = 2; !block.isDone(); id++) {
                assertThat(application(site, 1, id)).isEqualTo(id);
            }
            assertThat(Site.failed(block.get())).contains("nothing was blocked", "app@");
            execute(client, "COMMIT");
            assertThat(site.server(1).rows()).startsWith("1,");
            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("0");
        }
    }

    @Test
    void blockedWritesEndATransactionThatOutlivesTheBudget() throws Exception {
        try (Site site = new Site(2).replicate();
                Session client = site.server(1).application()) {
            execute(client, "BEGIN");
            execute(client, "INSERT INTO shop.orders VALUES (1)");
            await().until(() -> oldTransactions(site, 1).equals("1"));

            Site.done(site.block(1, Duration.ofSeconds(1)));

            assertThatThrownBy(() -> execute(client, "COMMIT")).isInstanceOf(SQLException.class);
            assertThat(site.server(1).rows()).isEmpty();
        }
    }

    @Test
    void whenWritesCannotBeBlockedTheServerIsWritableAgain() throws Exception {
        try (Site site = new Site(2).replicate()) {
            Site.done(site.cut(2, 1));
            CompletableFuture<Integer> commit = CompletableFuture.supplyAsync(() -> application(site, 1, 1));
            await().atMost(LONG).until(() -> waiting(site, 1) == 1);
            // as old as a transaction that is ended when the budget is nearly over: this one must not be
            await().atMost(LONG).until(() -> oldTransactions(site, 1).equals("1"));

            String reason = Site.failed(site.block(1, Duration.ofSeconds(1)));

            assertThat(reason).contains("writable again: done");
            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("0");
            Site.done(site.follow(2, 1));
            site.awaitEqual(2, 1);
            // the follower acknowledges what waited: the client's commit ends well, it was never ended by force
            assertThat(commit.get()).isEqualTo(1);
        }
    }

    @Test
    void aServerThatReplicatesIsNotOpened() throws Exception {
        try (Site site = new Site(2).replicate()) {
            assertThat(Site.refused(site.open(2, true)).code()).isEqualTo("unstaged");
            assertThat(site.server(2).query("SELECT @@read_only")).isEqualTo("1");
        }
    }

    private static int application(Site site, int server, int id) {
        try (Session session = site.server(server).application()) {
            execute(session, "INSERT INTO shop.orders VALUES (" + id + ")");
            return id;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void execute(Session session, String sql) throws SQLException {
        session.run(sql, Duration.ofSeconds(60));
    }

    private static String oldTransactions(Site site, int id) throws SQLException {
        return site.server(id)
                .query("SELECT count(*) FROM information_schema.innodb_trx"
                        + " WHERE trx_started <= now() - INTERVAL 1 SECOND");
    }

    private static int waiting(Site site, int id) throws SQLException {
        try (Session session = site.server(id).root()) {
            return new MariaDb().waitingCommits(session, Duration.ofSeconds(2));
        }
    }
}
