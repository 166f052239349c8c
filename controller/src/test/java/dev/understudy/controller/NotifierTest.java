package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import dev.understudy.controller.Site.Ran;
import dev.understudy.protocol.Health;
import dev.understudy.wire.http.HttpClients;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.FormBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A whole controller that tells people: mails, a webhook, a watchdog's URL, the acknowledgement.
class NotifierTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final GreenMail mails =
            new GreenMail(new ServerSetup(Site.freePort(), "127.0.0.1", ServerSetup.PROTOCOL_SMTP));
    private final MockWebServer outside = new MockWebServer();
    private final List<RecordedRequest> requests = new ArrayList<>();
    private final OkHttpClient client = HttpClients.requests(Duration.ofSeconds(20));

    @SuppressWarnings("NullAway.Init")
    private Site site;

    @SuppressWarnings("NullAway.Init")
    private Path cluster;

    @BeforeEach
    void start() throws Exception {
        mails.start();
        outside.start();
        for (int i = 0; i < 500; i++) {
            outside.enqueue(new MockResponse.Builder().code(204).build());
        }
        site = new Site(folder.resolve("state"));
        cluster = Files.writeString(
                folder.resolve("cluster.yml"),
                Files.readString(Site.PAIR)
                        + """
                mail:
                  smtp: {host: 127.0.0.1, port: %d, tls: none}
                  from: understudy@shop.example
                  to: [ops@shop.example]
                  gather: 1s
                  update: 1s
                  settle: 2s
                webhook: {url: "http://127.0.0.1:%d/hook"}
                heartbeat_url: http://127.0.0.1:%d/alive
                heartbeat_every: 1s
                """.formatted(mails.getSmtp().getPort(), outside.getPort(), outside.getPort()));
    }

    @AfterEach
    void stop() throws Exception {
        HttpClients.close(client);
        site.close();
        mails.stop();
        outside.close();
        assertThat(site.faults).isEmpty();
    }

    private List<String> subjects() throws Exception {
        List<String> subjects = new ArrayList<>();
        for (MimeMessage mail : mails.getReceivedMessages()) {
            subjects.add(mail.getSubject());
        }
        return subjects;
    }

    private void arrive(int count) {
        await().atMost(LIMIT).until(() -> mails.getReceivedMessages().length >= count);
    }

    /// The bodies of all requests of a path since the beginning.
    private List<String> requestsSoFar(String path) throws InterruptedException {
        RecordedRequest next = outside.takeRequest(10, TimeUnit.MILLISECONDS);
        while (next != null) {
            requests.add(next);
            next = outside.takeRequest(10, TimeUnit.MILLISECONDS);
        }
        return requests.stream()
                .filter(request -> path.equals(request.getTarget()))
                .map(request ->
                        request.getBody() == null ? "" : request.getBody().utf8())
                .toList();
    }

    @Test
    void anIncidentFromItsOpeningOverARestartToItsEnd() throws Exception {
        site.start(cluster, true);
        BalancerAgent first = site.agent("lb1");
        BalancerAgent second = site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        await().atMost(LIMIT).until(() -> requestsSoFar("/alive").size() > 0);

        Ran test = site.cli("mail", "test");
        assertThat(test.out()).as(test.err()).contains("is queued for ops@shop.example", " sent: 250");
        assertThat(subjects()).containsExactly("[TEST] pair: a test, nothing is the matter");

        first.service(Health.DOWN);
        site.awaitHeldBy(second, "lb2");
        arrive(2);
        assertThat(subjects().getLast()).isEqualTo("[FAILOVER] pair: edge/192.0.2.10 moved from lb1 to lb2");
        Ran open = site.cli("incidents");
        assertThat(open.code()).isEqualTo(1);
        String id = open.out().substring(0, open.out().indexOf(' '));
        await().atMost(LIMIT).until(() -> site.cli("incidents").code() == 1);
        int beats = requestsSoFar("/alive").size();
        TimeUnit.SECONDS.sleep(3);
        assertThat(requestsSoFar("/alive"))
                .as("the watchdog rings while a failover is open")
                .hasSize(beats);

        site.crash();
        site.start(null, false);
        await().atMost(LIMIT).until(() -> site.cli("ack", id, "--note", "on it").code() == 0);
        arrive(3);
        assertThat(subjects().getLast()).isEqualTo("[ACKNOWLEDGED] pair: edge/192.0.2.10 moved from lb1 to lb2");
        assertThat(site.cli("ack", id).err()).contains("was acknowledged by");

        first.service(Health.UP);
        arrive(4);
        await().atMost(LIMIT).until(() -> site.cli("incidents").code() == 0);
        assertThat(subjects()).hasSize(4);
        MimeMessage[] all = mails.getReceivedMessages();
        assertThat(subjects().getLast()).isEqualTo("[RESOLVED] pair: edge/192.0.2.10 moved from lb1 to lb2");
        assertThat(all[2].getHeader("In-Reply-To")).containsExactly(all[1].getMessageID());
        assertThat(all[3].getHeader("In-Reply-To")).containsExactly(all[1].getMessageID());
        await().atMost(LIMIT).until(() -> !site.cli("incidents").out().contains("waits: "));
        List<String> hooks = requestsSoFar("/hook");
        assertThat(hooks).hasSize(4);
        assertThat(hooks.get(1))
                .contains("\"kind\":\"failover\"", "\"incident\":\"" + id + "\"", "\"cluster\":\"pair\"");
        assertThat(hooks.get(3)).contains("\"kind\":\"resolved\"");
        await().atMost(LIMIT).until(() -> requestsSoFar("/alive").size() > beats);
        assertThat(metrics()).contains("understudy_notifications_total{channel=\"mail\",result=\"done\",} ");
    }

    @Test
    void theLinkOfAMailLeadsToAButtonAndLookingAtItChangesNothing() throws Exception {
        site.start(cluster, true);
        BalancerAgent first = site.agent("lb1");
        site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        first.service(Health.DOWN);
        await().atMost(LIMIT).until(() -> site.cli("incidents").code() == 1);
        String id = site.cli("incidents").out().split(" ", 2)[0];

        String url = site.url("/incidents/" + id);
        String page = body(new Request.Builder().url(url).build(), 200);
        assertThat(page).contains("edge/192.0.2.10 moved from lb1 to lb2", "I look after it");
        assertThat(site.cli("incidents").out()).doesNotContain("acknowledged");
        assertThat(body(
                        new Request.Builder()
                                .url(url)
                                .post(form("0".repeat(32)))
                                .build(),
                        403))
                .contains("this form is not of this controller");
        assertThat(site.cli("incidents").out()).doesNotContain("acknowledged");

        Matcher token = Pattern.compile("name=\"token\" value=\"(\\w+)\"").matcher(page);
        assertThat(token.find()).isTrue();
        body(new Request.Builder().url(url).post(form(token.group(1))).build(), 303);
        assertThat(body(new Request.Builder().url(url).build(), 200)).contains("acknowledged by Ada (127.0.0.1)");
    }

    /// By its calendar: certificates are looked at, and a digest is sent at each of its times, once, whoever leads
    /// then.
    @Test
    void theCalendarTellsOfCertificatesAndOfEachDay() throws Exception {
        int port = Site.freePort();
        MockWebServer soonOver = https("2", port);
        Files.writeString(
                cluster,
                Files.readString(cluster).replaceAll("heartbeat_url: .*", "heartbeat_url: https://localhost:" + port)
                        + "schedule: {digest: \"*/4 * * * * ?\", checks: \"* * * * * ?\"}\n");
        site.start(cluster, true);
        site.awaitHeldBy(site.agent("lb1"), "lb1");
        site.agent("lb2");
        String title = " pair: the certificate of localhost:" + port + " ends in 1 days, at ";
        await().atMost(LIMIT).until(() -> subjects().stream().anyMatch(s -> s.startsWith("[FIRING]" + title)));
        await().atMost(LIMIT).until(() -> digests().size() >= 2);

        site.crash();
        site.start(null, false);
        int before = digests().size();
        soonOver.close();
        MockWebServer renewed = https("300", port);
        await().atMost(LIMIT).until(() -> subjects().stream().anyMatch(s -> s.startsWith("[RESOLVED]" + title)));
        await().atMost(LIMIT).until(() -> digests().size() > before);
        renewed.close();
        assertThat(digests()).doesNotHaveDuplicates();
        assertThat(subjects().stream().filter(s -> s.contains(title))).hasSize(2);
    }

    /// The ids of digests, which are made of the time at which each was due.
    private List<String> digests() throws Exception {
        List<String> ids = new ArrayList<>();
        for (MimeMessage mail : mails.getReceivedMessages()) {
            if (mail.getSubject().startsWith("[DIGEST]")) {
                ids.add(mail.getMessageID());
            }
        }
        return ids;
    }

    /// A server whose certificate is good for so many days.
    private MockWebServer https(String days, int port) throws Exception {
        Path store = folder.resolve(days + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        "changeit",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-validity",
                        days)
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        MockWebServer server = new MockWebServer();
        server.useHttps(context.getSocketFactory());
        server.start(port);
        return server;
    }

    private static RequestBody form(String token) {
        return new FormBody.Builder().add("token", token).add("by", "Ada").build();
    }

    private String metrics() throws IOException {
        return body(new Request.Builder().url(site.url("/metrics")).build(), 200);
    }

    private String body(Request request, int status) throws IOException {
        try (Response response = client.newCall(request).execute()) {
            assertThat(response.code()).isEqualTo(status);
            return response.body().string();
        }
    }
}
