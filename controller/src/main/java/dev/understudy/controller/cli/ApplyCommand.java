package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import dev.understudy.controller.config.ClusterFile;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "apply", description = "Puts a cluster.yml in force. A bad file changes nothing.")
final class ApplyCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file = Path.of("cluster.yml");

    @Override
    public Integer call() {
        String text = ConfigCommand.check(file).text();
        try (ControllerClient client = parent.client()) {
            Api.Accepted accepted = client.apply(file.toString(), text);
            if (parent.json()) {
                parent.printJson(accepted);
            } else {
                parent.out().println(accepted.text());
            }
            return 0;
        }
    }

    static CliFailure bad(ClusterFile.Result.Bad bad) {
        return new CliFailure(CliFailure.BAD_INPUT, String.join("\n", bad.lines()));
    }
}
