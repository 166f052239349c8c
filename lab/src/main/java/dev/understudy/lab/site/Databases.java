package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Topology.HostPlan;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/// SQL as the administrator of a host would type it, over the server's own socket. Any thread.
public final class Databases {

    private Databases() {}

    /// Runs SQL as root on the host; the result's rows are lines, columns separated by tabs.
    public static String sql(LabHost host, String statements) {
        return trySql(host, statements).orThrow().output().strip();
    }

    static Commands.Result trySql(LabHost host, String statements) {
        return client(host, statements, "--skip-column-names");
    }

    private static Commands.Result client(LabHost host, String statements, String columnNames) {
        return host.run(
                List.of(
                        "mariadb",
                        "--no-defaults",
                        "--socket=/run/mysqld/mysqld.sock",
                        "--user=root",
                        "--connect-timeout=2",
                        "--batch",
                        columnNames),
                statements);
    }

    public static void awaitAnswer(LabHost host, Duration limit) {
        Waiting.until(
                "MariaDB of " + host.name() + " answers",
                limit,
                () -> trySql(host, "SELECT 1").ok());
    }

    /// Replicas follow the first member, as they would on a site that is taken over by Understudy. All stay
    /// read-only: the first election opens one.
    static void followFirst(Lab lab) {
        HostPlan first = Topology.DATABASES.getFirst();
        for (HostPlan plan : Topology.DATABASES) {
            if (!plan.equals(first)) {
                follow(lab.host(plan), first);
            }
        }
        for (HostPlan plan : Topology.DATABASES) {
            if (!plan.equals(first)) {
                Waiting.until(
                        plan.name() + " follows " + first.name(),
                        Duration.ofSeconds(20),
                        () -> replicaField(lab.host(plan), "Slave_IO_Running").equals("Yes"));
            }
        }
    }

    public static void follow(LabHost replica, HostPlan primary) {
        sql(replica, """
                CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%d, MASTER_USER='repl',
                  MASTER_PASSWORD='lab-replication', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1,
                  MASTER_HEARTBEAT_PERIOD=1;
                START SLAVE;
                """.formatted(primary.address(), Topology.DATABASE_PORT));
    }

    /// Where the server stands and whom it follows, in one line for a message.
    public static String replication(LabHost host) {
        return "read_only, binary log, threads: "
                + sql(
                        host,
                        "SELECT CONCAT_WS(' ', @@read_only, @@gtid_binlog_pos, GROUP_CONCAT(CONCAT(user, ' ', command, ' ', state)"
                                + " SEPARATOR '; ')) FROM information_schema.processlist WHERE user NOT IN ('root', 'app')")
                + ", follows: "
                + client(host, "SHOW SLAVE STATUS\\G", "--column-names")
                        .output()
                        .lines()
                        .map(String::strip)
                        .filter(line ->
                                line.matches("(Master_Host|Slave_(IO|SQL)_Running|Gtid_(IO|Slave)_Pos|Seconds_|Last_"
                                        + "(IO|SQL)_Error|Slave_SQL_Running_State|Slave_IO_State).*"))
                        .collect(Collectors.joining(", "));
    }

    /// A field of SHOW SLAVE STATUS by its name, empty when the server follows nobody.
    public static String replicaField(LabHost host, String field) {
        return client(host, "SHOW SLAVE STATUS\\G", "--column-names")
                .output()
                .lines()
                .map(String::strip)
                .filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1).strip())
                .findFirst()
                .orElse("");
    }
}
