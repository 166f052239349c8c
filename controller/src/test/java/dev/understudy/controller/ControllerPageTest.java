package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.controller.Site.Ran;
import dev.understudy.controller.api.Api;
import dev.understudy.controller.api.ApiJson;
import dev.understudy.protocol.Health;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Readiness and metrics of a real controller, before and after a failover.
class ControllerPageTest {

    private static final String ADDRESS = "resource=\"edge/192.0.2.10\",";

    @TempDir
    Path folder;

    private Site site;
    private BalancerAgent first;
    private BalancerAgent second;

    @BeforeEach
    void start() throws Exception {
        site = new Site(folder.resolve("state"));
        site.start(Site.PAIR, true);
        first = site.agent("lb1");
        second = site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        await().until(() -> metrics().contains("understudy_ready{" + ADDRESS + "} 1.0"));
    }

    @AfterEach
    void stop() throws Exception {
        site.close();
        assertThat(site.faults).isEmpty();
    }

    @Test
    void promtoolHasNothingToSay() throws Exception {
        Process promtool = new ProcessBuilder("promtool", "check", "metrics")
                .redirectErrorStream(true)
                .start();
        try (var in = promtool.getOutputStream()) {
            in.write(metrics().getBytes(StandardCharsets.UTF_8));
        }
        assertThat(new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(promtool.waitFor()).isZero();
    }

    @Test
    void theSiteIsOnThePageInNumbers() throws Exception {
        assertThat(metrics())
                .contains(
                        "understudy_site_well 1.0",
                        "understudy_site_problems 0.0",
                        "understudy_ready_blocker{" + ADDRESS + "reason=\"NO_CANDIDATE\",} 0.0",
                        "understudy_candidate_eligible{" + ADDRESS + "host=\"lb2\",} 1.0",
                        "understudy_host_heard{host=\"lb1\",} 1.0",
                        "understudy_host_maintenance{host=\"lb1\",} 0.0",
                        "understudy_check_up{host=\"lb1\",check=\"balancer/edge\",} 1.0",
                        "understudy_group_mode{group=\"edge\",} 2.0",
                        "understudy_group_paused{group=\"edge\",} 0.0",
                        "understudy_resource_phase{" + ADDRESS + "phase=\"HELD\",} 1.0",
                        "understudy_resource_phase{" + ADDRESS + "phase=\"TAKING\",} 0.0",
                        "understudy_lease_live{" + ADDRESS + "} 1.0",
                        "understudy_failover_last_timestamp_seconds{" + ADDRESS + "} 0.0",
                        "understudy_failover_last_seconds{" + ADDRESS,
                        "understudy_failovers_total{kind=\"failover\",outcome=\"done\"," + ADDRESS + "} 0.0",
                        "understudy_failover_phase_seconds_count{phase=\"TAKING\"," + ADDRESS + "}",
                        "understudy_loop_mailbox_waiting ",
                        "understudy_journal_entries_total ");
    }

    @Test
    void aFailoverIsCountedAndTimedWithItsPhases() throws Exception {
        first.service(Health.DOWN);
        site.awaitHeldBy(second, "lb2");

        await().untilAsserted(() -> assertThat(metrics())
                .contains("understudy_failovers_total{kind=\"failover\",outcome=\"done\"," + ADDRESS + "} 1.0")
                .contains("understudy_failovers_total{kind=\"failover\",outcome=\"undone\"," + ADDRESS + "} 0.0")
                .contains("understudy_failover_seconds_count{kind=\"failover\"," + ADDRESS + "} 1.0"));
        String page = metrics();
        double whole = value(page, "understudy_failover_seconds_sum{kind=\"failover\"," + ADDRESS + "}");
        double releasing = value(page, "understudy_failover_phase_seconds_sum{phase=\"RELEASING\"," + ADDRESS + "}");
        assertThat(whole).isPositive();
        assertThat(releasing).isLessThanOrEqualTo(whole);
        assertThat(value(page, "understudy_failover_last_timestamp_seconds{" + ADDRESS + "}"))
                .isPositive();
        assertThat(page)
                .contains("understudy_ready{" + ADDRESS + "} 0.0")
                .contains("understudy_ready_blocker{" + ADDRESS + "reason=\"NO_CANDIDATE\",} 1.0");
    }

    @Test
    void readinessIsInStatusOnThePageAndACommandOfItsOwn() throws Exception {
        Ran ready = site.cli("readiness");
        assertThat(ready.code()).isZero();
        assertThat(ready.out())
                .containsPattern("edge/192\\.0\\.2\\.10 +yes +if lb1 died now: lb2, within \\d+\\.\\d s");
        assertThat(site.cli("status").out()).contains("IF ITS HOLDER DIED NOW");
        assertThat(get("/")).contains(">ready<").contains("if lb1 died now: lb2");

        second.service(Health.DOWN);
        await().until(() -> site.cli("readiness").code() == 1);
        Ran not = site.cli("readiness");
        assertThat(not.out())
                .containsPattern("edge/192\\.0\\.2\\.10 +no +no member could take over \\(lb2: its HAProxy is DOWN\\)");
        assertThat(get("/")).contains(">not ready<");
        Api.Readiness[] json =
                ApiJson.compact().readValue(site.cli("readiness", "--json").out(), Api.Readiness[].class);
        assertThat(json[0].ready()).isFalse();
        assertThat(json[0].blockers()).extracting(Api.Blocker::reason).containsExactly("NO_CANDIDATE");
    }

    @Test
    void aHostThatIsNotHeardIsNotDownButUnknown() throws Exception {
        second.mute(true);
        await().untilAsserted(() -> assertThat(metrics())
                .contains("understudy_host_heard{host=\"lb2\",} 0.0")
                .contains("understudy_check_up{host=\"lb2\",check=\"balancer/edge\",} NaN"));
    }

    @Test
    void thePageLinksToTheDashboardsWhereTheControllerKnowsThem() throws Exception {
        assertThat(get("/")).doesNotContain("understudy-site");
        site.crash();
        site.grafana("http://grafana.example.com:3000/");
        site.start(null, false);
        assertThat(get("/"))
                .contains("href=\"http://grafana.example.com:3000/d/understudy-site?var-cluster=pair\"")
                .contains("/d/understudy-failovers?var-cluster=pair");
    }

    @Test
    void whatIsRenderedForHaproxyIsWhatHaproxyTakes() throws Exception {
        Ran rendered = site.cli("render", "haproxy-exporter", "--port", "18405");
        assertThat(rendered.code()).isZero();
        Path file = Files.writeString(
                folder.resolve("haproxy.cfg"),
                "defaults\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\n\n" + rendered.out());
        Process haproxy = new ProcessBuilder("haproxy", "-c", "-f", file.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(haproxy.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(haproxy.waitFor()).as(said).isZero();
        assertThat(rendered.out()).contains("bind :18405");
        assertThat(site.cli("render", "haproxy-exporter", "--port", "0").code()).isEqualTo(2);
        assertThat(site.cli("render").code()).isEqualTo(2);
    }

    @Test
    void whatIsRenderedForPrometheusIsWhatPrometheusTakes() throws Exception {
        Ran rendered = site.cli("render", "prometheus");
        assertThat(rendered.out())
                .contains("http://127.0.0.1:" + site.port() + "/prometheus/targets?haproxy_port=8405");
        Path file = Files.writeString(folder.resolve("prometheus.yml"), "scrape_configs:\n" + rendered.out());
        Process promtool = new ProcessBuilder("promtool", "check", "config", file.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(promtool.waitFor()).as(said).isZero();
    }

    private String metrics() throws IOException, InterruptedException {
        return get("/metrics");
    }

    private String get(String path) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(URI.create(site.url(path))).build(), BodyHandlers.ofString())
                    .body();
        }
    }

    private static double value(String page, String series) {
        List<String> lines =
                page.lines().filter(line -> line.startsWith(series + " ")).toList();
        assertThat(lines).as(series).hasSize(1);
        return Double.parseDouble(lines.getFirst().substring(series.length() + 1));
    }
}
