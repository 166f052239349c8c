package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.Severity;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// What the agent finds amiss in the settings of real servers, and what becomes of a replica that stays behind on
/// purpose.
class SettingsTest {

    private static final Duration WAIT = Duration.ofSeconds(20);

    /// The servers of these tests are set up as the documentation says, but for the relay log's policy.
    @Test
    void aServerThatIsSetUpWellIsToldAsSuch() throws IOException {
        try (Site site = new Site(2).replicate()) {
            Observation.Settings primary = settings(site, 1);
            assertThat(codes(primary)).containsOnlyKeys("SYNC_RELAY_LOG");
            assertThat(primary.version()).startsWith("10.");
            assertThat(primary.serverId()).isEqualTo(1);
            assertThat(primary.binlogFormat()).isEqualTo("MIXED");
            assertThat(primary.gtidDomain()).isZero();
            assertThat(primary.delaySeconds()).isZero();
            assertThat(primary.diskFreeBytes()).isBetween(1L, primary.diskBytes());
            assertThat(codes(settings(site, 2)))
                    .containsOnlyKeys("SYNC_RELAY_LOG", "REPLICATION_TLS")
                    .doesNotContainValue(Severity.BLOCKS);
        }
    }

    @Test
    void eachSettingThatIsAmissIsFoundWhenTheServerStarts() throws IOException {
        try (Site site = new Site(1)) {
            settings(site, 1);
            site.server(1)
                    .restartWith(
                            "--skip-log-slave-updates",
                            "--gtid-strict-mode=0",
                            "--binlog-format=STATEMENT",
                            "--sync-binlog=0",
                            "--innodb-flush-log-at-trx-commit=2",
                            "--relay-log-recovery=1",
                            "--read-only=0",
                            "--skip-slave-start=0",
                            "--init-rpl-role=MASTER",
                            "--gtid-domain-id=7",
                            "--replicate-do-db=shop",
                            "--binlog-ignore-db=logs",
                            "--rpl-semi-sync-master-enabled=1",
                            "--rpl-semi-sync-master-timeout=10000");
            await().atMost(WAIT).until(() -> looked(site, 1).gtidDomain() == 7);
            Observation.Settings settings = looked(site, 1);
            assertThat(codes(settings))
                    .isEqualTo(Map.ofEntries(
                            Map.entry("LOG_SLAVE_UPDATES", Severity.BLOCKS),
                            Map.entry("REPLICATION_FILTER", Severity.BLOCKS),
                            Map.entry("BINLOG_FILTER", Severity.BLOCKS),
                            Map.entry("GTID_STRICT_MODE", Severity.WARNS),
                            Map.entry("BINLOG_FORMAT", Severity.WARNS),
                            Map.entry("SEMI_SYNC", Severity.WARNS),
                            Map.entry("SYNC_BINLOG", Severity.WARNS),
                            Map.entry("INNODB_FLUSH_LOG_AT_TRX_COMMIT", Severity.WARNS),
                            Map.entry("SYNC_RELAY_LOG", Severity.WARNS),
                            Map.entry("RELAY_LOG_RECOVERY", Severity.WARNS),
                            Map.entry("READ_ONLY", Severity.WARNS),
                            Map.entry("SKIP_SLAVE_START", Severity.WARNS),
                            Map.entry("INIT_RPL_ROLE", Severity.WARNS)));
            assertThat(settings.findings().getFirst().severity()).isEqualTo(Severity.BLOCKS);
            assertThat(settings.findings())
                    .contains(new Finding(
                            "LOG_SLAVE_UPDATES",
                            Severity.BLOCKS,
                            "log_slave_updates is 0, 1 is wanted: what it has applied as a replica would be missing in"
                                    + " its binary log"));
            assertThat(settings.binlogFormat()).isEqualTo("STATEMENT");

            site.server(1).restartWith("--skip-log-bin");
            await().atMost(WAIT)
                    .untilAsserted(() -> assertThat(codes(looked(site, 1))).containsEntry("LOG_BIN", Severity.BLOCKS));
        }
    }

    /// Measured: from 10.11 SUPER writes through read_only no more, READ ONLY ADMIN does, and ALL contains it.
    @Test
    void accountsThatWriteThroughReadOnlyAreNamedAndNoOthers() throws IOException, SQLException {
        try (Site site = new Site(1)) {
            MariaDbServer server = site.server(1);
            server.sql(
                    "SET sql_log_bin = 0",
                    "GRANT SELECT ON mysql.* TO understudy@localhost",
                    "CREATE DATABASE shop",
                    "CREATE TABLE shop.orders (id INT PRIMARY KEY) ENGINE=InnoDB",
                    "GRANT SUPER ON *.* TO app",
                    "GRANT READ ONLY ADMIN ON *.* TO batch@'10.0.%' IDENTIFIED BY 'x'",
                    "GRANT ALL ON *.* TO boss@'%' IDENTIFIED BY 'x'",
                    "GRANT ALL ON shop.* TO clerk@'%' IDENTIFIED BY 'x'");
            try (Session session = server.application()) {
                assertThatThrownBy(() -> session.run("INSERT INTO shop.orders VALUES (1)", Duration.ofSeconds(5)))
                        .hasMessageContaining("read-only");
            }
            server.sql("SET sql_log_bin = 0", "GRANT READ ONLY ADMIN ON *.* TO app");
            try (Session session = server.application()) {
                session.run("SET sql_log_bin = 0", Duration.ofSeconds(5));
                session.run("INSERT INTO shop.orders VALUES (1)", Duration.ofSeconds(5));
            }
            server.restartWith();
            await().atMost(WAIT)
                    .untilAsserted(() -> assertThat(looked(site, 1).findings())
                            .filteredOn(f -> f.code().equals("WRITES_THROUGH_READ_ONLY"))
                            .singleElement()
                            .satisfies(f -> assertThat(f.text())
                                    .startsWith("'app'@'%', 'batch'@'10.0.%', 'boss'@'%' may write on a replica")));
        }
    }

    @Test
    void anAgentThatMayNotFlushEachCommitSaysSo() throws IOException {
        try (Site site = new Site(1)) {
            MariaDbServer server = site.server(1);
            assertThat(codes(looked(site, 1))).doesNotContainKey("AGENT_RIGHTS");
            server.sql("SET sql_log_bin = 0", "REVOKE SUPER ON *.* FROM understudy@localhost");
            server.restartWith();
            await().atMost(WAIT)
                    .untilAsserted(
                            () -> assertThat(codes(looked(site, 1))).containsEntry("AGENT_RIGHTS", Severity.WARNS));
        }
    }

    /// The replica acknowledges what it stays behind with, and is promoted only for want of another: then at once.
    @Test
    void aReplicaThatStaysBehindOnPurposeAppliesAllOfItAtOnceWhenItIsNeeded() throws IOException {
        try (Site site = new Site(2).replicate()) {
            site.server(2).sql("STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 3600", "START SLAVE");
            site.server(1).sql("INSERT INTO shop.orders VALUES (1)", "INSERT INTO shop.orders VALUES (2)");
            assertThat(settings(site, 2).delaySeconds()).isEqualTo(3600);
            assertThat(site.server(2).rows()).isEmpty();

            site.server(1).kill();
            String received = Site.done(site.cut(2, 1)).get("received");
            assertThat(received).endsWith("-4");
            assertThat(site.server(2).rows()).isEmpty();
            Site.done(site.catchUp(2, Duration.ofSeconds(8)));
            assertThat(site.server(2).rows()).isEqualTo("1,2");
            Site.done(site.stage(2));
            assertThat(site.server(2).query("SELECT @@gtid_binlog_pos")).isEqualTo(received);
        }
    }

    /// Why relay_log_recovery is told: with it a server's start leaves nothing of what it had acknowledged to be read.
    @Test
    void withRelayLogRecoveryWhatWasReceivedIsGoneAfterTheNextStart() throws IOException, SQLException {
        assertThat(receivedAfterRestart("--relay-log-recovery=0")).endsWith("-3");
        assertThat(receivedAfterRestart("--relay-log-recovery=1")).endsWith("-2");
    }

    private static String receivedAfterRestart(String option) throws IOException, SQLException {
        try (Site site = new Site(2).replicate()) {
            try (Session _ = site.holdApplier(2)) {
                site.server(1).sql("INSERT INTO shop.orders VALUES (1)"); // acknowledged: the replica has it
                site.server(1).kill();
                site.server(2).kill();
            }
            site.server(2).restartWith(option);
            return String.valueOf(Site.done(site.cut(2, 1)).get("received"));
        }
    }

    private static Observation.Settings settings(Site site, int id) {
        return site.agent(id).settings(WAIT).orElseThrow();
    }

    /// As it is known after another look.
    private static Observation.Settings looked(Site site, int id) {
        site.agent(id).observe();
        return settings(site, id);
    }

    private static Map<String, Severity> codes(Observation.Settings settings) {
        List<Finding> findings = settings.findings();
        return findings.stream().collect(Collectors.toMap(Finding::code, Finding::severity));
    }
}
