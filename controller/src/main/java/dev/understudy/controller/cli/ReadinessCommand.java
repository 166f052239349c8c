package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "readiness",
        description = "What would come of it if a holder died now. Exit 1 if some resource could not fail over.")
final class ReadinessCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public Integer call() {
        try (ControllerClient client = parent.client()) {
            Api.Site site = client.site();
            List<Api.Resource> resources =
                    site.groups().stream().flatMap(g -> g.resources().stream()).toList();
            if (parent.json()) {
                parent.printJson(resources.stream().map(Api.Resource::readiness).toList());
            } else {
                Render.readiness(parent.out(), resources);
            }
            return resources.stream().allMatch(r -> r.readiness().ready()) ? 0 : CliFailure.NOT_WELL;
        }
    }
}
