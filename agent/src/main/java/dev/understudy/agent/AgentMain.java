package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl.Enforcement;
import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.command.Site;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.config.ConfigException;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `understudy-agent`. Exit codes: 0 well, 1 not well or refused, 2 bad usage or input.
@Command(
        name = "understudy-agent",
        description = "Watches this host and holds what the controllers let it hold.",
        mixinStandardHelpOptions = true,
        subcommands = {DetachRequest.class, DatabaseCommand.class},
        versionProvider = AgentMain.Version.class)
public final class AgentMain implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(AgentMain.class);

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The agent's file (default /etc/understudy/agent.yml).")
    private Path config = AgentConfig.DEFAULT_FILE;

    @Option(names = "--once", description = "Print what can be seen on this host, change nothing, and exit.")
    private boolean once;

    @Option(
            names = "--gate",
            description = "Put the gate of the last known spec up, shut for what has no live lease, and exit: to run at"
                    + " start-up before network services and databases.")
    private boolean gate;

    @Option(
            names = "--spec",
            paramLabel = "FILE",
            description = "With --once: the cluster spec as JSON, instead of the last one that a controller sent.")
    private @Nullable Path spec;

    public static void main(String[] arguments) {
        CommandLine line = new CommandLine(new AgentMain());
        line.setParameterExceptionHandler((e, _) -> {
            line.getErr().println("understudy-agent: " + e.getMessage() + " (see --help)");
            return CommandLine.ExitCode.USAGE;
        });
        System.exit(line.execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        AgentConfig agentConfig;
        Optional<ClusterSpec> given;
        try {
            agentConfig = AgentConfig.read(config);
            given = spec == null ? Optional.empty() : Optional.of(read(spec));
        } catch (ConfigException e) {
            System.err.println("understudy-agent: " + e.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        try {
            if (gate) {
                return putUpGate(agentConfig);
            }
            return once ? lookOnce(agentConfig, given) : serve(agentConfig);
        } catch (IOException e) {
            System.err.println("understudy-agent: " + e.getMessage());
            return 1;
        }
    }

    private static int lookOnce(AgentConfig config, Optional<ClusterSpec> given) throws IOException {
        try (HostParts parts = HostParts.start(config)) {
            boolean well = new OneLook(config, parts, System.out)
                    .look(given.isPresent() ? given : new SpecCache(config.state()).load());
            return well ? 0 : 1;
        }
    }

    /// The gate outlives this process; the agent that comes later finds it (S11).
    private static int putUpGate(AgentConfig config) throws IOException {
        Optional<ClusterSpec> spec = new SpecCache(config.state()).load();
        if (spec.isEmpty()) {
            System.out.println("no spec known yet: nothing to gate");
            return 0;
        }
        TimingProfile timing = spec.get().timing();
        Map<ResourceId, Guard> guards = new Site(config.host(), spec.get(), Map.of(), Map.of()).guarded();
        try (HostParts parts = HostParts.start(config)) {
            parts.addresses().guard(guards, timing);
            boolean all = true;
            for (Map.Entry<ResourceId, Guard> entry : guards.entrySet()) {
                Enforcement enforcement = parts.addresses().enforcement(entry.getValue(), timing);
                all &= enforcement.enforced();
                System.out.println(entry.getKey()
                        + (enforcement.enforced() ? " gated" : " NOT gated")
                        + (enforcement.detail().isEmpty() ? "" : ": " + enforcement.detail()));
            }
            parts.addresses().drains().forEach(System.out::println);
            return all ? 0 : 1;
        }
    }

    private static int serve(AgentConfig config) throws IOException, InterruptedException {
        Thread.setDefaultUncaughtExceptionHandler((thread, problem) -> {
            // A programming error: what is held lapses safely in the kernel.
            LOG.error("event=fault thread={} outcome=halt", thread.getName(), problem);
            Runtime.getRuntime().halt(70);
        });
        Agent agent = Agent.start(config, HostParts.start(config), version());
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().name("stop").unstarted(agent::stop));
        new CountDownLatch(1).await();
        return 0;
    }

    private static ClusterSpec read(Path file) throws ConfigException {
        try {
            return MessageCodec.decodeSpec(Files.readString(file));
        } catch (IOException e) {
            throw new ConfigException(file + ": cannot be read: " + e);
        } catch (MalformedMessage e) {
            throw new ConfigException(file + ": " + e.getMessage());
        }
    }

    private static String version() {
        String version = AgentMain.class.getPackage().getImplementationVersion();
        return version == null ? "unpackaged" : version;
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"understudy-agent " + version()};
        }
    }
}
