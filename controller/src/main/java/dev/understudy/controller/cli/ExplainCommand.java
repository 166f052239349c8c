package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "explain", description = "Why: what was seen, which row of the table, who could take over, all steps.")
final class ExplainCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(paramLabel = "ID", description = "An event's id, such as E12.")
    private String id = "";

    @Override
    public Integer call() {
        try (ControllerClient client = parent.client()) {
            Api.Explained explained = client.explain(id);
            if (parent.json()) {
                parent.printJson(explained);
            } else {
                Render.explained(parent.out(), explained);
            }
            return 0;
        }
    }
}
