package dev.understudy.controller.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "pause", description = "Nothing is moved by itself until a time; the operator's own moves work.")
final class PauseCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(arity = "0..1", paramLabel = "GROUP", description = "A group (default: every automatic one).")
    private String group = "";

    @Option(names = "--for", paramLabel = "LENGTH", required = true, description = "Such as 30m or 2h.")
    private String length = "";

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why: shown wherever it holds something back.")
    private String reason = "";

    @Override
    public Integer call() {
        return Asking.post(parent, "pause", Map.of("group", group, "for", length, "reason", reason));
    }
}
