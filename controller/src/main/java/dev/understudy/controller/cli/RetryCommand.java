package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "retry", description = "Tries a move that stopped (BLOCKED) once more.")
final class RetryCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(paramLabel = "RESOURCE", description = "Such as shopdb/primary.")
    private String resource = "";

    @Override
    public Integer call() {
        try (ControllerClient client = parent.client()) {
            Api.Accepted accepted = client.post("retry", Map.of("resource", resource));
            if (parent.json()) {
                parent.printJson(accepted);
            } else {
                parent.out().println(accepted.text());
            }
            return 0;
        }
    }
}
