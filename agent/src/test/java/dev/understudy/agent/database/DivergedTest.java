package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/// What a member has, or had, that its primary lacks: found to the transaction, decoded, told (S16, S17). On real
/// servers.
class DivergedTest {

    private static final String INSERT_801 = "INSERT INTO shop.orders VALUES (801)";

    @Test
    void s17_theExtraTransactionsOfADivergedMemberAreNamedAndDecoded() throws Exception {
        try (Site site = replaced()) {
            site.server(1)
                    .sql(
                            "SET GLOBAL rpl_semi_sync_master_enabled = 0",
                            "SET binlog_format = ROW",
                            "INSERT INTO shop.orders VALUES (4711)",
                            "INSERT INTO shop.orders VALUES (4712)");
            String last = site.server(1).query("SELECT @@gtid_binlog_pos");

            Outcome.Refused refused = Site.refused(site.follow(1, 2));

            DivergedFiles.Shown shown = shown(site, 1);
            assertThat(shown.gtids()).hasSize(2).last().isEqualTo(last);
            assertThat(refused.code()).isEqualTo("diverged");
            assertThat(refused.reason())
                    .contains("2 transactions: " + String.join(" ", shown.gtids()) + ", decoded in " + shown.file());
            assertThat(shown.cut()).isFalse();
            assertThat(shown.text())
                    .contains("### INSERT INTO `shop`.`orders`", "@1=4711", "@1=4712")
                    .doesNotContain("@1=1\n", "@1=2\n");
            assertThat(Files.getPosixFilePermissions(shown.file().getParent()))
                    .isSubsetOf(
                            PosixFilePermission.OWNER_READ,
                            PosixFilePermission.OWNER_WRITE,
                            PosixFilePermission.OWNER_EXECUTE);
        }
    }

    @Test
    void s17_transactionsUnderNumbersThatThePrimarySkippedAreNamedToo() throws Exception {
        try (Site site = replaced()) {
            // by numbers alone the primary contains them: both histories go on under db1's server id
            site.server(1)
                    .sql(
                            "SET GLOBAL rpl_semi_sync_master_enabled = 0",
                            "SET gtid_seq_no = 100",
                            "INSERT INTO shop.orders VALUES (50)",
                            "INSERT INTO shop.orders VALUES (51)");
            site.server(2).sql("SET server_id = 1", "SET gtid_seq_no = 200", "INSERT INTO shop.orders VALUES (60)");

            Site.refused(site.follow(1, 2));

            assertThat(shown(site, 1).gtids()).containsExactly("0-1-100", "0-1-101");
        }
    }

    @Test
    void s16_numbersThatWereDroppedAndGivenAgainByHandAreNotTakenForThePrimarys() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            // db1 loses the end of its binary log, which db2 has, as at a start with init-rpl-role=SLAVE
            Path data = site.server(1).folder.resolve("data");
            Path saved = site.folder.resolve("saved");
            site.server(1).stop();
            Files.createDirectories(saved);
            run("cp", "-a", data.toString(), saved.toString());
            site.server(1).start();
            site.server(1).awaitAnswer();
            Site.done(site.stage(1));
            Site.done(site.open(1, false));
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> site.agent(1).observe().semiSyncClients() == 1);
            insert(site, 1, 2);
            site.awaitEqual(2, 1);
            String lost = site.server(1).query("SELECT @@gtid_binlog_pos");
            site.server(1).kill();
            MariaDbServer.delete(data);
            run("cp", "-a", saved.resolve("data").toString(), data.toString());
            promote(site);
            site.server(1).start();
            site.server(1).awaitAnswer();
            long second = Instant.now().getEpochSecond();
            await().until(() -> Instant.now().getEpochSecond() > second);
            site.server(1).sql("SET binlog_format = ROW", "INSERT INTO shop.orders VALUES (666)");
            assertThat(site.server(1).query("SELECT @@gtid_binlog_pos")).isEqualTo(lost);

            Outcome.Refused refused = Site.refused(site.follow(1, 2));

            assertThat(refused.code()).isEqualTo("diverged");
            assertThat(refused.reason()).contains(lost + " is another transaction on the primary");
            assertThat(shown(site, 1).gtids()).containsExactly(lost);
            assertThat(shown(site, 1).text()).contains("@1=666");
            assertThat(site.server(1).query("SHOW SLAVE STATUS")).isEmpty();
        }
    }

    @Test
    void s16_whatAKilledPrimaryDropsAtItsStartAndNobodyHasIsTold() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            site.agent(1).observe(); // as the agent does all the time
            site.server(2).sql("STOP SLAVE IO_THREAD"); // from here on nobody acknowledges
            CompletableFuture<Void> waiting =
                    CompletableFuture.runAsync(() -> site.server(1).sql("SET binlog_format = ROW", INSERT_801));
            await().until(() -> site.server(1)
                    .query("SELECT variable_value FROM information_schema.global_status"
                            + " WHERE variable_name = 'RPL_SEMI_SYNC_MASTER_WAIT_SESSIONS'")
                    .equals("1"));

            assertThat(Site.done(site.release(1))).containsKey("killed");
            assertThat(waiting).failsWithin(Duration.ofSeconds(20));
            promote(site);
            site.server(1).awaitAnswer();
            String told = Site.done(site.follow(1, 2)).get(Command.Follow.DROPPED);

            DivergedFiles.Shown shown = shown(site, 1);
            assertThat(shown.gtids()).hasSize(1);
            assertThat(told)
                    .contains(
                            "1 transaction: " + String.join(" ", shown.gtids()),
                            shown.file().toString());
            assertThat(shown.text()).contains("@1=801").doesNotContain("@1=1\n");
            assertThat(site.server(1).rows()).isEqualTo("1");
        }
    }

    @Test
    void s16_whatWasDroppedAndCameBackFromThePrimaryIsNotTold() throws Exception {
        try (Site site = new Site(2).replicate()) {
            insert(site, 1, 1);
            site.awaitEqual(2, 1);
            site.agent(1).observe();
            site.server(1).kill();
            promote(site);
            site.server(1).start();
            site.server(1).awaitAnswer();

            assertThat(Site.done(site.follow(1, 2))).doesNotContainKey(Command.Follow.DROPPED);
        }
    }

    @Test
    void afterAnOwnReSeedTheMemberFollows() throws Exception {
        try (Site site = replaced()) {
            site.server(1).sql("SET GLOBAL rpl_semi_sync_master_enabled = 0", "INSERT INTO shop.orders VALUES (4711)");
            Site.refused(site.follow(1, 2));

            // what an operator does by hand: undo the row outside the log, begin the log anew where the primary is
            site.server(1)
                    .sql(
                            "SET sql_log_bin = 0",
                            "DELETE FROM shop.orders WHERE id = 4711",
                            "INSERT INTO shop.orders VALUES (2)",
                            "SET sql_log_bin = 1",
                            "RESET MASTER",
                            "SET GLOBAL gtid_slave_pos = '" + site.server(2).query("SELECT @@gtid_binlog_pos") + "'");

            Site.done(site.follow(1, 2));
            site.awaitEqualRows(1, 2);
        }
    }

    /// db2 has taken over from db1, which lives on read-only.
    private static Site replaced() throws IOException {
        Site site = new Site(2).replicate();
        insert(site, 1, 1);
        site.awaitEqual(2, 1);
        promote(site);
        Site.done(site.release(1));
        insert(site, 2, 2);
        return site;
    }

    private static void promote(Site site) {
        Site.done(site.cut(2, 1));
        Site.done(site.catchUp(2, Duration.ofSeconds(20)));
        Site.done(site.stage(2));
        Site.done(site.open(2, true));
    }

    private static void insert(Site site, int server, int id) {
        site.server(server).sql("INSERT INTO shop.orders VALUES (" + id + ")");
    }

    private static DivergedFiles.Shown shown(Site site, int server) throws IOException {
        return new DivergedFiles(site.server(server).local().diverged())
                .latest("shopdb")
                .orElseThrow();
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(List.of(command)).inheritIO().start().waitFor())
                .isZero();
    }
}
