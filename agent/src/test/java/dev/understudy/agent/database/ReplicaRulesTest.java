package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// SAFETY S17 to S20 on the replica's side, on real servers. Each test is named after the rule that it holds.
class ReplicaRulesTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    @Test
    void s17_eventsWithTheOwnServerIdComeBackOnRejoin() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            // db1 as of now comes back later: it has lost what it writes next, as after a truncated binary log (S16)
            site.server(1).stop();
            Path data = site.server(1).folder.resolve("data");
            Path saved = site.folder.resolve("saved");
            Files.createDirectories(saved);
            run("cp", "-a", data.toString(), saved.toString());
            site.server(1).start();
            site.server(1).awaitAnswer();
            Site.done(site.stage(1));
            Site.done(site.open(1, false));
            await().atMost(LONG)
                    .untilAsserted(() -> assertThat(site.agent(2).observe().replica())
                            .extracting(Observation.Replica::receiver)
                            .isEqualTo("Yes"));
            insert(site, 1, 2);
            site.awaitEqual(2, 1);

            site.server(1).kill();
            MariaDbServer.delete(data);
            run("cp", "-a", saved.resolve("data").toString(), data.toString());
            promote(site, 2, 1, true);
            site.server(1).start();
            site.server(1).awaitAnswer();
            assertThat(site.server(1).rows()).isEqualTo("1");

            Site.done(site.follow(1, 2));

            insert(site, 2, 3);
            site.awaitEqual(1, 2);
            assertThat(site.server(1).rows()).isEqualTo("1,2,3");
        }
    }

    @Test
    void s17_aHoleInThePrimarysSequenceIsSeenAsDivergence() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            promote(site, 2, 1, true);
            // both histories go on under db1's server id: by numbers alone the primary contains the other one
            site.server(1)
                    .sql(
                            "SET GLOBAL rpl_semi_sync_master_enabled = 0",
                            "SET gtid_seq_no = 100",
                            "INSERT INTO shop.orders VALUES (50)");
            Site.done(site.release(1));
            site.server(2).sql("SET server_id = 1", "SET gtid_seq_no = 200", "INSERT INTO shop.orders VALUES (60)");

            Outcome.Refused refused = Site.refused(site.follow(1, 2));

            assertThat(refused.code()).isEqualTo("diverged");
            assertThat(site.server(1).query("SHOW SLAVE STATUS")).isEmpty();
        }
    }

    @Test
    void s18_followWaitsForTheApplierAndLosesNothingReceived() throws Exception {
        try (Site site = new Site(3).replicate()) {
            try (Session holder = site.holdApplier(3)) {
                insert(site, 1, 1);
                insert(site, 1, 2);
                awaitReceived(site, 3, 1);
                site.awaitEqual(2, 1);
                site.server(1).kill();
                Site.done(site.cut(3, 1));
                promote(site, 2, 1, false);
                assertThat(Site.failed(site.catchUp(3, Duration.ofMillis(300)))).contains("not caught up in time");
                assertThat(Site.refused(site.stage(3)).code()).isEqualTo("unapplied");

                CompletableFuture<Outcome> following = CompletableFuture.supplyAsync(() -> site.follow(3, 2));
                holder.run("UNLOCK TABLES", Duration.ofSeconds(5));
                Site.done(following.get(30, TimeUnit.SECONDS));
            }
            Site.done(site.open(2, false));
            insert(site, 2, 3);
            site.awaitEqual(3, 2);
            assertThat(site.server(3).rows()).isEqualTo("1,2,3");
        }
    }

    @Test
    void s18_anApplierThatIsStoppedAloneIsStartedBeforeTheReceiverStops() throws Exception {
        try (Site site = new Site(2).replicate()) {
            site.server(2).sql("STOP SLAVE SQL_THREAD");
            insert(site, 1, 1);
            awaitReceived(site, 2, 1);

            assertThat(Site.done(site.cut(2, 1))).containsEntry("receiver", "stopped");
            Site.done(site.catchUp(2, LONG));

            assertThat(site.server(2).rows()).isEqualTo("1");
        }
    }

    @Test
    void s18_withBothThreadsStoppedTheRelayLogIsCopiedAsideAndItIsNoCandidate() throws Exception {
        try (Site site = new Site(2).replicate()) {
            site.server(2).sql("STOP SLAVE SQL_THREAD");
            insert(site, 1, 1);
            awaitReceived(site, 2, 1);
            site.server(2).sql("STOP SLAVE IO_THREAD");

            assertThat(Site.failed(site.cut(2, 1))).contains("no candidate");
            assertThat(Site.failed(site.catchUp(2, LONG))).contains("both stopped");
            assertThat(Site.refused(site.stage(2)).code()).isEqualTo("unapplied");

            Path copies = site.server(2).local().copies();
            try (Stream<Path> files = Files.walk(copies)) {
                assertThat(files.map(f -> String.valueOf(f.getFileName())).filter(n -> n.startsWith("relay.0")))
                        .isNotEmpty();
            }
        }
    }

    @Test
    void s25_afterAPowerCutWhatOnlyTheRelayLogHasIsToldAndApplied() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            // what is not yet on disk is dropped at the restart, the first row as well (S16)
            site.server(2).sql("FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS");
            String position;
            try (Session _ = site.holdApplier(2)) {
                for (int row = 2; row <= 250; row++) { // more events than are read at once
                    insert(site, 1, row);
                }
                position = site.server(1).query("SELECT @@gtid_binlog_pos");
                awaitReceived(site, 2, 1);
                site.server(1).kill();
                site.server(2).kill();
            }
            site.server(2).start();
            site.server(2).awaitAnswer();
            assertThat(site.server(2).query("SELECT COUNT(*) FROM shop.orders")).isEqualTo("1");

            assertThat(Site.done(site.cut(2, 1)))
                    .containsEntry("received", position)
                    .doesNotContainEntry("applied", position);
            assertThat(Site.refused(site.stage(2)).code()).isEqualTo("unapplied");
            assertThat(Site.done(site.catchUp(2, LONG))).containsEntry("applied", position);

            assertThat(site.server(2).query("SELECT COUNT(*) FROM shop.orders")).isEqualTo("250");
            assertThat(site.server(2).query("SELECT @@gtid_binlog_pos")).isEqualTo(position);
            Site.done(site.catchUp(2, LONG));
            Site.done(site.stage(2));
            Site.done(site.open(2, true));
            site.server(1).start();
            site.server(1).awaitAnswer();
            Site.done(site.follow(1, 2));
            site.awaitEqual(1, 2);
        }
    }

    @Test
    void s19_aFrozenPrimaryIsCutOffAndItsCommitIsNotAcknowledgedAfterTheThaw() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            String position = site.server(1).query("SELECT @@gtid_binlog_pos");
            site.server(1).freeze();
            try {
                assertThat(Site.done(site.cut(2, 1)))
                        .containsEntry("receiver", "stopped")
                        .containsEntry("received", position);
            } finally {
                site.server(1).thaw();
            }
            CompletableFuture<Integer> commit = CompletableFuture.supplyAsync(() -> {
                insert(site, 1, 2);
                return 2;
            });
            await().until(() -> !site.server(1)
                            .query("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_wait_sessions'")
                            .isEmpty()
                    && waiting(site, 1) == 1);
            assertThat(commit).isNotDone();
            assertThat(Site.done(site.release(1))).containsKey("killed");
            assertThat(commit).failsWithin(LONG);
            assertThat(site.server(2).rows()).isEqualTo("1");
        }
    }

    @Test
    void s20_withAFollowerAttachedFirstTheNewPrimarysFirstCommitGoesThrough() throws Exception {
        try (Site site = new Site(3).replicate()) {
            site.server(1).kill();
            Site.done(site.cut(2, 1));
            Site.done(site.cut(3, 1));
            promote(site, 2, 1, false);
            Site.done(site.follow(3, 2));
            assertThat(Site.refused(site.openWithoutLease(2)).code()).isEqualTo("lease");
            assertThat(site.server(2).query("SELECT @@read_only")).isEqualTo("1");

            Site.done(site.open(2, false));

            insert(site, 2, 1);
            site.awaitEqual(3, 2);
            Observation.Database seen = site.agent(2).observe();
            assertThat(seen.semiSyncPrimary()).isTrue();
            assertThat(seen.semiSyncClients()).isEqualTo(1);
            assertThat(seen.replica()).isNull();
        }
    }

    @Test
    void aBrokenApplierIsNotCaughtUp() throws Exception {
        try (Site site = new Site(2).replicate()) {
            site.server(2).sql("SET sql_log_bin = 0", "INSERT INTO shop.orders VALUES (1)");
            insert(site, 1, 1);
            awaitReceived(site, 2, 1);
            await().until(() -> applierErrno(site, 2) != 0);

            assertThat(Site.done(site.cut(2, 1))).containsKey("applierError");
            assertThat(Site.failed(site.catchUp(2, LONG)))
                    .contains("the applier is broken")
                    .contains("1062");
            assertThat(Site.refused(site.stage(2)).code()).isEqualTo("unapplied");
        }
    }

    @Test
    void s19_givenUpPlansDoNotHangTheLivingPrimaryAndFollowTwiceTouchesNothing() throws Exception {
        try (Site site = new Site(2).replicate()) {
            String before = site.server(2).query("SHOW GLOBAL STATUS LIKE 'Com_change_master'");
            Site.done(site.follow(2, 1));
            assertThat(site.server(2).query("SHOW GLOBAL STATUS LIKE 'Com_change_master'"))
                    .isEqualTo(before);

            for (int plan = 1; plan <= 5; plan++) {
                Site.done(site.cut(2, 1));
                Site.done(site.follow(2, 1)); // the plan was given up: the same primary again
                insert(site, 1, plan);
                site.awaitEqual(2, 1);
            }
        }
    }

    private static void promote(Site site, int id, int old, boolean open) {
        Site.done(site.cut(id, old));
        Site.done(site.catchUp(id, LONG));
        Site.done(site.stage(id));
        if (open) {
            Site.done(site.open(id, true));
        }
    }

    private static void insert(Site site, int server, int id) {
        site.server(server).sql("INSERT INTO shop.orders VALUES (" + id + ")");
    }

    private static int applierErrno(Site site, int id) {
        Observation.Replica replica = site.agent(id).observe().replica();
        return replica == null ? 0 : replica.applierErrno();
    }

    private static int waiting(Site site, int id) throws SQLException {
        try (Session session = site.server(id).root()) {
            return new MariaDb().waitingCommits(session, Duration.ofSeconds(2));
        }
    }

    private static void awaitReceived(Site site, int replica, int primary) {
        await().atMost(LONG).until(() -> {
            Observation.Replica seen = site.agent(replica).observe().replica();
            return seen != null
                    && seen.receivedPosition().equals(site.server(primary).query("SELECT @@gtid_binlog_pos"));
        });
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }
}
