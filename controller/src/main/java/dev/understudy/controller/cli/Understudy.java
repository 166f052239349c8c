package dev.understudy.controller.cli;

import dev.understudy.controller.api.ApiJson;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// `understudy`.
@Command(
        name = "understudy",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        description = "Asks an Understudy controller. Exit codes: 0 well, 1 not well or refused, 2 bad usage or input,"
                + " 3 no controller.",
        subcommands = {
            StatusCommand.class,
            ReadinessCommand.class,
            WatchCommand.class,
            EventsCommand.class,
            ExplainCommand.class,
            SwitchoverCommand.class,
            FailoverCommand.class,
            PauseCommand.class,
            ResumeCommand.class,
            MaintenanceCommand.class,
            ModeCommand.class,
            DetachCommand.class,
            FencedCommand.class,
            RetryCommand.class,
            DivergedCommand.class,
            RebuildCommand.class,
            IncidentsCommand.class,
            AckCommand.class,
            MailCommand.class,
            ApplyCommand.class,
            ConfigCommand.class,
            DatabaseCommand.class,
            RenderCommand.class
        })
public final class Understudy implements Runnable {

    private static final String DEFAULT_URL = "http://127.0.0.1:7440";

    @Option(
            names = "--controller",
            scope = ScopeType.INHERIT,
            paramLabel = "URL",
            description = "The controller (default: $UNDERSTUDY_CONTROLLER or " + DEFAULT_URL + ").")
    private @Nullable String controller;

    @Option(names = "--json", scope = ScopeType.INHERIT, description = "Print JSON.")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(out, err, arguments));
    }

    /// Runs one command; returns its exit code.
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        CommandLine line = new CommandLine(new Understudy());
        line.setOut(out).setErr(err);
        line.setParameterExceptionHandler((e, _) -> {
            e.getCommandLine().getErr().println("understudy: " + firstLine(e) + " (see --help)");
            return CliFailure.BAD_INPUT;
        });
        IExecutionExceptionHandler failures = (e, command, _) -> {
            if (e instanceof CliFailure failure) {
                failure.lines().lines().forEach(l -> command.getErr().println("understudy: " + l));
                return failure.code();
            }
            throw e;
        };
        line.setExecutionExceptionHandler(failures);
        return line.execute(arguments);
    }

    @Override
    public void run() {
        throw new CliFailure(CliFailure.BAD_INPUT, "which command? (see --help)");
    }

    ControllerClient client() {
        return new ControllerClient(url());
    }

    String url() {
        String fromEnvironment = System.getenv("UNDERSTUDY_CONTROLLER");
        return Optional.ofNullable(controller)
                .or(() -> Optional.ofNullable(fromEnvironment).filter(u -> !u.isBlank()))
                .orElse(DEFAULT_URL);
    }

    boolean json() {
        return json;
    }

    PrintWriter out() {
        if (spec == null) {
            throw new IllegalStateException("not started by picocli");
        }
        return spec.commandLine().getOut();
    }

    void printJson(Object value) {
        out().println(ApiJson.indented().writeValueAsString(value));
        out().flush();
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }
}
