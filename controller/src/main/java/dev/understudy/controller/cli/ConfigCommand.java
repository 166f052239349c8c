package dev.understudy.controller.cli;

import dev.understudy.controller.config.ClusterFile;
import dev.understudy.controller.config.ClusterFile.Result;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "config",
        description = "Looks at configuration files; needs no controller.",
        subcommands = ConfigCommand.Check.class)
final class ConfigCommand implements Runnable {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public void run() {
        throw new CliFailure(CliFailure.BAD_INPUT, "config what? (see --help)");
    }

    /// @throws CliFailure with every problem of the file
    static Result.Good check(Path file) {
        return switch (ClusterFile.read(file)) {
            case Result.Good good -> good;
            case Result.Bad bad -> throw ApplyCommand.bad(bad);
        };
    }

    @Command(name = "check", description = "Reads a cluster.yml and says what is wrong with it. Exit 2 if anything is.")
    static final class Check implements Callable<Integer> {

        @ParentCommand
        private ConfigCommand config = new ConfigCommand();

        @Parameters(paramLabel = "FILE", description = "The file.")
        private Path file = Path.of("cluster.yml");

        @Override
        public Integer call() {
            Result.Good good = ConfigCommand.check(file);
            Map<String, Object> summary = new LinkedHashMap<>();
            summary.put("file", file.toString());
            summary.put("cluster", good.spec().cluster());
            summary.put("hosts", good.spec().hosts().size());
            summary.put("groups", good.spec().groups().size());
            summary.put(
                    "resources",
                    good.spec().resources().stream().map(Object::toString).toList());
            if (config.parent.json()) {
                config.parent.printJson(summary);
            } else {
                config.parent
                        .out()
                        .println(file + ": good: cluster " + good.spec().cluster() + ", "
                                + summary.get("hosts") + " hosts, " + summary.get("groups") + " groups, resources "
                                + summary.get("resources"));
            }
            return 0;
        }
    }
}
