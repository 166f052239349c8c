package dev.understudy.controller.cli;

import dev.understudy.controller.api.ApiJson;
import dev.understudy.core.Event;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "events", description = "What was decided, oldest first.")
final class EventsCommand implements Callable<Integer> {

    private static final int MOST = 1000;

    @ParentCommand
    private Understudy parent = new Understudy();

    @Option(names = "--limit", paramLabel = "N", description = "The latest N (default: 20).")
    private int limit = 20;

    @Option(names = "--resource", paramLabel = "R", description = "Only of this resource or group.")
    private @Nullable String resource;

    @Option(names = "--follow", description = "Go on with new ones until Ctrl-C; one JSON object a line with --json.")
    private boolean follow;

    @Override
    public Integer call() throws InterruptedException {
        if (limit < 1 || limit > MOST) {
            throw new CliFailure(CliFailure.BAD_INPUT, "--limit is a number from 1 to " + MOST);
        }
        Map<String, String> query = new HashMap<>();
        if (resource != null) {
            query.put("resource", resource);
        }
        try (ControllerClient client = parent.client()) {
            if (follow) {
                follow(client, query);
            } else if (parent.json()) {
                parent.printJson(client.events(limit, query));
            } else {
                Render.events(parent.out(), client.events(limit, query).events());
            }
            return 0;
        }
    }

    private void follow(ControllerClient client, Map<String, String> query) throws InterruptedException {
        List<Event> fresh = client.events(limit, query).events();
        while (!Thread.currentThread().isInterrupted()) {
            for (Event event : fresh) {
                parent.out().println(parent.json() ? ApiJson.compact().writeValueAsString(event) : Render.line(event));
                query.put("after", event.id());
            }
            parent.out().flush();
            TimeUnit.MILLISECONDS.sleep(250);
            fresh = client.events(MOST, query).events();
        }
    }
}
