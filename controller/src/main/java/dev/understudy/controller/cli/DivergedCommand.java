package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "diverged",
        description = "What a quarantined member has that its primary lacks, decoded; or what its last start dropped.")
final class DivergedCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(index = "0", paramLabel = "GROUP", description = "The database group.")
    private String group = "";

    @Parameters(index = "1", paramLabel = "HOST", description = "The member.")
    private String host = "";

    @Override
    public Integer call() {
        try (ControllerClient client = parent.client()) {
            Api.Diverged diverged = client.diverged(group, host);
            if (parent.json()) {
                parent.printJson(diverged);
            } else {
                Render.diverged(parent.out(), diverged);
            }
            return 0;
        }
    }
}
