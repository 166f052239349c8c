package dev.understudy.alerts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.alerts.Alerts.Rule;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The rules about balancers read HAProxy's own exporter, whose names are asked of a real HAProxy.
class HaproxyNamesTest {

    private static final String CONFIGURATION = """
            defaults
                mode http
                timeout connect 1s
                timeout client 5s
                timeout server 5s
            frontend prometheus
                bind 127.0.0.1:@PORT@
                http-request use-service prometheus-exporter if { path /metrics }
                default_backend app
            backend app
                server web1 127.0.0.1:1
            """;

    @Test
    void haproxy_has_every_metric_that_the_rules_read(@TempDir Path folder) throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path file =
                Files.writeString(folder.resolve("haproxy.cfg"), CONFIGURATION.replace("@PORT@", String.valueOf(port)));
        Process haproxy = new ProcessBuilder("haproxy", "-db", "-f", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                    .build();
            String page = await().ignoreExceptionsInstanceOf(IOException.class)
                    .until(() -> client.send(request, BodyHandlers.ofString()).body(), body -> !body.isEmpty());
            Set<String> names = page.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split("[{ ]", 2)[0])
                    .collect(Collectors.toSet());
            List<String> read = Alerts.rules().stream()
                    .map(Rule::metrics)
                    .flatMap(Set::stream)
                    .filter(name -> name.startsWith("haproxy_"))
                    .toList();
            assertThat(read).isNotEmpty().allMatch(names::contains);
        } finally {
            haproxy.destroy();
            haproxy.waitFor();
        }
    }
}
