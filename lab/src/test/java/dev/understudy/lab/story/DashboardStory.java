package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.dashboards.Dashboards;
import dev.understudy.dashboards.Dashboards.Empty;
import dev.understudy.dashboards.Dashboards.Query;
import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.ProcessTable;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Monitoring;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Everything that the dashboards and the alert rules ask for is there: asked of a real Prometheus that finds and
/// scrapes a whole site by itself, before and after a failover.
class DashboardStory extends Story {

    private static final Path DASHBOARDS = Checkout.find().root().resolve("dashboards");
    private static final Path ALERTS = Checkout.find().root().resolve("alerts");
    private static final Duration SCRAPED = Duration.ofSeconds(2);
    private static final int SCRAPES = 40;
    private static final double TICK_MILLIS = 10;
    private static final Duration SHOWN = Duration.ofMinutes(5);
    private static final Pattern LABEL_VALUES = Pattern.compile("label_values\\((.+), (\\w+)\\)");
    private static final Pattern QUERY_RESULT = Pattern.compile("query_result\\((.+)\\)");
    private static final Pattern METRIC =
            Pattern.compile("\\b(understudy|node|mysql|nginx|haproxy)_[A-Za-z0-9_]+\\b(?!\")");

    /// Names that other programs gave their figures, which are kept as they are.
    private static final String PUBLIC_NAME =
            "(node_memory|mysql_global_status|mysql_global_variables|mysql_slave_status)_\\w+ .*";

    @Test
    @Fault("mariadbd of the primary killed (SIGKILL), under a Prometheus that asks everything")
    void everyPanelOfEveryDashboardHasData() throws IOException {
        Amended.backupIs(this, "3 hours ago");
        try (Amended _ = Amended.by(this, Amended.BACKUP);
                Monitoring monitoring = Monitoring.start(lab(), Checkout.find(), SCRAPED)) {
            eventually(
                    "Prometheus has found every agent, balancer and controller by itself", () -> allAnswer(monitoring));
            eventually(
                    "the age of the newest backup is known",
                    () -> !monitoring
                            .query("understudy_backup_last_success_timestamp_seconds > 0")
                            .isEmpty());
            enoughIsKnown(monitoring);
            complaintsOfPromtool(monitoring);
            costs(monitoring);
            assertThat(unanswered(monitoring, true))
                    .as("queries without data before a failover")
                    .isEmpty();

            LabHost old = primary();
            act("kill MariaDB of " + old.name(), () -> old.kill(LabService.MARIADB));
            becomesHolderInsteadOf(old, PRIMARY);
            clientsAreServed();
            act("start it again", () -> old.start(LabService.MARIADB));
            siteBecomesWell();
            eventually(
                    "the alert fires and has reached Alertmanager",
                    () -> monitoring.firing().contains("FailoverHappened")
                            && monitoring.alertmanagerAlerts().toString().contains("FailoverHappened"));
            enoughIsKnown(monitoring);
            assertThat(unanswered(monitoring, false))
                    .as("queries without data after a failover")
                    .isEmpty();
            assertThat(missingOfRules(monitoring))
                    .as("metrics of alert rules that nothing exposes")
                    .isEmpty();
        }
    }

    private static boolean allAnswer(Monitoring monitoring) {
        List<JsonNode> targets = monitoring.targets();
        return targets.size() == 10
                && targets.stream().allMatch(t -> t.path("health").asString("").equals("up"));
    }

    /// Rates need some scrapes of everything.
    private void enoughIsKnown(Monitoring monitoring) {
        eventually("everything has been scraped a few times more", () -> {
            JsonNode fewest = monitoring.query("min(sum_over_time(up[30s]))");
            return !fewest.isEmpty()
                    && Double.parseDouble(fewest.path(0).path("value").path(1).asString("0")) >= 8;
        });
    }

    /// Every query that gives nothing and may not.
    private List<String> unanswered(Monitoring monitoring, boolean before) {
        List<Empty> mayBe = Dashboards.mayBeEmpty(DASHBOARDS);
        List<Query> queries = Dashboards.queries(DASHBOARDS);
        List<String> empty = new ArrayList<>();
        for (Query query : queries) {
            boolean excused = mayBe.stream()
                    .anyMatch(e -> e.dashboard().equals(query.dashboard())
                            && e.owner().equals(query.owner())
                            && (before || e.when().equals("awaiting")));
            boolean later = before && query.owner().startsWith("annotation ");
            if (!hasData(monitoring, query)) {
                if (!excused && !later) {
                    empty.add(query.dashboard() + " | " + query.owner() + " | " + query.expression());
                }
            } else if (excused && isAwaiting(mayBe, query)) {
                empty.add(query.dashboard() + " | " + query.owner() + " has data: strike it from empty.txt");
            }
        }
        tell(queries.size() + " queries asked, " + empty.size() + " of them in vain");
        assertThat(queries).hasSizeGreaterThan(60);
        return empty;
    }

    private static boolean isAwaiting(List<Empty> mayBe, Query query) {
        return mayBe.stream()
                .anyMatch(e -> e.dashboard().equals(query.dashboard())
                        && e.owner().equals(query.owner())
                        && e.when().equals("awaiting"));
    }

    private static boolean hasData(Monitoring monitoring, Query query) {
        String asked = query.expression()
                .replace("$__rate_interval", "30s")
                .replace("$__range", "5m")
                .replace("$cluster", "shop")
                .replace("$instance", ".*");
        Matcher values = LABEL_VALUES.matcher(asked);
        if (values.matches()) {
            return monitoring.series(values.group(1)).stream()
                    .anyMatch(
                            series -> !series.path(values.group(2)).asString("").isEmpty());
        }
        Matcher result = QUERY_RESULT.matcher(asked);
        if (result.matches()) {
            return !monitoring.query(result.group(1)).isEmpty();
        }
        JsonNode found =
                query.range() ? monitoring.queryRange(asked, SHOWN, Duration.ofSeconds(5)) : monitoring.query(asked);
        for (JsonNode series : found) {
            if (isNumber(series.path("value"))) {
                return true;
            }
            for (JsonNode value : series.path("values")) {
                if (isNumber(value)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isNumber(JsonNode value) {
        return value.size() == 2 && !value.path(1).asString("NaN").equals("NaN");
    }

    /// What the rules read and neither is there nor is awaited.
    private static Set<String> missingOfRules(Monitoring monitoring) throws IOException {
        Set<String> read = new TreeSet<>();
        try (Stream<Path> files = Files.list(ALERTS.resolve("rules"))) {
            for (Path file : files.toList()) {
                Files.readString(file)
                        .lines()
                        .filter(line -> !line.startsWith("#")
                                && !line.contains("summary:")
                                && !line.contains("description:")
                                && !line.contains("runbook_url:"))
                        .forEach(line -> METRIC.matcher(line).results().forEach(found -> read.add(found.group())));
            }
        }
        assertThat(read).hasSizeGreaterThan(30);
        Set<String> awaited = new TreeSet<>();
        Files.readString(ALERTS.resolve("awaiting.txt")).lines().forEach(line -> awaited.add(line.split(" ", 2)[0]));
        read.removeAll(awaited);
        read.removeAll(monitoring.names());
        return read;
    }

    private void complaintsOfPromtool(Monitoring monitoring) {
        for (JsonNode target : monitoring.targets()) {
            if (!target.path("labels").path("job").asString("").equals("haproxy")) {
                String page = monitoring.page(target.path("scrapeUrl").asString(""));
                String said = Commands.run(List.of("promtool", "check", "metrics"), page)
                        .output();
                assertThat(said.lines())
                        .as(target.path("scrapeUrl").asString(""))
                        .allMatch(line -> line.matches(PUBLIC_NAME));
            }
        }
    }

    /// For docs: what a scrape of each kind of page costs here.
    private void costs(Monitoring monitoring) throws IOException {
        for (JsonNode target : monitoring.targets()) {
            String job = target.path("labels").path("job").asString("");
            String host = target.path("labels").path("host").asString("ctl1");
            String url = target.path("scrapeUrl").asString("");
            LabService service =
                    switch (job) {
                        case "haproxy" -> LabService.HAPROXY;
                        case "understudy-agent" -> LabService.AGENT;
                        default -> LabService.CONTROLLER;
                    };
            long begin = System.nanoTime();
            long before = ticks(host(host), service);
            for (int i = 0; i < SCRAPES; i++) {
                monitoring.page(url);
            }
            long after = ticks(host(host), service);
            long length = System.nanoTime() - begin;
            Waiting.pass(Duration.ofNanos(length));
            long idle = ticks(host(host), service);
            tell(String.format(
                    Locale.ROOT,
                    "a scrape of %s %s: %.1f ms until it is there, %.1f ms of processor time, %d bytes",
                    job,
                    host,
                    length / 1e6 / SCRAPES,
                    ((after - before) - (idle - after)) * TICK_MILLIS / SCRAPES,
                    monitoring.page(url).length()));
        }
    }

    /// Processor time that the service's processes have used, in clock ticks (proc(5), fields 14 and 15).
    private static long ticks(LabHost host, LabService service) throws IOException {
        long ticks = 0;
        for (ProcessTable.Entry process : host.processes(service)) {
            String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            ticks += Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        }
        return ticks;
    }
}
