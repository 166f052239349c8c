package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Topology.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The files of every host: configuration of servers, agents and the controller, as they would stand on a real one.
final class ServerFiles {

    private ServerFiles() {}

    /// Fills a host's folder before its first process starts.
    static void write(HostPlan host, Path folder, Site.Options options) {
        try {
            for (String directory : List.of(
                    "run/haproxy",
                    "run/mysqld",
                    "tmp",
                    "var/lib/mysql",
                    "var/lib/nginx",
                    "var/lib/understudy",
                    "var/log/nginx",
                    "var/log/mysql",
                    "var/log/understudy")) {
                Files.createDirectories(folder.resolve(directory));
            }
            Commands.run("cp", "-a", "/etc", folder.toString()).orThrow();
            Commands.run("chmod", "1777", folder.resolve("tmp").toString()).orThrow();
            Path etc = folder.resolve("etc");
            Files.createDirectories(etc.resolve("understudy"));
            switch (host.kind()) {
                case BALANCER -> replace(etc.resolve("haproxy/haproxy.cfg"), haproxy(host));
                case WEB ->
                    replace(etc.resolve("nginx/nginx.conf"), resource("nginx.conf", Map.of("HOST", host.name())));
                case DATABASE -> {
                    replace(etc.resolve("mysql/my.cnf"), resource("my.cnf", Map.of("SERVER_ID", serverId(host))));
                    for (String owned : List.of("run/mysqld", "var/log/mysql", "var/lib/mysql")) {
                        Commands.run(
                                        "chown",
                                        "mysql:mysql",
                                        folder.resolve(owned).toString())
                                .orThrow();
                    }
                    secret(etc.resolve("understudy/replication_password"), "lab-replication\n");
                }
                case CONTROLLER -> replace(etc.resolve("understudy/cluster.yml"), cluster(options));
                case CLIENT -> {}
            }
            if (LabService.AGENT.runsOn(host.kind())) {
                replace(etc.resolve("understudy/agent.yml"), agent(host, options.checkout()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String haproxy(HostPlan host) {
        return resource("haproxy.cfg", Map.of("SITE_ADDRESS", Topology.SITE_ADDRESS, "BACK_ADDRESS", host.address()));
    }

    private static String serverId(HostPlan host) {
        return host.address().substring(host.address().lastIndexOf('.') + 1);
    }

    /// `cluster.yml`, everything automatic.
    static String cluster(Site.Options options) {
        String hosts = Topology.HOSTS.stream()
                .filter(host -> LabService.AGENT.runsOn(host.kind()))
                .map(host -> "  %s: {address: %s}\n".formatted(host.name(), host.address()))
                .collect(Collectors.joining());
        return resource(
                "cluster.yml",
                Map.of(
                        "PROFILE",
                        options.profile(),
                        "COOLDOWN",
                        options.cooldown(),
                        "HOSTS",
                        hosts,
                        "SITE_ADDRESS",
                        Topology.SITE_ADDRESS,
                        "WRITER_ADDRESS",
                        Topology.WRITER_ADDRESS,
                        "READER_ADDRESS",
                        Topology.READER_ADDRESS));
    }

    private static String agent(HostPlan host, Checkout checkout) {
        var yaml = new StringBuilder();
        yaml.append("host: ").append(host.name()).append('\n');
        yaml.append("controllers: [\"http://")
                .append(Topology.CTL1.address())
                .append(':')
                .append(Topology.CONTROLLER_PORT)
                .append("\"]\n");
        LabService server = LabService.serverOf(host.kind());
        yaml.append("services:\n  ").append(server.unit()).append(":\n    form: command\n");
        yaml.append("    start: ").append(list(server.start(checkout))).append('\n');
        yaml.append("    stop: ").append(list(server.stop())).append('\n');
        yaml.append("    pid_file: ").append(server.pidFile()).append('\n');
        if (host.kind() == Kind.WEB) {
            yaml.append("nginx_status: http://127.0.0.1:8081/stub_status\n");
        }
        if (host.kind() == Kind.DATABASE) {
            yaml.append("databases:\n  ").append(Topology.DATABASE_GROUP).append(":\n");
            yaml.append("    socket: /run/mysqld/mysqld.sock\n    user: root\n    replication_user: repl\n");
            yaml.append("    replication_password_file: /etc/understudy/replication_password\n");
        }
        return yaml.toString();
    }

    private static String list(List<String> words) {
        return words.stream().map(word -> '"' + word + '"').collect(Collectors.joining(", ", "[", "]"));
    }

    /// A text of this package with its `@NAMES@` replaced.
    static String resource(String name, Map<String, String> values) {
        try (InputStream in = ServerFiles.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the lab's jar lacks " + name);
            }
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (Map.Entry<String, String> value : values.entrySet()) {
                text = text.replace('@' + value.getKey() + '@', value.getValue());
            }
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void replace(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.deleteIfExists(file); // it may be a link that leads out of the folder
        Files.writeString(file, text);
    }

    private static void secret(Path file, String text) throws IOException {
        replace(file, text);
        Commands.run("chmod", "600", file.toString()).orThrow();
    }
}
