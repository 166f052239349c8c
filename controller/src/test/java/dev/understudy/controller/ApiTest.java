package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.api.Api;
import dev.understudy.controller.api.ApiJson;
import dev.understudy.controller.api.PrometheusTargets;
import dev.understudy.controller.api.PrometheusTargets.TargetGroup;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.wire.http.HttpClients;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The API and the page of one running site whose address lb1 holds.
class ApiTest {

    record Got(int status, String contentType, String body) {}

    @TempDir
    static Path folder;

    private static final OkHttpClient CLIENT = HttpClients.requests(Duration.ofSeconds(20));
    private static Site site;

    @BeforeAll
    static void start() throws Exception {
        site = new Site(folder.resolve("state"));
        site.start(Site.PAIR, true);
        BalancerAgent first = site.agent("lb1");
        site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
    }

    @AfterAll
    static void stop() throws Exception {
        HttpClients.close(CLIENT);
        site.close();
        assertThat(site.faults).isEmpty();
    }

    @Test
    void stateTellsWhoHoldsWhatAndWhatEachHostSees() {
        Got got = get("/api/v1/state");
        assertThat(got.status()).isEqualTo(200);
        assertThat(got.body()).contains("\"spec_version\":1", "\"heard_millis_ago\":");
        Api.Site state = ApiJson.compact().readValue(got.body(), Api.Site.class);

        assertThat(state.well()).isTrue();
        Api.Resource address = state.groups().getFirst().resources().getFirst();
        assertThat(address.resource()).isEqualTo("edge/192.0.2.10");
        assertThat(address.holder()).isEqualTo("lb1");
        assertThat(address.phase()).isEqualTo("HELD");
        assertThat(address.lease()).isEqualTo("live");
        assertThat(address.address()).isEqualTo("192.0.2.10/24");
        assertThat(state.hosts()).extracting(Api.Host::health).containsOnly("up");
        assertThat(state.hosts().getFirst().sees()).anySatisfy(sight -> {
            assertThat(sight.key()).isEqualTo("balancer/edge");
            assertThat(sight.text()).isEqualTo("1 of 1 servers up");
        });
    }

    @Test
    void eventsAreLimitedFilteredAndExplained() {
        Api.Events all = ApiJson.compact().readValue(get("/api/v1/events").body(), Api.Events.class);
        assertThat(all.events()).hasSizeGreaterThan(1);
        Api.Events one =
                ApiJson.compact().readValue(get("/api/v1/events?limit=1").body(), Api.Events.class);
        assertThat(one.events()).containsExactly(all.events().getLast());
        Api.Events edge =
                ApiJson.compact().readValue(get("/api/v1/events?resource=edge").body(), Api.Events.class);
        assertThat(edge.events()).isNotEmpty().allMatch(e -> e.resource() != null);

        String id = edge.events().getFirst().id();
        Api.Explained explained =
                ApiJson.compact().readValue(get("/api/v1/events/" + id).body(), Api.Explained.class);
        assertThat(explained.event()).isEqualTo(edge.events().getFirst());
        assertThat(explained.steps()).contains(explained.event());
    }

    @Test
    void errorsAreOneLineWithTheRightStatus() {
        expect(get("/api/v1/events/E999999"), 404, "there is no event 'E999999' (kept are the latest 1000)");
        expect(get("/api/v1/events?limit=many"), 400, "limit is a number from 1 to 1000, not 'many'");
        expect(get("/api/v1/events?after=yesterday"), 400, "after is an event id such as E12, not 'yesterday'");
        expect(get("/api/v2"), 404, "there is no /api/v2 here");
        expect(post("{\"resource\":\"db\"}"), 404, "there is no resource 'db' (there are: edge/192.0.2.10)");
        expect(post("{\"resource\":\"edge\",\"host\":\"lb2\"}"), 400, "expected a JSON object with resource, to");
        expect(post("{}"), 400, "'resource' is missing: expected a text");
        expect(post("{\"resource\":7}"), 400, "'resource' is missing: expected a text");
        assertThat(post("{").status()).isEqualTo(400);
        assertThat(post("{\"resource\":\"edge\",\"to\":\"lb9\"}").status()).isEqualTo(409);
        Request form = new Request.Builder()
                .url(site.url("/api/v1/switchover"))
                .post(RequestBody.create("resource=edge", MediaType.get("application/x-www-form-urlencoded")))
                .build();
        expect(call(form), 415, "expected content type application/json");
    }

    @Test
    void aBadSpecIsRefusedWithEveryLineAndChangesNothing() throws IOException {
        String bad = Files.readString(Site.PAIR).replace("lb2: {address: 10.0.0.12}", "lb2: {address: 10.0.0.11}");
        Request put = new Request.Builder()
                .url(site.url("/api/v1/spec?name=mine.yml"))
                .put(RequestBody.create(bad, MediaType.get("application/yaml")))
                .build();

        expect(call(put), 400, "mine.yml:5: hosts.lb2.address: '10.0.0.11' is already the address of host lb1");
        assertThat(get("/api/v1/spec").body()).isEqualTo(Files.readString(Site.PAIR));
    }

    @Test
    void metricsHaveOurNamesAndNoRoleAsALabelOfOtherSeries() {
        Got got = get("/metrics");
        assertThat(got.contentType()).startsWith("text/plain; version=0.0.4");
        assertThat(got.body())
                .contains("understudy_agents_connected 2.0")
                .contains("understudy_resource_steady{resource=\"edge/192.0.2.10\",} 1.0")
                .contains("understudy_resource_holder{host=\"lb1\",resource=\"edge/192.0.2.10\",} 1.0")
                .contains("understudy_resource_holder{host=\"lb2\",resource=\"edge/192.0.2.10\",} 0.0")
                .contains("understudy_resource_in_charge{resource=\"edge/192.0.2.10\",} 1.0")
                .contains("understudy_balancer_configurations{group=\"edge\",}")
                .contains("understudy_decisions_total{row=\"DB-57\",} 0.0")
                .contains("understudy_journal_commit_seconds_count")
                .contains("understudy_loop_lag_seconds_count");
    }

    @Test
    void prometheusFindsEveryAgentTheControllerAndHaproxyWhereItHasAnExporter() {
        String controller = "127.0.0.1:" + site.port();
        String name = ApiJson.compact()
                .readValue(get("/api/v1/state").body(), Api.Site.class)
                .controller();
        Got got = get("/prometheus/targets?haproxy_port=8405");
        assertThat(got.contentType()).startsWith("application/json");
        assertThat(ApiJson.compact().readValue(got.body(), TargetGroup[].class))
                .containsExactly(
                        of("10.0.0.11:7443", "understudy-agent", Map.of("host", "lb1", "group", "edge")),
                        of("10.0.0.11:8405", "haproxy", Map.of("host", "lb1", "group", "edge")),
                        of("10.0.0.12:7443", "understudy-agent", Map.of("host", "lb2", "group", "edge")),
                        of("10.0.0.12:8405", "haproxy", Map.of("host", "lb2", "group", "edge")),
                        of(controller, "understudy-controller", Map.of("controller", name)));
        assertThat(ApiJson.compact()
                        .readValue(get("/prometheus/targets?agent_port=9443").body(), TargetGroup[].class))
                .extracting(group -> group.targets().getFirst())
                .containsExactly("10.0.0.11:9443", "10.0.0.12:9443", controller);
        expect(
                get("/prometheus/targets?haproxy_port=none"),
                400,
                "haproxy_port is a number from 1 to 65535, not 'none'");
    }

    @Test
    void aHostOfSeveralGroupsIsOneTargetAndAnIpv6AddressIsInBrackets() {
        ClusterSpec spec = new ClusterSpec(
                "shop",
                "standard",
                List.of(new ClusterSpec.Host("h1", "2001:db8::1"), new ClusterSpec.Host("spare", "10.0.0.9")),
                List.of(
                        new WebGroup("app", Mode.OBSERVE, List.of("h1"), "http://{address}/", null),
                        new WebGroup("api", Mode.OBSERVE, List.of("h1"), "http://{address}/", null)));
        assertThat(PrometheusTargets.of(spec, "ctl1", "", 7443, 8405))
                .containsExactly(
                        of("[2001:db8::1]:7443", "understudy-agent", Map.of("host", "h1", "group", "app,api"), "shop"));
    }

    private static TargetGroup of(String target, String job, Map<String, String> labels) {
        return of(target, job, labels, "pair");
    }

    private static TargetGroup of(String target, String job, Map<String, String> labels, String cluster) {
        Map<String, String> all = new HashMap<>(labels);
        all.put("job", job);
        all.put("cluster", cluster);
        return new TargetGroup(List.of(target), all);
    }

    @Test
    void healthSaysThatTheLoopRuns() {
        expectBody(get("/healthz"), 200, "{\"status\":\"ok\",\"leading\":true}\n");
    }

    @Test
    void thePageShowsTheSiteAndLinksToExplanations() {
        Got page = get("/");
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.contentType()).startsWith("text/html");
        assertThat(page.body())
                .contains("<span class=\"pill good\">well</span>")
                .contains("edge/192.0.2.10")
                .contains("<a href=\"/events/E1\">E1</a>")
                .contains("<noscript><meta http-equiv=\"refresh\"");
        Got explained = get("/events/E1");
        assertThat(explained.body()).contains("cluster specification version 1 is in force");
        assertThat(get("/style.css").contentType()).startsWith("text/css");
        assertThat(get("/refresh.js").contentType()).startsWith("text/javascript");
        expect(get("/events/%3Cscript%3E"), 404, "there is no event '<script>' (kept are the latest 1000)");
    }

    private static void expect(Got got, int status, String error) {
        assertThat(got.status()).isEqualTo(status);
        assertThat(got.contentType()).startsWith("application/json");
        assertThat(ApiJson.compact().readTree(got.body()).path("error").stringValue())
                .isEqualTo(error);
    }

    private static void expectBody(Got got, int status, String body) {
        assertThat(got.status()).isEqualTo(status);
        assertThat(got.body()).isEqualTo(body);
    }

    private static Got get(String path) {
        return call(new Request.Builder().url(site.url(path)).build());
    }

    private static Got post(String json) {
        return call(new Request.Builder()
                .url(site.url("/api/v1/switchover"))
                .post(RequestBody.create(json, MediaType.get("application/json")))
                .build());
    }

    private static Got call(Request request) {
        try (Response response = CLIENT.newCall(request).execute()) {
            String type = response.header("Content-Type");
            return new Got(
                    response.code(), type == null ? "" : type, response.body().string());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
