package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.command.Site;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.config.ConfigException;
import dev.understudy.agent.lease.Detachments;
import dev.understudy.agent.lease.FloorStore;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `understudy-agent detach`: leaves this host as it is without any controller. A running agent is asked through its
/// state folder; where none runs, this process does it. To be run on every member of a group: another member that is
/// not detached may be given what this host keeps.
@Command(
        name = "detach",
        mixinStandardHelpOptions = true,
        description = "Without any controller: leaves what this host holds there for good, without leases and gates.")
final class DetachRequest implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(DetachRequest.class);
    private static final String REQUEST = "detach-request";
    private static final String ANSWER = "detach-answer";
    private static final Duration WAIT = Duration.ofSeconds(20);

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The agent's file (default /etc/understudy/agent.yml).")
    private Path config = AgentConfig.DEFAULT_FILE;

    @Option(names = "--yes", paramLabel = "CLUSTER", description = "The cluster's name, instead of typing it.")
    private @Nullable String yes;

    @Override
    public Integer call() throws Exception {
        AgentConfig agent;
        try {
            agent = AgentConfig.read(config);
        } catch (ConfigException e) {
            System.err.println("understudy-agent: " + e.getMessage());
            return 2;
        }
        Optional<ClusterSpec> spec = new SpecCache(agent.state()).load();
        if (spec.isEmpty()) {
            System.err.println("understudy-agent: no cluster spec in " + agent.state() + ": nothing was held here");
            return 1;
        }
        String cluster = spec.get().cluster();
        String typed = yes == null ? ask(cluster, agent.host()) : yes;
        if (!cluster.equals(typed)) {
            System.err.println("understudy-agent: '" + typed + "' is not '" + cluster + "': nothing was done");
            return 1;
        }
        return run(agent, spec.get(), System.out);
    }

    private static String ask(String cluster, String host) throws IOException {
        System.out.println("What " + host + " holds of cluster " + cluster + " will stay there for good. Do this on"
                + " every member of its groups, with no controller running.");
        System.out.print("Type " + cluster + " to go on: ");
        System.out.flush();
        String line = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())).readLine();
        return line == null ? "" : line.strip();
    }

    private static int run(AgentConfig agent, ClusterSpec spec, PrintStream out)
            throws IOException, InterruptedException {
        FloorStore store;
        try {
            store = FloorStore.open(agent.state());
        } catch (IOException e) {
            LOG.info("event=agent-runs reason=\"{}\"", e.getMessage());
            return askRunning(agent.state(), out);
        }
        boolean well = true;
        try (store;
                HostParts parts = HostParts.start(agent)) {
            AddressControl addresses = parts.addresses();
            Site site = new Site(agent.host(), spec, Map.of(), Map.of());
            Detachments detachments = Detachments.open(agent.state());
            for (ResourceId resource : site.mayHold()) {
                detachments.set(resource, true);
                Outcome outcome =
                        addresses.detach(resource, spec.addressOf(resource).orElse(null));
                well &= outcome instanceof Outcome.Done;
                out.println(resource + ": " + outcome.describe());
            }
        }
        return well ? 0 : 1;
    }

    private static int askRunning(Path state, PrintStream out) throws IOException, InterruptedException {
        Path answer = state.resolve(ANSWER);
        Files.deleteIfExists(answer);
        Files.writeString(state.resolve(REQUEST), "detach\n");
        long end = System.nanoTime() + WAIT.toNanos();
        while (System.nanoTime() < end) {
            if (Files.exists(answer)) {
                String text = Files.readString(answer).strip();
                out.println(text);
                Files.deleteIfExists(answer);
                return text.contains("refused") || text.contains("failed") ? 1 : 0;
            }
            Thread.sleep(Duration.ofMillis(100));
        }
        Files.deleteIfExists(state.resolve(REQUEST));
        System.err.println("understudy-agent: the running agent has not answered within " + WAIT.toSeconds() + " s");
        return 1;
    }

    /// In the running agent, now and then.
    ///
    /// @param act does it and says what came of it
    static void answer(Path state, Supplier<String> act) {
        Path request = state.resolve(REQUEST);
        if (!Files.exists(request)) {
            return;
        }
        try {
            Files.deleteIfExists(request);
            String told = act.get();
            LOG.warn("event=detach-asked outcome=\"{}\"", told.strip().replace('\n', ';'));
            Path temporary = state.resolve(ANSWER + ".new");
            Files.writeString(temporary, told + "\n");
            Files.move(
                    temporary,
                    state.resolve(ANSWER),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("event=detach-answer-not-written reason=\"{}\"", e.toString());
        }
    }
}
