package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "maintenance",
        description = "Leaves a host to you: it is no candidate and its troubles are not reported.")
final class MaintenanceCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(index = "0", paramLabel = "HOST", description = "A host.")
    private String host = "";

    @Parameters(index = "1", paramLabel = "on|off", description = "Begin or end.")
    private String state = "";

    @Option(
            names = "--for",
            paramLabel = "LENGTH",
            description = "It ends by itself after this (default: it does not).")
    private String length = "";

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why: shown wherever it matters.")
    private String reason = "";

    @Option(names = "--move", description = "Move what the host holds to other hosts first.")
    private boolean move;

    @Option(names = "--timeout", paramLabel = "SECONDS", description = "For each move (default: 120).")
    private long timeoutSeconds = 120;

    @Override
    public Integer call() throws InterruptedException {
        try (ControllerClient client = parent.client()) {
            if (move && state.equals("on")) {
                for (Api.Resource held : held(client)) {
                    move(client, held.resource());
                }
            }
            return Asking.post(
                    parent,
                    client,
                    "maintenance",
                    Map.of("host", host, "state", state, "for", length, "reason", reason));
        }
    }

    private List<Api.Resource> held(ControllerClient client) {
        return client.site().groups().stream()
                .flatMap(group -> group.resources().stream())
                .filter(resource -> host.equals(resource.holder()))
                .toList();
    }

    private void move(ControllerClient client, String resource) throws InterruptedException {
        Api.Accepted accepted = client.post("switchover", Map.of("resource", resource));
        if (!parent.json()) {
            parent.out().println(accepted.text());
            parent.out().flush();
        }
        long end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
        while (System.nanoTime() < end) {
            Api.Resource now = client.site().groups().stream()
                    .flatMap(group -> group.resources().stream())
                    .filter(r -> r.resource().equals(resource))
                    .findFirst()
                    .orElseThrow(() -> new CliFailure(CliFailure.NOT_WELL, "there is no " + resource + " any more"));
            if (now.plan() == null && now.steady()) {
                if (host.equals(now.holder())) {
                    throw new CliFailure(
                            CliFailure.NOT_WELL,
                            resource + " was not moved (understudy explain " + accepted.event() + ")");
                }
                return;
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        throw new CliFailure(CliFailure.NOT_WELL, resource + " was not moved within " + timeoutSeconds + " s");
    }
}
