package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Observation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// `understudy-agent database init` on real servers.
class DatabasePreparationTest {

    private static final Duration WAIT = Duration.ofSeconds(20);
    private static final String POSITIONS =
            "SELECT CONCAT(@@gtid_binlog_pos, '/', @@gtid_binlog_state, '/', @@gtid_slave_pos)";

    private String told = "";

    @Test
    void threeEmptyServersBecomeAGroupInWhichAFailoverLosesNothing() throws IOException {
        try (Site site = new Site(3)) {
            for (int id = 1; id <= 3; id++) {
                empty(site, id);
                // what whoever installed it did there: histories that could never be joined
                site.server(id).sql("CREATE USER stray" + id + "@localhost", "DROP USER stray" + id + "@localhost");
                assertThat(site.server(id).query(POSITIONS)).contains("0-" + id + "-2");
                assertThat(site.agent(id).observe().detail()).contains("Access denied");

                assertThat(prepare(site, id)).as(told).isTrue();
                assertThat(told)
                        .contains("made     the account 'repl'@'%'")
                        .contains("made     the account 'understudy'@'localhost'")
                        .contains("begun    an empty history")
                        .endsWith("prepared\n");
                assertThat(site.server(id).query(POSITIONS)).isEqualTo("//");
                assertThat(site.server(id).query("SELECT @@read_only")).isEqualTo("1");
            }
            site.replicate();
            site.server(1).sql("INSERT INTO shop.orders VALUES (1)");
            site.awaitEqual(2, 1);
            site.awaitEqual(3, 1);
            assertThat(site.server(1).query("SELECT @@gtid_binlog_pos")).isEqualTo("0-1-3");

            site.server(1).kill();
            Site.done(site.cut(2, 1));
            Site.done(site.cut(3, 1));
            Site.done(site.catchUp(2, WAIT));
            Site.done(site.stage(2));
            Site.done(site.follow(3, 2));
            Site.done(site.open(2, false));
            site.server(2).sql("INSERT INTO shop.orders VALUES (2)");
            site.server(1).start();
            site.server(1).awaitAnswer();
            Site.done(site.follow(1, 2));
            site.awaitEqual(1, 2);
            site.awaitEqual(3, 2);
            assertThat(site.server(1).rows()).isEqualTo("1,2");
            // the primary's own agent writes the row with the rights that it was given
            site.agent(2).beat(2, () -> true);
            await().atMost(WAIT).untilAsserted(() -> {
                site.agent(3).beat(0, () -> false);
                assertThat(site.agent(3).observe().heartbeat())
                        .extracting(Observation.HeartbeatRow::serverId)
                        .isEqualTo(2L);
            });
        }
    }

    @Test
    void twiceIsOnceAlsoWhenTheServerIsInUse() throws IOException {
        try (Site site = new Site(2)) {
            for (int id = 1; id <= 2; id++) {
                empty(site, id);
                assertThat(prepare(site, id)).as(told).isTrue();
                assertThat(prepare(site, id)).as(told).isTrue();
                assertThat(told).endsWith("prepared already: nothing was changed\n");
            }
            site.replicate();
            String positions = site.server(1).query(POSITIONS);
            for (int id = 1; id <= 2; id++) {
                assertThat(prepare(site, id)).as(told).isTrue();
                assertThat(told).endsWith("prepared already: nothing was changed\n");
            }
            assertThat(site.server(1).query(POSITIONS)).isEqualTo(positions);
            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("0");
        }
    }

    @Test
    void aServerWithDataIsLeftAsItIs() throws IOException {
        try (Site site = new Site(1)) {
            empty(site, 1);
            site.server(1).sql("SET GLOBAL read_only = 0", "CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT)");
            String before = site.server(1).query(POSITIONS);

            assertThat(prepare(site, 1)).isFalse();
            assertThat(told)
                    .contains("refused: it has data: shop")
                    .contains("the account 'repl'@'%'")
                    .contains("GRANT REPLICATION SLAVE ON *.* TO 'repl'@'%';")
                    .contains("ALTER USER 'understudy'@'localhost' IDENTIFIED BY '…';")
                    .doesNotContain("s'ecret")
                    .doesNotContain("s''ecret");
            assertThat(site.server(1).query(POSITIONS)).isEqualTo(before);
            assertThat(site.server(1)
                            .query("SELECT COUNT(*) FROM mysql.global_priv WHERE user IN ('repl', 'understudy')"))
                    .isEqualTo("0");
            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("0");
        }
    }

    @Test
    void aServerThatReplicatesIsLeftAsItIsThoughItHasNoData() throws IOException {
        try (Site site = new Site(2)) {
            Site.done(site.stage(1));
            Site.done(site.follow(2, 1));
            site.server(2).sql("SET sql_log_bin = 0", "DROP USER understudy@localhost");
            assertThat(prepare(site, 2)).isFalse();
            assertThat(told).contains("refused: it replicates from " + site.server(1).address);
            site.server(1).sql("SET sql_log_bin = 0", "DROP USER understudy@localhost");
            assertThat(prepare(site, 1)).isFalse();
            assertThat(told).contains("refused: another server replicates from it");
        }
    }

    @Test
    void aServerThatCouldNotBePromotedIsNotPrepared() throws IOException {
        try (Site site = new Site(1)) {
            empty(site, 1);
            site.server(1).restartWith("--skip-log-slave-updates");
            assertThat(prepare(site, 1)).isFalse();
            assertThat(told).contains("UNFIT    LOG_SLAVE_UPDATES").contains("refused: it could not be promoted");
            assertThat(site.server(1).query("SELECT COUNT(*) FROM mysql.global_priv WHERE user = 'repl'"))
                    .isEqualTo("0");
        }
    }

    @Test
    void aPasswordThatDiffersIsSetAndRightsThatAreMissingAreGiven() throws IOException {
        try (Site site = new Site(1)) {
            site.server(1)
                    .sql(
                            "SET sql_log_bin = 0",
                            "SET PASSWORD FOR repl@'%' = PASSWORD('other')",
                            "REVOKE BINLOG ADMIN ON *.* FROM understudy@localhost",
                            "REVOKE INSERT ON understudy.* FROM understudy@localhost",
                            "CREATE USER clerk@'%'");
            assertThat(prepare(site, 1)).as(told).isTrue();
            assertThat(told)
                    .contains("made     the account 'repl'@'%' as this host's files say it")
                    .contains("made     BINLOG ADMIN for 'understudy'@'localhost'")
                    .contains("made     CREATE, SELECT, INSERT, UPDATE on understudy.*")
                    .contains("warning  the account 'clerk'@'%' is on this server alone");
            assertThat(prepare(site, 1)).as(told).isTrue();
            assertThat(told).endsWith("prepared already: nothing was changed\n");
        }
    }

    @Test
    void withoutThePasswordsFileNothingIsDone() throws IOException {
        try (Site site = new Site(1)) {
            empty(site, 1);
            Files.delete(site.server(1).local().replicationPasswordFile());
            assertThat(prepare(site, 1)).isFalse();
            assertThat(told).startsWith("refused: a password file cannot be read");
        }
    }

    /// Nobody could follow a server without that account. An agent that sees every account says so.
    @Test
    void aServerWithoutTheAccountOfReplicationIsUnfit() throws IOException {
        try (Site site = new Site(1)) {
            site.server(1).sql("SET sql_log_bin = 0", "GRANT SELECT ON mysql.* TO understudy@localhost");
            assertThat(blocking(site)).isEmpty();
            site.server(1).sql("SET sql_log_bin = 0", "DROP USER repl@'%'");
            site.server(1).restartWith();
            await().atMost(WAIT).untilAsserted(() -> {
                site.agent(1).observe();
                assertThat(blocking(site)).isEqualTo("REPLICATION_ACCOUNT");
            });
        }
    }

    private static String blocking(Site site) {
        return site.agent(1).settings(WAIT).orElseThrow().findings().stream()
                .filter(finding -> finding.severity() == Observation.Severity.BLOCKS)
                .map(Observation.Finding::code)
                .findFirst()
                .orElse("");
    }

    /// As it comes from its package: no accounts but the server's own.
    private static void empty(Site site, int id) {
        site.server(id).sql("SET sql_log_bin = 0", "DROP USER understudy@localhost, repl@'%', app@'%'");
    }

    private boolean prepare(Site site, int id) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean prepared;
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            prepared = new DatabasePreparation("mariadb", site.server(id).local(), "%", out).run();
        }
        told = bytes.toString(StandardCharsets.UTF_8);
        System.out.print(told.indent(2));
        return prepared;
    }
}
