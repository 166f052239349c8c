package dev.understudy.controller.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "resume", description = "Ends a pause: what is due happens at once.")
final class ResumeCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(arity = "0..1", paramLabel = "GROUP", description = "A group (default: every paused one).")
    private String group = "";

    @Override
    public Integer call() {
        return Asking.post(parent, "resume", Map.of("group", group));
    }
}
