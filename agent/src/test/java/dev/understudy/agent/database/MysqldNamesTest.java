package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.Observation.HeartbeatRow;
import dev.understudy.wire.metrics.Family;
import dev.understudy.wire.metrics.Metrics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// What is only on servers of other versions than the one that the tests run.
class MysqldNamesTest {

    @Test
    void whatIsCountedByKindHasTheKindAsALabel() {
        assertThat(page(MysqldNames.status(Map.of(
                        "Innodb_rows_inserted", "7",
                        "Innodb_buffer_pool_pages_dirty", "3",
                        "Innodb_buffer_pool_pages_flushed", "4",
                        "Innodb_buffer_pool_pages_total", "8191",
                        "Performance_schema_users_lost", "1"))))
                .contains(
                        "mysql_global_status_innodb_row_ops_total{operation=\"inserted\",} 7.0",
                        "mysql_global_status_buffer_pool_dirty_pages 3.0",
                        "mysql_global_status_buffer_pool_page_changes_total{operation=\"flushed\",} 4.0",
                        "mysql_global_status_performance_schema_lost_total{instrumentation=\"users_lost\",} 1.0")
                .doesNotContain("8191");
    }

    @Test
    void whatIsNoNumberIsLeftOutAndNamesArePlain() {
        assertThat(page(MysqldNames.variables(Map.of(
                        "innodb_buffer_pool_size", "33554432",
                        "log_error", "/var/log/mysql/error.log",
                        "hostname", "db1",
                        "keep.files-on", "ON",
                        "innodb_version", "8.4.2",
                        "version", "8.4.2"))))
                .contains(
                        "mysql_global_variables_innodb_buffer_pool_size 3.3554432E7",
                        "mysql_global_variables_keep_files_on 1.0",
                        "mysql_version_info{innodb_version=\"8.4.2\",version=\"8.4.2\",version_comment=\"\",} 1.0")
                .doesNotContain("log_error", "hostname");
    }

    @Test
    void eachSourceOfAReplicaIsASampleOfItsOwn() {
        assertThat(page(MysqldNames.replicas(List.of(
                        Map.of("Master_Host", "10.0.0.1", "Connection_name", "a", "Slave_IO_Running", "Connecting"),
                        Map.of("Master_Host", "10.0.0.2", "Connection_name", "b", "Slave_IO_Running", "Yes")))))
                .contains(
                        "mysql_slave_status_slave_io_running{master_host=\"10.0.0.1\",master_uuid=\"\","
                                + "channel_name=\"\",connection_name=\"a\",} 0.0",
                        "mysql_slave_status_slave_io_running{master_host=\"10.0.0.2\",master_uuid=\"\","
                                + "channel_name=\"\",connection_name=\"b\",} 1.0");
    }

    @Test
    void theHeartbeatRowIsInSeconds() {
        assertThat(page(MysqldNames.heartbeat(new HeartbeatRow(31, 7, 1_764_504_000_500_000L), 1_764_504_002)))
                .contains(
                        "mysql_heartbeat_now_timestamp_seconds{server_id=\"31\",} 1.764504002E9",
                        "mysql_heartbeat_stored_timestamp_seconds{server_id=\"31\",} 1.7645040005E9");
    }

    private static String page(List<Family> families) {
        Metrics metrics = new Metrics();
        metrics.families(() -> families);
        return metrics.scrape();
    }
}
