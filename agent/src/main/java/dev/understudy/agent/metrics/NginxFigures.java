package dev.understudy.agent.metrics;

import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/// nginx's `stub_status` page (ngx_http_stub_status_module) under the names of nginx-prometheus-exporter. Two of its
/// counters do not end in `_total`; as such a type would be refused, they have none here. Thread-safe.
public final class NginxFigures {

    private static final Duration LIMIT = Duration.ofMillis(500);
    private static final Pattern PAGE = Pattern.compile("Active connections: (\\d+)\\s+"
            + "server accepts handled requests\\s+(\\d+) (\\d+) (\\d+)\\s+"
            + "Reading: (\\d+) Writing: (\\d+) Waiting: (\\d+)\\s*");

    private final OkHttpClient client;
    private final URI page;
    private final ReentrantLock asking = new ReentrantLock();
    private volatile boolean up;

    /// @param client is not closed by this
    public NginxFigures(OkHttpClient client, URI page) {
        this.client = client.newBuilder().callTimeout(LIMIT).build();
        this.page = page;
    }

    /// A second scrape at the same time hears only whether nginx was up a moment ago.
    public List<Family> read() {
        if (!asking.tryLock()) {
            return List.of(up(up));
        }
        try (Response response = client.newCall(
                        new Request.Builder().url(page.toString()).build())
                .execute()) {
            Matcher told = PAGE.matcher(response.body().string());
            up = response.isSuccessful() && told.matches();
            return up ? figures(told) : List.of(up(false));
        } catch (IOException e) {
            up = false;
            return List.of(up(false));
        } finally {
            asking.unlock();
        }
    }

    private static List<Family> figures(Matcher told) {
        return List.of(
                up(true),
                Family.gauge("nginx_connections_active", "Active client connections")
                        .of(number(told, 1)),
                Family.untyped("nginx_connections_accepted", "Accepted client connections")
                        .of(number(told, 2)),
                Family.untyped("nginx_connections_handled", "Handled client connections")
                        .of(number(told, 3)),
                Family.counter("nginx_http_requests_total", "Total http requests")
                        .of(number(told, 4)),
                Family.gauge("nginx_connections_reading", "Connections where NGINX is reading the request header")
                        .of(number(told, 5)),
                Family.gauge(
                                "nginx_connections_writing",
                                "Connections where NGINX is writing the response back to the client")
                        .of(number(told, 6)),
                Family.gauge("nginx_connections_waiting", "Idle client connections")
                        .of(number(told, 7)));
    }

    private static double number(Matcher told, int group) {
        return Double.parseDouble(told.group(group));
    }

    private static Family up(boolean up) {
        return Family.gauge("nginx_up", "Status of the last metric scrape").of(up ? 1 : 0);
    }
}
