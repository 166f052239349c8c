package dev.understudy.controller.cli;

import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(name = "ack", description = "You look after an incident: no more reminders of it are sent.")
final class AckCommand implements Callable<Integer> {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Parameters(paramLabel = "INCIDENT", description = "Such as I12.")
    private String incident = "";

    @Option(names = "--note", paramLabel = "TEXT", description = "One line for the others.")
    private String note = "";

    @Override
    public Integer call() {
        return Asking.post(parent, "ack", Map.of("incident", incident, "note", note));
    }
}
