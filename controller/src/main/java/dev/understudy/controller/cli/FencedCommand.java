package dev.understudy.controller.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "fenced",
        description = "You vouch that a host is off. What it holds is given to another without its word.")
final class FencedCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(paramLabel = "HOST", description = "The host that is off.")
    private String host = "";

    @Option(names = "--yes", paramLabel = "HOST", description = "The host's name once more, instead of typing it.")
    private @Nullable String yes;

    @Override
    public Integer call() {
        String typed = Asking.confirmed(
                parent,
                yes,
                host,
                "If " + host + " is not off, two hosts will hold one job and data can be lost. Look at it: power,"
                        + " console, hypervisor.");
        return Asking.post(parent, "fenced", Map.of("host", host, "confirm", typed));
    }
}
