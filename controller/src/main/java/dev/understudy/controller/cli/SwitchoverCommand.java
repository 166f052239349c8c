package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import dev.understudy.core.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "switchover", description = "Moves a resource as planned work, and tells each step.")
class SwitchoverCommand implements Callable<Integer> {

    /// What `--json` prints.
    record Moved(boolean ok, String resource, @Nullable String holder, String text, List<Event> steps) {}

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(paramLabel = "RESOURCE", description = "A resource (edge/192.0.2.10), or a group that has just one.")
    private String resource = "";

    @Option(names = "--to", paramLabel = "HOST", description = "Where to (default: the best candidate).")
    private @Nullable String to;

    @Option(
            names = "--wait",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Wait for its end (default), or not.")
    private boolean waits = true;

    @Option(names = "--timeout", paramLabel = "SECONDS", description = "Wait so long at most (default: 120).")
    private long timeoutSeconds = 120;

    /// The API's word for it.
    String verb() {
        return "switchover";
    }

    /// What else the request says.
    Map<String, String> words(ControllerClient client, String id) {
        return Map.of();
    }

    final Understudy parent() {
        return parent;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ControllerClient client = parent.client()) {
            Map<String, String> body = new HashMap<>(Map.of("resource", resource));
            if (to != null) {
                body.put("to", to);
            }
            body.putAll(words(client, resource));
            String user = System.getProperty("user.name", "");
            if (body.containsKey("accept") && !user.isEmpty()) {
                body.put("by", user);
            }
            Api.Site before = client.site();
            Api.Accepted accepted = client.post(verb(), body);
            String id = Objects.requireNonNullElse(accepted.resource(), resource);
            if (!waits) {
                if (parent.json()) {
                    parent.printJson(accepted);
                } else {
                    parent.out().println(id + ": " + accepted.text());
                }
                return 0;
            }
            return follow(client, id, accepted, before);
        }
    }

    private int follow(ControllerClient client, String id, Api.Accepted accepted, Api.Site before)
            throws InterruptedException {
        List<Event> steps = new ArrayList<>();
        Map<String, String> query = new HashMap<>(Map.of("resource", id));
        if (!before.lastEvent().isEmpty()) {
            query.put("after", before.lastEvent());
        }
        long end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
        while (true) {
            Optional<Api.Resource> seen = look(client, id, end);
            if (seen.isEmpty()) {
                continue;
            }
            Api.Resource now = seen.get();
            for (Event event : client.events(1000, query).events()) {
                steps.add(event);
                query.put("after", event.id());
                if (!parent.json()) {
                    parent.out().println(Render.line(event));
                    parent.out().flush();
                }
            }
            boolean ended = now.plan() == null;
            boolean stuck = now.phase().equals("BLOCKED");
            boolean over = System.nanoTime() > end;
            if (ended || stuck || over) {
                String asked = to != null ? to : "";
                String was = Objects.requireNonNullElse(resource(before, id).holder(), "");
                String holder = Objects.requireNonNullElse(now.holder(), "");
                boolean ok = ended && now.steady() && (asked.isEmpty() ? !holder.equals(was) : holder.equals(asked));
                return tell(id, now, ok, over && !ended, steps, accepted);
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /// A controller that restarts meanwhile goes on with the plan: it is asked again until the time is over.
    private static Optional<Api.Resource> look(ControllerClient client, String id, long end)
            throws InterruptedException {
        try {
            return Optional.of(resource(client.site(), id));
        } catch (CliFailure failure) {
            if (failure.code() != CliFailure.NO_CONTROLLER || System.nanoTime() > end) {
                throw failure;
            }
            TimeUnit.MILLISECONDS.sleep(200);
            return Optional.empty();
        }
    }

    private int tell(String id, Api.Resource now, boolean ok, boolean over, List<Event> steps, Api.Accepted accepted) {
        String text = ok
                ? id + " is held by " + now.holder() + " (epoch " + now.epoch() + ")"
                : id + " was not moved: it is " + now.phase() + ", holder "
                        + Objects.requireNonNullElse(now.holder(), "nobody")
                        + (over ? "; not over within " + timeoutSeconds + " s" : "");
        if (parent.json()) {
            parent.printJson(new Moved(ok, id, now.holder(), text, steps));
            return ok ? 0 : CliFailure.NOT_WELL;
        }
        if (!ok) {
            String why = accepted.event().isEmpty() ? "" : " (understudy explain " + accepted.event() + ")";
            throw new CliFailure(CliFailure.NOT_WELL, text + why);
        }
        parent.out().println(text);
        return 0;
    }

    private static Api.Resource resource(Api.Site site, String id) {
        return site.groups().stream()
                .flatMap(g -> g.resources().stream())
                .filter(r -> r.resource().equals(id))
                .findFirst()
                .orElseThrow(() -> new CliFailure(CliFailure.NOT_WELL, "there is no resource " + id + " any more"));
    }
}
