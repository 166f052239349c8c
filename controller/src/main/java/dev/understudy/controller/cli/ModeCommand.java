package dev.understudy.controller.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "mode",
        description = "Sets a group's mode, in the file in force. Raising it adopts addresses and primary as found.")
final class ModeCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(index = "0", paramLabel = "GROUP", description = "A group.")
    private String group = "";

    @Parameters(index = "1", paramLabel = "MODE", description = "observe, manual or automatic.")
    private String mode = "";

    @Override
    public Integer call() {
        return Asking.post(parent, "mode", Map.of("group", group, "mode", mode));
    }
}
