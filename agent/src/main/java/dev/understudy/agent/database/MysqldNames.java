package dev.understudy.agent.database;

import dev.understudy.protocol.Observation.HeartbeatRow;
import dev.understudy.wire.metrics.Family;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A server's own figures under the names, labels and types that mysqld_exporter gives them, so that dashboards made
/// for it go on working (github.com/prometheus/mysqld_exporter, `collector/global_status.go`, `global_variables.go`,
/// `slave_status.go`, `heartbeat.go`). What is no number is left out, as it is there. Pure.
final class MysqldNames {

    private static final Pattern NUMBER = Pattern.compile("[-+]?\\d+(\\.\\d+)?([eE][-+]?\\d+)?");
    private static final Pattern GROUPED = Pattern.compile(
            "(com|handler|connection_errors|innodb_buffer_pool_pages|innodb_rows|performance_schema)_(.+)");
    private static final List<String> SOURCE = List.of("Master_Host", "Master_UUID", "Channel_Name", "Connection_name");

    private MysqldNames() {}

    /// SHOW GLOBAL STATUS.
    static List<Family> status(Map<String, String> status) {
        Map<String, Family.Building> families = new LinkedHashMap<>();
        status.forEach((variable, text) -> number(text).ifPresent(value -> {
            String name = plain(variable);
            Matcher grouped = GROUPED.matcher(name);
            if (grouped.matches()) {
                grouped(families, grouped.group(1), grouped.group(2), value);
            } else {
                families.computeIfAbsent(
                                "mysql_global_status_" + name,
                                full -> Family.untyped(full, "Generic metric from SHOW GLOBAL STATUS."))
                        .sample(value);
            }
        }));
        return built(families);
    }

    private static void grouped(Map<String, Family.Building> families, String kind, String rest, double value) {
        switch (kind) {
            case "com" ->
                counter(families, "commands_total", "Total number of executed MySQL commands.", "command", rest, value);
            case "handler" ->
                counter(families, "handlers_total", "Total number of executed MySQL handlers.", "handler", rest, value);
            case "connection_errors" ->
                counter(
                        families,
                        "connection_errors_total",
                        "Total number of MySQL connection errors.",
                        "error",
                        rest,
                        value);
            case "innodb_rows" ->
                counter(
                        families,
                        "innodb_row_ops_total",
                        "Total number of MySQL InnoDB row operations.",
                        "operation",
                        rest,
                        value);
            case "performance_schema" ->
                counter(
                        families,
                        "performance_schema_lost_total",
                        "Total number of MySQL instrumentations that could not be loaded or created due to memory"
                                + " constraints.",
                        "instrumentation",
                        rest,
                        value);
            default -> bufferPoolPages(families, rest, value);
        }
    }

    private static void bufferPoolPages(Map<String, Family.Building> families, String rest, double value) {
        switch (rest) {
            case "data", "free", "misc", "old" ->
                families.computeIfAbsent(
                                "mysql_global_status_buffer_pool_pages",
                                full -> Family.gauge(full, "Innodb buffer pool pages by state.", "state"))
                        .sample(value, rest);
            case "dirty" ->
                families.computeIfAbsent(
                                "mysql_global_status_buffer_pool_dirty_pages",
                                full -> Family.gauge(full, "Innodb buffer pool dirty pages."))
                        .sample(value);
            case "total" -> {} // the sum of the states
            default ->
                counter(
                        families,
                        "buffer_pool_page_changes_total",
                        "Innodb buffer pool page state changes.",
                        "operation",
                        rest,
                        value);
        }
    }

    private static void counter(
            Map<String, Family.Building> families,
            String name,
            String help,
            String label,
            String labelled,
            double value) {
        families.computeIfAbsent("mysql_global_status_" + name, full -> Family.counter(full, help, label))
                .sample(value, labelled);
    }

    /// SHOW GLOBAL VARIABLES.
    static List<Family> variables(Map<String, String> variables) {
        Map<String, Family.Building> families = new LinkedHashMap<>();
        variables.forEach((variable, text) -> number(text)
                .ifPresent(value -> families.computeIfAbsent(
                                "mysql_global_variables_" + plain(variable),
                                full -> Family.gauge(full, "Generic gauge metric from SHOW GLOBAL VARIABLES."))
                        .sample(value)));
        List<Family> all = new ArrayList<>(built(families));
        all.add(Family.gauge(
                        "mysql_version_info",
                        "MySQL version and distribution.",
                        "innodb_version",
                        "version",
                        "version_comment")
                .sample(
                        1,
                        variables.getOrDefault("innodb_version", ""),
                        variables.getOrDefault("version", ""),
                        variables.getOrDefault("version_comment", ""))
                .build());
        return all;
    }

    /// The state of replication, a row a source.
    static List<Family> replicas(List<Map<String, String>> rows) {
        Map<String, Family.Building> families = new LinkedHashMap<>();
        for (Map<String, String> row : rows) {
            String[] source =
                    SOURCE.stream().map(column -> row.getOrDefault(column, "")).toArray(String[]::new);
            row.forEach((column, text) -> number(text)
                    .ifPresent(value -> families.computeIfAbsent(
                                    "mysql_slave_status_" + plain(column),
                                    full -> Family.untyped(
                                            full,
                                            "Generic metric from SHOW SLAVE STATUS.",
                                            "master_host",
                                            "master_uuid",
                                            "channel_name",
                                            "connection_name"))
                            .sample(value, source)));
        }
        return built(families);
    }

    /// @param nowSeconds by the clock of the server's host, since 1970
    static List<Family> heartbeat(HeartbeatRow row, double nowSeconds) {
        String server = Long.toString(row.serverId());
        return List.of(
                Family.gauge("mysql_heartbeat_now_timestamp_seconds", "Timestamp of the current server.", "server_id")
                        .sample(nowSeconds, server)
                        .build(),
                Family.gauge(
                                "mysql_heartbeat_stored_timestamp_seconds",
                                "Timestamp stored in the heartbeat table.",
                                "server_id")
                        .sample(row.micros() / 1e6, server)
                        .build());
    }

    /// A replication thread that connects or prepares does not run.
    private static OptionalDouble number(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "yes", "on" -> OptionalDouble.of(1);
            case "no", "off", "disabled", "connecting", "preparing" -> OptionalDouble.of(0);
            default ->
                NUMBER.matcher(text).matches() ? OptionalDouble.of(Double.parseDouble(text)) : OptionalDouble.empty();
        };
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]", "_");
    }

    private static List<Family> built(Map<String, Family.Building> families) {
        return families.values().stream().map(Family.Building::build).toList();
    }
}
