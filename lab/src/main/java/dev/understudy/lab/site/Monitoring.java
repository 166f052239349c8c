package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.NetworkNamespace;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Topology.Network;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A real Prometheus and a real Alertmanager (Debian packages) beside a running lab, in a network namespace of their
/// own with a cable to the back network. They run on the files of `alerts/` as a user would copy them: only the
/// controller's address, the intervals and the paths are the lab's, and what a caller changes. They end with this, or
/// with the lab's process. Any thread.
public final class Monitoring implements AutoCloseable {

    private static final Duration STARTED = Duration.ofSeconds(60);
    private static final Duration ASK = Duration.ofSeconds(20);
    private static final String ADDRESS = "10.77.2.6";
    private static final int PROMETHEUS = 9090;
    private static final int ALERTMANAGER = 9093;
    private static final int MOST_NAMES = 4096;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final String PORT = "mon-back";

    private final Lab lab;
    private final Process namespace;
    private final Path folder;
    private final NetworkNamespace inside;
    private final List<Process> running = new ArrayList<>();

    private Monitoring(Lab lab, Process namespace, Path folder) {
        this.lab = lab;
        this.namespace = namespace;
        this.folder = folder;
        this.inside = NetworkNamespace.ofProcess(namespace.pid());
    }

    /// What a user would change in his copies of the files.
    ///
    /// @param rules each file of `alerts/rules`
    /// @param alertmanager `alerts/alertmanager/alertmanager.yml`
    public record Changes(UnaryOperator<String> rules, UnaryOperator<String> alertmanager) {}

    /// @param every how often it scrapes
    public static Monitoring start(Lab lab, Checkout checkout, Duration every) {
        return start(lab, checkout, every, new Changes(UnaryOperator.identity(), UnaryOperator.identity()));
    }

    /// @param every how often it scrapes
    public static Monitoring start(Lab lab, Checkout checkout, Duration every, Changes changes) {
        Process namespace = hold();
        Monitoring monitoring =
                new Monitoring(lab, namespace, lab.run().path().resolve("monitoring-" + namespace.pid()));
        try {
            lab.run().own("monitoring", namespace.pid());
            plugIn(lab, namespace.pid());
            monitoring.write(checkout, every, changes);
            monitoring.launch(
                    "alertmanager",
                    "/usr/bin/prometheus-alertmanager",
                    "--config.file=" + monitoring.folder.resolve("alertmanager.yml"),
                    "--storage.path=" + monitoring.folder.resolve("alertmanager"),
                    "--web.listen-address=127.0.0.1:" + ALERTMANAGER,
                    "--cluster.listen-address=");
            monitoring.launch(
                    "prometheus",
                    "/usr/bin/prometheus",
                    "--config.file=" + monitoring.folder.resolve("prometheus/prometheus.yml"),
                    "--storage.tsdb.path=" + monitoring.folder.resolve("data"),
                    "--web.listen-address=127.0.0.1:" + PROMETHEUS);
            monitoring.await("Prometheus is ready", PROMETHEUS);
            monitoring.await("Alertmanager is ready", ALERTMANAGER);
            return monitoring;
        } catch (RuntimeException e) {
            monitoring.close();
            throw e;
        }
    }

    /// A process whose only purpose is a network namespace; it ends when this JVM does.
    private static Process hold() {
        try {
            Process process = new ProcessBuilder(
                            "unshare", "--net", "--", "sh", "-c", "ip link set lo up; echo ready; exec cat")
                    .redirectErrorStream(true)
                    .start();
            var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = out.readLine();
            if (!"ready".equals(line)) {
                throw new IllegalStateException("a namespace for Prometheus cannot be made: " + line);
            }
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void plugIn(Lab lab, long pid) {
        lab.plug(PORT, pid, "eth0", Network.BACK);
        Commands.run(
                        List.of("nsenter", "-t", Long.toString(pid), "-n", "--", "ip", "-batch", "-"),
                        "addr add " + ADDRESS + "/24 dev eth0\nlink set eth0 up\n")
                .orThrow();
    }

    private void write(Checkout checkout, Duration every, Changes changes) {
        Path alerts = checkout.root().resolve("alerts");
        String interval = every.toMillis() + "ms";
        try {
            Files.createDirectories(folder.resolve("prometheus"));
            Files.createDirectories(folder.resolve("data"));
            Files.createDirectories(folder.resolve("rules"));
            try (Stream<Path> rules = Files.list(alerts.resolve("rules"))) {
                for (Path rule : rules.toList()) {
                    Files.writeString(
                            folder.resolve("rules").resolve(rule.getFileName()),
                            changes.rules().apply(Files.readString(rule)));
                }
            }
            Files.writeString(
                    folder.resolve("alertmanager.yml"),
                    changes.alertmanager().apply(Files.readString(alerts.resolve("alertmanager/alertmanager.yml"))));
            Files.writeString(
                    folder.resolve("prometheus/prometheus.yml"),
                    Files.readString(alerts.resolve("prometheus/prometheus.yml"))
                            .replace(
                                    "http://127.0.0.1:7440",
                                    "http://" + Topology.CTL1.address() + ":" + Topology.CONTROLLER_PORT)
                            .replace("refresh_interval: 30s", "refresh_interval: 1s")
                            .replaceAll("(scrape|evaluation)_interval: \\S+", "$1_interval: " + interval));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void launch(String name, String... command) {
        var all = new ArrayList<>(List.of(
                "nsenter", "-t", Long.toString(namespace.pid()), "-n", "--", "setpriv", "--pdeathsig", "KILL", "--"));
        all.addAll(List.of(command));
        try {
            running.add(new ProcessBuilder(all)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve(name + ".log").toFile())
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void await(String what, int port) {
        Waiting.until(
                what + " (logs in " + folder + ")",
                STARTED,
                () -> get(port, "/-/ready").status() == 200);
    }

    /// The instant vector (or scalar) that an expression gives now.
    ///
    /// @throws IllegalArgumentException if Prometheus does not understand it
    public JsonNode query(String expression) {
        return data("/api/v1/query?query=" + encoded(expression)).path("result");
    }

    /// The same over the last while, in steps, as a panel asks.
    public JsonNode queryRange(String expression, Duration last, Duration step) {
        double now = System.currentTimeMillis() / 1e3;
        return data("/api/v1/query_range?query=%s&start=%.3f&end=%.3f&step=%d"
                        .formatted(
                                encoded(expression), now - last.toMillis() / 1e3, now, Math.max(1, step.toSeconds())))
                .path("result");
    }

    /// Series of a selector within the last minutes.
    public List<JsonNode> series(String selector) {
        List<JsonNode> all = new ArrayList<>();
        data("/api/v1/series?match[]=" + encoded(selector)).forEach(all::add);
        return all;
    }

    /// The names of all metrics.
    public List<String> names() {
        List<String> all = new ArrayList<>();
        data("/api/v1/label/__name__/values").forEach(name -> all.add(name.asString("")));
        if (all.size() > MOST_NAMES) {
            throw new IllegalStateException("Prometheus has " + all.size() + " metrics");
        }
        return all;
    }

    /// The alerts that fire now, by name.
    public List<String> firing() {
        return firingLabels().stream()
                .map(labels -> labels.path("alertname").asString(""))
                .toList();
    }

    /// The labels of each alert that fires now.
    public List<JsonNode> firingLabels() {
        List<JsonNode> all = new ArrayList<>();
        data("/api/v1/alerts").path("alerts").forEach(alert -> {
            if (alert.path("state").asString("").equals("firing")) {
                all.add(alert.path("labels"));
            }
        });
        return all;
    }

    /// What Alertmanager has been told.
    public JsonNode alertmanagerAlerts() {
        return JSON.readTree(get(ALERTMANAGER, "/api/v2/alerts").body());
    }

    /// Every target that is scraped, with its health.
    public List<JsonNode> targets() {
        List<JsonNode> all = new ArrayList<>();
        data("/api/v1/targets?state=active").path("activeTargets").forEach(all::add);
        return all;
    }

    /// A page as Prometheus gets it.
    public String page(String url) {
        Got got = get(URI.create(url));
        if (got.status() != 200) {
            throw new IllegalStateException(url + ": " + got.status() + " " + got.body());
        }
        return got.body();
    }

    private JsonNode data(String path) {
        Got got = get(PROMETHEUS, path);
        JsonNode json = JSON.readTree(got.body());
        if (!json.path("status").asString("").equals("success")) {
            throw new IllegalArgumentException(path + ": " + json.path("error").asString(got.body()));
        }
        return json.path("data");
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    private record Got(int status, String body) {}

    private Got get(int port, String path) {
        return get(URI.create("http://127.0.0.1:" + port + path));
    }

    /// From a thread inside the namespace, whose sockets are inside too.
    private Got get(URI uri) {
        try {
            return inside.call(() -> {
                HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
                connection.setConnectTimeout(Math.toIntExact(ASK.toMillis()));
                connection.setReadTimeout(Math.toIntExact(ASK.toMillis()));
                int status = connection.getResponseCode();
                InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream();
                try (InputStream in = body == null ? InputStream.nullInputStream() : body) {
                    return new Got(status, new String(in.readAllBytes(), StandardCharsets.UTF_8));
                }
            });
        } catch (IOException e) {
            return new Got(0, String.valueOf(e.getMessage()));
        } catch (Exception e) {
            throw new IllegalStateException(uri.toString(), e);
        }
    }

    @Override
    public void close() {
        running.forEach(process -> process.destroyForcibly());
        lab.unplug(PORT); // the kernel would take its time, and the next one has the same
        try {
            namespace.getOutputStream().close();
            for (Process process : running) {
                process.waitFor();
            }
            namespace.waitFor();
        } catch (IOException e) {
            namespace.destroyForcibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
