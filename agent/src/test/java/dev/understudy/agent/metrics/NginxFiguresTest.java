package dev.understudy.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.metrics.Metrics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The page of a real nginx.
class NginxFiguresTest {

    private static final String CONFIGURATION = """
            daemon off;
            pid @FOLDER@/pid;
            error_log @FOLDER@/error.log;
            events {}
            http {
                access_log off;
                client_body_temp_path @FOLDER@/body;
                proxy_temp_path @FOLDER@/proxy;
                fastcgi_temp_path @FOLDER@/fastcgi;
                uwsgi_temp_path @FOLDER@/uwsgi;
                scgi_temp_path @FOLDER@/scgi;
                server {
                    listen 127.0.0.1:@PORT@;
                    location = /stub_status { stub_status; }
                    location / { return 200 "x\\n"; }
                }
            }
            """;

    @TempDir
    Path folder;

    private final OkHttpClient client = HttpClients.requests(Duration.ofSeconds(5));

    @AfterEach
    void close() {
        HttpClients.close(client);
    }

    @Test
    void a_real_page_has_nginx_exporters_names() throws Exception {
        int port = freePort();
        Path file = Files.writeString(
                folder.resolve("nginx.conf"),
                CONFIGURATION.replace("@FOLDER@", folder.toString()).replace("@PORT@", Integer.toString(port)));
        Process nginx = new ProcessBuilder("/usr/sbin/nginx", "-c", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        try {
            Metrics metrics = metrics("http://127.0.0.1:" + port + "/stub_status");
            await().atMost(Duration.ofSeconds(20)).until(() -> metrics.scrape().contains("nginx_up 1.0\n"));
            String page = metrics.scrape();
            assertThat(page)
                    .contains(
                            "# TYPE nginx_connections_accepted untyped\nnginx_connections_accepted ",
                            "nginx_connections_active 1.0\n",
                            "nginx_connections_reading 0.0\n",
                            "nginx_connections_writing 1.0\n",
                            "nginx_connections_waiting 0.0\n",
                            "# TYPE nginx_http_requests_total counter\nnginx_http_requests_total ");
            assertThat(Promtool.complaints(page)).isEmpty();
            assertThat(metrics("http://127.0.0.1:" + port + "/").scrape()).contains("nginx_up 0.0\n");
        } finally {
            nginx.destroy();
            nginx.waitFor();
        }
        assertThat(metrics("http://127.0.0.1:" + port + "/stub_status").scrape())
                .contains("nginx_up 0.0\n")
                .doesNotContain("nginx_connections");
    }

    /// It accepts and never answers.
    @Test
    void an_nginx_that_hangs_is_not_up() throws Exception {
        try (ServerSocket hung = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            assertThat(metrics("http://127.0.0.1:" + hung.getLocalPort() + "/stub_status")
                            .scrape())
                    .contains("nginx_up 0.0\n");
        }
    }

    private Metrics metrics(String page) {
        Metrics metrics = new Metrics();
        metrics.families(new NginxFigures(client, URI.create(page))::read);
        return metrics;
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }
}
