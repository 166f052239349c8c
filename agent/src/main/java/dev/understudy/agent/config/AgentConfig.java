package dev.understudy.agent.config;

import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The agent's own file, `agent.yml`: who it is, where its controllers are, and what is local to its host.
/// Everything else comes from the cluster spec. Read strictly: an unknown key, a wrong or a missing value is
/// refused with one line.
///
/// @param host this host's name in the cluster
/// @param controllers their HTTP addresses, such as `http://10.0.0.2:7440`
/// @param state folder for floors and the cached spec
/// @param metrics where the agent's own HTTP port listens; every agent of a cluster uses the same port number
/// @param peer where the agent listens for other agents; every agent of a cluster uses the same port number
/// @param copies where another agent fetches a copy of this host's database, only while the controller has one made
/// @param services how services are run that are no systemd units, by the names that the spec uses
/// @param databases local access, by database group
/// @param nginxPage nginx's `stub_status` page, whose figures are told with the metrics; null for none
public record AgentConfig(
        String host,
        List<URI> controllers,
        Path state,
        Listen metrics,
        Listen peer,
        Listen copies,
        Map<String, CommandForm> services,
        Map<String, DatabaseAccess> databases,
        @Nullable URI nginxPage) {

    public static final Path DEFAULT_FILE = Path.of("/etc/understudy/agent.yml");
    public static final Path DEFAULT_STATE = Path.of("/var/lib/understudy/agent");
    public static final Listen DEFAULT_METRICS = new Listen("0.0.0.0", 7443);
    public static final Listen DEFAULT_PEER = new Listen("0.0.0.0", 7442);
    public static final Listen DEFAULT_COPIES = new Listen("0.0.0.0", 7444);

    /// With the usual port for copies and without a page of nginx.
    public AgentConfig(
            String host,
            List<URI> controllers,
            Path state,
            Listen metrics,
            Listen peer,
            Map<String, CommandForm> services,
            Map<String, DatabaseAccess> databases) {
        this(host, controllers, state, metrics, peer, DEFAULT_COPIES, services, databases, null);
    }

    public AgentConfig {
        controllers = List.copyOf(controllers);
        services = Map.copyOf(services);
        databases = Map.copyOf(databases);
    }

    public Optional<URI> nginxStatus() {
        return Optional.ofNullable(nginxPage);
    }

    /// Where transactions that only this host has are decoded.
    public Path diverged() {
        return state.resolve("diverged");
    }

    public record Listen(String address, int port) {}

    /// A service as plain commands (`ServiceControl`'s `command` form).
    ///
    /// @param start command and arguments
    /// @param stop command and arguments; empty: the main process is sent SIGTERM
    /// @param pidFile where the main process's id stands
    public record CommandForm(List<String> start, List<String> stop, Path pidFile) {
        public CommandForm {
            start = List.copyOf(start);
            stop = List.copyOf(stop);
        }
    }

    /// @param socket the server's unix socket
    /// @param passwordFile null: the server authenticates by the socket's peer
    public record DatabaseAccess(
            Path socket,
            String user,
            @Nullable Path passwordFile,
            String replicationUser,
            Path replicationPasswordFile) {}

    /// @throws ConfigException one line with file, line, and what was expected
    public static AgentConfig read(Path file) throws ConfigException {
        YamlSection root = YamlSection.read(file);
        String host = root.text("host");
        List<URI> controllers = controllers(root);
        Path state = root.textIfGiven("state").map(Path::of).orElse(DEFAULT_STATE);
        Listen metrics = listen(root, "metrics", DEFAULT_METRICS);
        Listen peer = listen(root, "peer", DEFAULT_PEER);
        Listen copies = listen(root, "copies", DEFAULT_COPIES);
        Map<String, CommandForm> services = new LinkedHashMap<>();
        for (Map.Entry<String, YamlSection> entry : root.sections("services").entrySet()) {
            service(entry.getValue()).ifPresent(form -> services.put(entry.getKey(), form));
        }
        Map<String, DatabaseAccess> databases = new LinkedHashMap<>();
        for (Map.Entry<String, YamlSection> entry : root.sections("databases").entrySet()) {
            databases.put(entry.getKey(), database(entry.getValue()));
        }
        URI nginxPage = nginxPage(root);
        root.end();
        return new AgentConfig(host, controllers, state, metrics, peer, copies, services, databases, nginxPage);
    }

    private static @Nullable URI nginxPage(YamlSection root) throws ConfigException {
        Optional<String> given = root.textIfGiven("nginx_status");
        if (given.isEmpty()) {
            return null;
        }
        try {
            URI page = URI.create(given.get());
            if ("http".equals(page.getScheme()) && page.getHost() != null) {
                return page;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw root.wrong("nginx_status", "'" + given.get() + "' is not of the form http://host:port/path");
    }

    private static List<URI> controllers(YamlSection root) throws ConfigException {
        List<URI> controllers = new ArrayList<>();
        for (String text : root.texts("controllers")) {
            URI uri;
            try {
                uri = URI.create(text);
            } catch (IllegalArgumentException e) {
                throw root.wrong("controllers", "'" + text + "' is no URL");
            }
            if (!"http".equals(uri.getScheme())
                    || uri.getHost() == null
                    || uri.getPort() < 1
                    || uri.getPort() > 65535
                    || !uri.getPath().replace("/", "").isEmpty()) {
                throw root.wrong("controllers", "'" + text + "' is not of the form http://host:port");
            }
            controllers.add(uri);
        }
        if (controllers.isEmpty()) {
            throw root.missing("controllers", "a list such as [\"http://10.0.0.2:7440\"]");
        }
        return controllers;
    }

    private static Listen listen(YamlSection root, String key, Listen otherwise) throws ConfigException {
        Optional<String> given = root.textIfGiven(key);
        if (given.isEmpty()) {
            return otherwise;
        }
        String text = given.get();
        int colon = text.lastIndexOf(':');
        try {
            int port = Integer.parseInt(text.substring(colon + 1));
            if (colon > 0 && port >= 0 && port <= 65535) {
                return new Listen(text.substring(0, colon), port);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw root.wrong(key, "'" + text + "' is not of the form address:port");
    }

    private static Optional<CommandForm> service(YamlSection section) throws ConfigException {
        String form = section.text("form");
        List<String> start = section.texts("start");
        List<String> stop = section.texts("stop");
        Optional<String> pidFile = section.textIfGiven("pid_file");
        section.end();
        if (form.equals("systemd")) {
            if (!start.isEmpty() || !stop.isEmpty() || pidFile.isPresent()) {
                throw section.wrong("form", "a systemd service has no commands and no pid_file");
            }
            return Optional.empty();
        }
        if (!form.equals("command")) {
            throw section.wrong("form", "'" + form + "' is neither systemd nor command");
        }
        if (start.isEmpty()) {
            throw section.missing("start", "a command with its arguments, as a list");
        }
        if (pidFile.isEmpty()) {
            throw section.missing("pid_file", "the path of a file");
        }
        return Optional.of(new CommandForm(start, stop, Path.of(pidFile.get())));
    }

    private static DatabaseAccess database(YamlSection section) throws ConfigException {
        DatabaseAccess access = new DatabaseAccess(
                Path.of(section.text("socket")),
                section.text("user"),
                section.textIfGiven("password_file").map(Path::of).orElse(null),
                section.text("replication_user"),
                Path.of(section.text("replication_password_file")));
        section.end();
        return access;
    }
}
