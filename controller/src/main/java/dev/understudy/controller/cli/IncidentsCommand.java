package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(name = "incidents", description = "Open incidents, and what is still to be sent. Exit code 1 if any is open.")
final class IncidentsCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public Integer call() {
        Api.Incidents incidents;
        try (ControllerClient client = parent.client()) {
            incidents = client.incidents();
        }
        if (parent.json()) {
            parent.printJson(incidents);
            return incidents.open().isEmpty() ? 0 : CliFailure.NOT_WELL;
        }
        if (incidents.open().isEmpty()) {
            parent.out().println("no open incident");
        }
        incidents
                .open()
                .forEach(i -> parent.out()
                        .println(i.id() + "  " + i.severity().name().toLowerCase(Locale.ROOT) + "  " + i.title()
                                + "  since " + i.opened()
                                + (i.acknowledged() == null
                                        ? ""
                                        : "  " + i.acknowledged().describe())));
        incidents
                .waiting()
                .forEach(w -> parent.out()
                        .println("waits: " + w.id() + " (" + w.kind() + ") for " + String.join(", ", w.pending())));
        incidents.troubles().forEach((what, why) -> parent.out().println(what + ": " + why));
        return incidents.open().isEmpty() ? 0 : CliFailure.NOT_WELL;
    }
}
