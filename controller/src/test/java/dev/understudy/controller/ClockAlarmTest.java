package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.controller.Site.Ran;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A clock that runs too fast, over a real connection: what the operator sees of it.
class ClockAlarmTest {

    @TempDir
    private Path folder;

    private Site site;

    @BeforeEach
    void start() throws Exception {
        site = new Site(folder.resolve("state"));
        site.start(Site.PAIR, true);
    }

    @AfterEach
    void stop() throws Exception {
        site.close();
        assertThat(site.faults).isEmpty();
    }

    @Test
    void aClockThatRunsTooFastIsReportedAndItsHostIsNoCandidate() throws Exception {
        BalancerAgent first = site.agent("lb1");
        site.agent("lb2").clockRate(1.03);
        site.awaitHeldBy(first, "lb1");

        await().atMost(Duration.ofSeconds(60))
                .until(() -> site.cli("status").out().contains("! lb2: its clock runs "));
        Ran status = site.cli("status");
        assertThat(status.code()).isEqualTo(1);
        assertThat(status.out())
                .containsPattern(
                        "! lb2: its clock runs [23]\\.\\d\\d % faster than this controller's \\(leases allow for 1 %\\)")
                .doesNotContain("! lb1: its clock");
        assertThat(site.cli("events").out().lines().filter(l -> l.contains("lb2: its clock runs")))
                .hasSize(1);
        assertThat(site.cli("switchover", "edge").err()).contains("its clock runs");
        assertThat(site.address().holder()).isEqualTo("lb1");
        assertThat(metrics())
                .contains("understudy_clock_alarm{host=\"lb2\",} 1.0", "understudy_clock_alarm{host=\"lb1\",} 0.0")
                .containsPattern("understudy_clock_drift_ratio\\{host=\"lb2\",?} 0\\.0[23]");
    }

    private String metrics() throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                            HttpRequest.newBuilder(URI.create(site.url("/metrics")))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }
}
