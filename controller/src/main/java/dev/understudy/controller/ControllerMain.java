package dev.understudy.controller;

import dev.understudy.controller.loop.FaultHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// `understudy-controller`. Exit codes: 0 stopped as asked, 1 a fault, 2 bad usage or input (one clear line).
@Command(
        name = "understudy-controller",
        mixinStandardHelpOptions = true,
        description = "Watches a site and moves its addresses and its primary database when their holders fail.")
public final class ControllerMain implements Callable<Integer> {

    private static final Set<String> KEYS = Set.of("name", "cluster", "state", "listen", "raft-port", "grafana");

    @Option(names = "--config", description = "controller.yml: the options below as keys; options win.")
    private @Nullable Path config;

    @Option(names = "--cluster", description = "cluster.yml to apply at start (default: what is in the journal).")
    private @Nullable Path cluster;

    @Option(names = "--state", description = "State folder (default: /var/lib/understudy/controller).")
    private @Nullable Path state;

    @Option(names = "--listen", description = "Address of page, API and agent link (default: 0.0.0.0:7440).")
    private @Nullable String listen;

    @Option(names = "--raft-port", description = "Port of the journal's group (default: 7441).")
    private @Nullable Integer raftPort;

    @Option(names = "--name", description = "This controller's name (default: ctl1).")
    private @Nullable String name;

    @Option(names = "--grafana", description = "Where Understudy's dashboards are: the page has links to them.")
    private @Nullable String grafana;

    @Option(names = "--init", description = "Begin a new journal if there is none; an old one is moved aside.")
    private boolean init;

    @Option(names = "--rehearse", hidden = true, description = "Start on a temporary folder, and stop.")
    private boolean rehearse;

    public static void main(String[] arguments) {
        int code = commandLine().execute(arguments);
        if (code != 0) {
            Runtime.getRuntime().halt(code);
        }
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new ControllerMain());
        line.setParameterExceptionHandler((e, _) -> {
            line.getErr().println("understudy-controller: " + e.getMessage());
            return 2;
        });
        return line;
    }

    @Override
    public Integer call() {
        if (rehearse) {
            return rehearse();
        }
        try {
            Controller controller = Controller.start(settings(), FaultHandler.halting());
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
                try {
                    controller.close();
                    Runtime.getRuntime().halt(0);
                } catch (IOException e) {
                    System.err.println("understudy-controller: " + e.getMessage());
                    Runtime.getRuntime().halt(1);
                }
            }));
            Thread.currentThread().join();
            return 0;
        } catch (Controller.RefusedException e) {
            String.valueOf(e.getMessage()).lines().forEach(l -> System.err.println("understudy-controller: " + l));
            return 2;
        } catch (IOException e) {
            System.err.println("understudy-controller: " + oneLine(e));
            return 2;
        } catch (InterruptedException _) {
            return 1;
        } catch (RuntimeException e) {
            System.err.println("understudy-controller: " + oneLine(e));
            return 1;
        }
    }

    private static int rehearse() {
        try {
            Rehearsal.play();
            return 0;
        } catch (Exception e) {
            System.err.println("understudy-controller: rehearsal: " + oneLine(e));
            return 1;
        }
    }

    private Controller.Settings settings() throws Controller.RefusedException {
        Map<String, String> file = config == null ? Map.of() : read(config);
        String folder = file.getOrDefault("state", "/var/lib/understudy/controller");
        String address = listen != null ? listen : file.getOrDefault("listen", "0.0.0.0:7440");
        int colon = address.lastIndexOf(':');
        if (colon <= 0) {
            throw new Controller.RefusedException("--listen is address:port, not '" + address + "'");
        }
        String clusterFile = file.get("cluster");
        return new Controller.Settings(
                name != null ? name : file.getOrDefault("name", "ctl1"),
                cluster != null || clusterFile == null ? cluster : Path.of(clusterFile),
                state != null ? state : Path.of(folder),
                address.substring(0, colon),
                port("--listen", address.substring(colon + 1)),
                raftPort != null
                        ? port("--raft-port", raftPort.toString())
                        : port("raft-port", file.getOrDefault("raft-port", "7441")),
                init,
                grafana(grafana != null ? grafana : file.getOrDefault("grafana", "")));
    }

    private static String grafana(String url) throws Controller.RefusedException {
        if (url.isEmpty() || url.matches("https?://[^\\s\"<>]+")) {
            return url;
        }
        throw new Controller.RefusedException("--grafana: '" + url + "' is not of the form http://host:port");
    }

    private static int port(String option, String text) throws Controller.RefusedException {
        if (text.matches("\\d{1,5}") && Integer.parseInt(text) <= 65535) {
            return Integer.parseInt(text);
        }
        throw new Controller.RefusedException(option + ": '" + text + "' is not a port");
    }

    private static Map<String, String> read(Path file) throws Controller.RefusedException {
        try {
            Map<?, ?> values = new YAMLMapper().readValue(Files.readString(file), Map.class);
            Map<String, String> texts = new TreeMap<>();
            for (Map.Entry<?, ?> entry : values.entrySet()) {
                String key = String.valueOf(entry.getKey());
                if (!KEYS.contains(key)) {
                    throw new Controller.RefusedException(file + ": unknown key '" + key + "' (expected: "
                            + String.join(", ", KEYS.stream().sorted().toList()) + ")");
                }
                texts.put(key, String.valueOf(entry.getValue()));
            }
            return texts;
        } catch (IOException e) {
            throw new Controller.RefusedException(file + ": cannot be read: " + oneLine(e));
        } catch (JacksonException e) {
            throw new Controller.RefusedException(
                    file + ": " + e.getOriginalMessage().lines().findFirst().orElse("is not YAML"));
        }
    }

    private static String oneLine(Exception e) {
        String message =
                e.getMessage() == null ? "" : e.getMessage().lines().findFirst().orElse("");
        return e.getClass().getSimpleName() + ": " + message;
    }
}
