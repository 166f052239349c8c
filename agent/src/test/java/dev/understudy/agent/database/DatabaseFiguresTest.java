package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.metrics.Promtool;
import dev.understudy.protocol.Health;
import dev.understudy.wire.metrics.Family;
import dev.understudy.wire.metrics.Metrics;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What a real server tells Prometheus, and what a scrape of a server that hangs holds up: nothing.
class DatabaseFiguresTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    /// mysqld_exporter's own names, which are kept as they are.
    private static final String PUBLIC_NAME = "mysql_(global_status|global_variables|slave_status)_\\w+ ("
            + "use base unit .*|metric name should not include type .*|metric names should not contain abbreviated units|"
            + "non-counter metrics should not have \"_total\" suffix|"
            + "non-histogram and non-summary metrics should not have .* suffix)";

    @Test
    void aPrimaryAndAReplicaHaveMysqldExportersNames() throws Exception {
        try (Site site = new Site(2).replicate()) {
            await().atMost(LONG).until(() -> {
                site.agent(1).beat(7, () -> true);
                site.agent(2).beat(0, () -> false);
                return site.agent(2).observe().heartbeat() != null;
            });

            String primary = page(site, 1);
            assertThat(primary)
                    .contains(
                            "# TYPE mysql_up gauge\nmysql_up 1.0\n",
                            "# TYPE mysql_global_status_threads_connected untyped\n",
                            "# TYPE mysql_global_status_commands_total counter\n",
                            "mysql_global_status_commands_total{command=\"insert\",}",
                            "mysql_global_status_handlers_total{handler=\"write\",}",
                            "mysql_global_status_connection_errors_total{error=\"max_connections\",} 0.0\n",
                            "mysql_global_status_buffer_pool_pages{state=\"data\",}",
                            "mysql_global_status_buffer_pool_dirty_pages ",
                            "mysql_global_status_rpl_semi_sync_master_no_tx 0.0\n",
                            "mysql_global_status_rpl_semi_sync_master_status 1.0\n",
                            "mysql_global_variables_read_only 0.0\n",
                            "mysql_global_variables_server_id 1.0\n",
                            "mysql_global_variables_max_connections ",
                            "mysql_version_info{innodb_version=",
                            "mysql_heartbeat_stored_timestamp_seconds{server_id=\"1\",}",
                            "mysql_exporter_collector_success{collector=\"slave_status\",} 1.0\n")
                    .doesNotContain("mysql_slave_status_");

            String labels = "{master_host=\"127.1.0.1\",master_uuid=\"\",channel_name=\"\",connection_name=\"\",} ";
            assertThat(page(site, 2))
                    .contains(
                            "mysql_slave_status_slave_io_running" + labels + "1.0\n",
                            "mysql_slave_status_slave_sql_running" + labels + "1.0\n",
                            "mysql_slave_status_seconds_behind_master" + labels + "0.0\n",
                            "mysql_slave_status_master_server_id" + labels + "1.0\n",
                            "mysql_heartbeat_now_timestamp_seconds{server_id=\"1\",}",
                            "mysql_global_variables_read_only 1.0\n");

            assertThat(Promtool.complaints(primary)).allMatch(line -> line.matches(PUBLIC_NAME));
            assertThat(Promtool.complaints(page(site, 2))).allMatch(line -> line.matches(PUBLIC_NAME));

            site.server(2).sql("STOP SLAVE IO_THREAD");
            assertThat(page(site, 2)).contains("mysql_slave_status_slave_io_running" + labels + "0.0\n");
        }
    }

    @Test
    void aServerThatHangsIsNotUpAndHoldsUpNeitherAFenceNorALook() throws Exception {
        try (Site site = new Site(1).replicate()) {
            assertThat(page(site, 1)).contains("mysql_up 1.0\n");
            site.server(1).freeze();
            try {
                CompletableFuture<List<Family>> scrape =
                        CompletableFuture.supplyAsync(() -> site.agent(1).figures(), Thread::startVirtualThread);
                assertThat(site.agent(1).observe().health()).isEqualTo(Health.UNKNOWN);
                assertThat(scrape.get(20, TimeUnit.SECONDS)).anySatisfy(family -> {
                    assertThat(family.name()).isEqualTo("mysql_up");
                    assertThat(family.samples().getFirst().value()).isZero();
                });
            } finally {
                site.server(1).thaw();
            }
            await().atMost(LONG).until(() -> page(site, 1).contains("mysql_up 1.0\n"));
        }
    }

    /// Both threads of the agent's page may scrape at once, and one of them must stay free for `/writer`.
    @Test
    void aSecondScrapeDoesNotWaitForTheFirst() throws Exception {
        try (Site site = new Site(1).replicate()) {
            page(site, 1);
            site.server(1).freeze();
            try {
                List<CompletableFuture<List<Family>>> both = Stream.of(1, 2)
                        .map(_ -> CompletableFuture.supplyAsync(
                                () -> site.agent(1).figures(), Thread::startVirtualThread))
                        .toList();
                List<Integer> families = new ArrayList<>();
                for (CompletableFuture<List<Family>> scrape : both) {
                    families.add(scrape.get(20, TimeUnit.SECONDS).size());
                }
                assertThat(families).contains(1);
            } finally {
                site.server(1).thaw();
            }
        }
    }

    /// While a receiver is being stopped whose primary does not answer, the state of replication cannot be read.
    @Test
    void aScrapeThatWaitsForReplicationHoldsUpNoRelease() throws Exception {
        try (Site site = new Site(2).replicate();
                Session operator = site.server(2).root()) {
            page(site, 2);
            site.server(1).freeze();
            try {
                CompletableFuture<Void> stopping = CompletableFuture.runAsync(
                        () -> {
                            try {
                                operator.run("STOP SLAVE IO_THREAD", LONG.multipliedBy(3));
                            } catch (SQLException e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        Thread::startVirtualThread);
                CompletableFuture<String> scrape =
                        CompletableFuture.supplyAsync(() -> page(site, 2), Thread::startVirtualThread);
                Site.done(site.release(2));
                assertThat(scrape.get(20, TimeUnit.SECONDS)).contains("mysql_up 1.0\n");
                site.server(1).thaw();
                stopping.get(60, TimeUnit.SECONDS);
            } finally {
                site.server(1).thaw();
            }
        }
    }

    @Test
    void aServerThatHasEndedIsNotUp() throws Exception {
        try (Site site = new Site(1).replicate()) {
            site.server(1).kill();
            assertThat(page(site, 1))
                    .contains("mysql_up 0.0\n", "mysql_exporter_collector_success{collector=\"global_status\",} 0.0\n")
                    .doesNotContain("mysql_global_status_uptime");
        }
    }

    private static String page(Site site, int id) {
        Metrics metrics = new Metrics();
        metrics.families(() -> site.agent(id).figures());
        return metrics.scrape();
    }
}
