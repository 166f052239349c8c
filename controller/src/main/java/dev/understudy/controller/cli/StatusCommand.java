package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(name = "status", description = "The site now: who holds what, what each host sees. Exit 1 if it is not well.")
final class StatusCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public Integer call() {
        try (ControllerClient client = parent.client()) {
            Api.Site site = client.site();
            if (parent.json()) {
                parent.printJson(site);
            } else {
                Render.site(parent.out(), site);
            }
            return site.well() ? 0 : CliFailure.NOT_WELL;
        }
    }
}
