package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "watch", description = "The status and the latest events, renewed until Ctrl-C.")
final class WatchCommand implements Callable<Integer> {

    private static final String HOME_AND_CLEAR = "\u001b[H\u001b[2J";
    private static final int EVENTS = 12;

    @ParentCommand
    private Understudy parent = new Understudy();

    @Option(names = "--interval", paramLabel = "MILLIS", description = "Time between two looks (default: 500).")
    private long intervalMillis = 500;

    @Option(names = "--times", paramLabel = "N", description = "Stop after so many looks (default: never).")
    private long times = Long.MAX_VALUE;

    @Override
    public Integer call() throws InterruptedException {
        try (ControllerClient client = parent.client()) {
            for (long look = 1; ; look++) {
                show(client);
                if (look >= times) {
                    return 0;
                }
                TimeUnit.MILLISECONDS.sleep(Math.max(50, intervalMillis));
            }
        }
    }

    /// A controller that does not answer is shown and asked again: watching goes on through its restart.
    private void show(ControllerClient client) {
        StringWriter screen = new StringWriter();
        PrintWriter out = new PrintWriter(screen);
        try {
            Api.Site site = client.site();
            if (parent.json()) {
                parent.out()
                        .println(dev.understudy.controller.api.ApiJson.compact().writeValueAsString(site));
                parent.out().flush();
                return;
            }
            Render.site(out, site);
            out.println();
            Render.events(out, client.events(EVENTS, Map.of()).events());
        } catch (CliFailure failure) {
            out.println(failure.lines());
        }
        parent.out().print(HOME_AND_CLEAR + screen);
        parent.out().flush();
    }
}
