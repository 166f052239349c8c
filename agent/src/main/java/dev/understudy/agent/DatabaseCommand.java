package dev.understudy.agent;

import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.config.AgentConfig.DatabaseAccess;
import dev.understudy.agent.config.ConfigException;
import dev.understudy.agent.database.DatabasePreparation;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `understudy-agent database …`, on the database's own host. Needs no controller.
@Command(
        name = "database",
        mixinStandardHelpOptions = true,
        description = "What is done once on a database's host.",
        subcommands = DatabaseCommand.Init.class)
final class DatabaseCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        System.err.println("understudy-agent: which command? (database init, see --help)");
        return 2;
    }

    @Command(
            name = "init",
            mixinStandardHelpOptions = true,
            description = "Prepares a server without data: accounts with the rights that they need, an empty history,"
                    + " read-only. To be run by root on every host of the group; then `understudy database init`."
                    + " Changes nothing on a server that has data.")
    static final class Init implements Callable<Integer> {

        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "The agent's file (default /etc/understudy/agent.yml).")
        private Path config = AgentConfig.DEFAULT_FILE;

        @Option(
                names = "--from",
                paramLabel = "HOSTS",
                description = "From where other members may replicate, as the server writes it: '10.0.0.%%'"
                        + " (default: '%%', anywhere; the account has no other right).")
        private String from = "%";

        @Option(names = "--engine", description = "The server's kind (default: mariadb).")
        private String engine = "mariadb";

        @Parameters(
                paramLabel = "GROUP",
                arity = "0..1",
                description = "A database group of the agent's file (default: the only one).")
        private @Nullable String group;

        @Override
        public Integer call() {
            AgentConfig agent;
            try {
                agent = AgentConfig.read(config);
            } catch (ConfigException e) {
                System.err.println("understudy-agent: " + e.getMessage());
                return 2;
            }
            List<String> groups = List.copyOf(agent.databases().keySet());
            String name = group != null ? group : groups.size() == 1 ? groups.getFirst() : "";
            DatabaseAccess access = agent.databases().get(name);
            if (access == null) {
                System.err.println("understudy-agent: which group? " + config + " has databases of " + groups);
                return 2;
            }
            try {
                return new DatabasePreparation(engine, HostParts.local(agent, access, name), from, System.out).run()
                        ? 0
                        : 1;
            } catch (IllegalArgumentException e) {
                System.err.println("understudy-agent: " + e.getMessage());
                return 2;
            }
        }
    }
}
