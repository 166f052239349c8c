package dev.understudy.controller.cli;

import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "rebuild",
        description = "Replaces a database member's data by a copy of a healthy member's. It leaves the members that"
                + " acknowledge first and follows again at the end; understudy status tells how far it is.")
final class RebuildCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(index = "0", paramLabel = "GROUP", description = "The database group.")
    private String group = "";

    @Parameters(index = "1", paramLabel = "HOST", description = "The member whose data are replaced.")
    private String host = "";

    @Option(
            names = "--from",
            paramLabel = "DONOR",
            description = "Whose data (default: the replica that lags least; the primary only if no replica will do).")
    private @Nullable String from;

    @Option(
            names = "--rate",
            paramLabel = "BYTES",
            description = "At most so many bytes a second leave the donor, such as 50M (default: as cluster.yml says).")
    private @Nullable String rate;

    @Option(names = "--cancel", description = "Ends the rebuild that is under way.")
    private boolean cancel;

    @Option(names = "--yes", paramLabel = "HOST", description = "The host's name, instead of typing it.")
    private @Nullable String yes;

    @Override
    public Integer call() {
        Map<String, String> body = new TreeMap<>(Map.of("group", group, "host", host));
        if (cancel) {
            body.put("cancel", "true");
            return Asking.post(parent, "rebuild", body);
        }
        body.put(
                "confirm",
                Asking.confirmed(
                        parent,
                        yes,
                        host,
                        "All data of the database on " + host + " will be replaced by a copy of "
                                + (from == null ? "a healthy member's" : from + "'s")
                                + ". What only " + host + " has is lost (understudy diverged " + group + " " + host
                                + " shows what is known of that)."));
        body.put("from", Objects.requireNonNullElse(from, ""));
        body.put("rate", Objects.requireNonNullElse(rate, ""));
        return Asking.post(parent, "rebuild", body);
    }
}
