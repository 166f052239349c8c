package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import dev.understudy.core.Event;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "mail",
        description = "What the controller mails.",
        subcommands = {MailCommand.Test.class})
final class MailCommand implements Runnable {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public void run() {
        throw new CliFailure(CliFailure.BAD_INPUT, "mail test (see --help)");
    }

    @Command(name = "test", description = "Sends a mail that tells nothing, and waits until the server has taken it.")
    static final class Test implements Callable<Integer> {

        private static final int MOST_SECONDS = 60;

        @ParentCommand
        private MailCommand mail = new MailCommand();

        @Override
        public Integer call() throws InterruptedException {
            Understudy parent = mail.parent;
            try (ControllerClient client = parent.client()) {
                Api.Accepted accepted = client.post("mail/test", Map.of("by", System.getProperty("user.name", "")));
                String id = accepted.event();
                if (!parent.json()) {
                    parent.out().println(accepted.text());
                    parent.out().flush();
                }
                Api.Incidents now = client.incidents();
                for (int seconds = 0; waits(now, id) && seconds < MOST_SECONDS; seconds++) {
                    TimeUnit.SECONDS.sleep(1);
                    now = client.incidents();
                }
                if (waits(now, id)) {
                    String why = String.join("; ", now.troubles().values());
                    throw new CliFailure(
                            CliFailure.NOT_WELL,
                            id + " still waits after " + MOST_SECONDS + " s" + (why.isEmpty() ? "" : ": " + why));
                }
                String end = client.events(50, Map.of()).events().stream()
                        .map(Event::text)
                        .filter(text -> text.startsWith("mail " + id + " ") || text.startsWith("webhook " + id + " "))
                        .reduce((one, other) -> one + "; " + other)
                        .orElse(id + " was handed over");
                if (parent.json()) {
                    parent.printJson(accepted);
                } else {
                    parent.out().println(end);
                }
                return end.contains(" given up, ") ? CliFailure.NOT_WELL : 0;
            }
        }

        private static boolean waits(Api.Incidents incidents, String id) {
            return incidents.waiting().stream().anyMatch(w -> w.id().equals(id));
        }
    }
}
