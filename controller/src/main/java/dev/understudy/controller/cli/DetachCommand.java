package dev.understudy.controller.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "detach",
        description =
                "Leaves everything where it is for good, without leases and gates, so that the agents can be stopped.")
final class DetachCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(arity = "0..1", paramLabel = "GROUP", description = "A group (default: all).")
    private String group = "";

    @Option(names = "--yes", paramLabel = "CLUSTER", description = "The cluster's name, instead of typing it.")
    private @Nullable String yes;

    @Override
    public Integer call() {
        try (ControllerClient client = parent.client()) {
            String cluster = client.site().cluster();
            String what = group.isEmpty() ? "Every group" : "Group " + group;
            String typed = Asking.confirmed(
                    parent,
                    yes,
                    cluster,
                    what + " of cluster " + cluster + " will be left as it is: addresses become permanent, nothing is"
                            + " replaced any more when it fails.");
            return Asking.post(parent, client, "detach", Map.of("group", group, "confirm", typed));
        }
    }
}
