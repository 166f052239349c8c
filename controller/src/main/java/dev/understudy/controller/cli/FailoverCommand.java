package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "failover",
        description =
                "Replaces the holder without its help: it is fenced, or its lease is waited for. For a holder that"
                        + " works, switchover is gentler.")
final class FailoverCommand extends SwitchoverCommand {

    @Option(
            names = "--accept-loss",
            description = "Lets a failover that stopped go on without the members that do not answer. What they alone"
                    + " acknowledged is lost: it asks you to type their names.")
    private boolean acceptLoss;

    @Option(names = "--yes", paramLabel = "WORDS", description = "What --accept-loss asks for, instead of typing it.")
    private @Nullable String yes;

    @Override
    String verb() {
        return "failover";
    }

    @Override
    Map<String, String> words(ControllerClient client, String resource) {
        if (!acceptLoss) {
            return Map.of();
        }
        Api.Resource stopped = client.site().groups().stream()
                .flatMap(group -> group.resources().stream()
                        .filter(r ->
                                r.resource().equals(resource) || group.name().equals(resource)))
                .filter(r -> r.plan() != null && !r.plan().loss().isEmpty())
                .findFirst()
                .orElseThrow(() -> new CliFailure(
                        CliFailure.NOT_WELL,
                        resource + " waits for nobody: there is no loss to accept. Try without --accept-loss."));
        Api.Plan plan = Objects.requireNonNull(stopped.plan());
        String warning = plan.id() + " has stopped: " + plan.cause() + ".\n"
                + "It is not known what these members acknowledged: "
                + plan.loss().substring("lose ".length()) + ".\n"
                + "Writes that clients were told are safe and that only they have are lost to the site. Bring one back"
                + " if you can: the plan then goes on by itself.";
        return Map.of("accept", Asking.confirmed(parent(), yes, plan.loss(), warning));
    }
}
