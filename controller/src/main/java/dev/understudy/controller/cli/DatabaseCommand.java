package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "database",
        description = "What is done once with a database group.",
        subcommands = DatabaseCommand.Init.class)
final class DatabaseCommand implements Runnable {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public void run() {
        throw new CliFailure(CliFailure.BAD_INPUT, "which command? (database init, see --help)");
    }

    /// The controllers have no password of a database: each host's part is done there, as root. This is the other part.
    @Command(
            name = "init",
            description = "Has a first primary elected among servers that `understudy-agent database init` has"
                    + " prepared on their hosts, and waits until it is open. A group with a primary is left as it is.")
    static final class Init implements Callable<Integer> {

        /// Each attempt at a plan that stopped is an event: agents look at settings that were mended in that time.
        private static final Duration AGAIN = Duration.ofSeconds(5);

        /// What `--json` prints.
        record Begun(boolean ok, String resource, @Nullable String holder, String text) {}

        @ParentCommand
        private DatabaseCommand database = new DatabaseCommand();

        @Parameters(paramLabel = "GROUP", description = "A database group.")
        private String group = "";

        @Option(
                names = "--primary",
                paramLabel = "HOST",
                description = "Who is to be it when all have the same (default: the first of the file). A group in"
                        + " mode automatic may have chosen before.")
        private @Nullable String wanted;

        @Option(names = "--timeout", paramLabel = "SECONDS", description = "Wait so long at most (default: 120).")
        private long timeoutSeconds = 120;

        @Override
        public Integer call() throws InterruptedException {
            String id = group + "/primary";
            long end = System.nanoTime() + Duration.ofSeconds(timeoutSeconds).toNanos();
            String because = "nothing was answered yet";
            boolean asked = false;
            long next = System.nanoTime();
            try (ControllerClient client = database.parent.client()) {
                while (true) {
                    Api.Resource now = resource(client.site(), id);
                    if (now.phase().equals("HELD")) {
                        return held(now, asked);
                    }
                    boolean waits = now.phase().equals("VACANT") || now.phase().equals("BLOCKED");
                    if (waits && System.nanoTime() >= next) {
                        next = System.nanoTime() + AGAIN.toNanos();
                        try {
                            because = ask(client, id, now.phase());
                            asked = true;
                        } catch (CliFailure refused) {
                            if (refused.code() != CliFailure.NOT_WELL) {
                                throw refused;
                            }
                            because = refused.lines();
                        }
                    }
                    if (System.nanoTime() > end) {
                        throw new CliFailure(
                                CliFailure.NOT_WELL,
                                id + " has no primary after " + timeoutSeconds + " s, it is " + now.phase() + ": "
                                        + because + "\nlook at: understudy status, understudy events");
                    }
                    TimeUnit.MILLISECONDS.sleep(500);
                }
            }
        }

        private String ask(ControllerClient client, String id, String phase) {
            if (phase.equals("BLOCKED")) {
                return client.post("retry", Map.of("resource", id)).text();
            }
            Map<String, String> body = new HashMap<>(Map.of("resource", id));
            if (wanted != null) {
                body.put("to", wanted);
            }
            return client.post("switchover", body).text();
        }

        private int held(Api.Resource now, boolean asked) {
            String holder = Objects.requireNonNullElse(now.holder(), "nobody");
            boolean well = wanted == null || wanted.equals(holder);
            String text = now.resource() + " is held by " + holder + " (epoch " + now.epoch() + ")"
                    + (asked ? "" : ": nothing was done")
                    + (well ? "" : "; understudy switchover " + group + " --to " + wanted + " moves it");
            if (database.parent.json()) {
                database.parent.printJson(new Begun(well, now.resource(), now.holder(), text));
            } else {
                database.parent.out().println(text);
            }
            return well ? 0 : CliFailure.NOT_WELL;
        }

        private Api.Resource resource(Api.Site site, String id) {
            return site.groups().stream()
                    .flatMap(g -> g.resources().stream())
                    .filter(r -> r.resource().equals(id))
                    .findFirst()
                    .orElseThrow(
                            () -> new CliFailure(CliFailure.BAD_INPUT, "there is no database group '" + group + "'"));
        }
    }
}
