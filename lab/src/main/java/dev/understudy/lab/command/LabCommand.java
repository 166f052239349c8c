package dev.understudy.lab.command;

import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.RunFolder;
import dev.understudy.lab.site.Switch.Direction;
import dev.understudy.lab.site.Topology.Network;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `understudy-lab`: starts a site, and does to a running one what happens to real ones. Exit codes: 0 well, 1 not well
/// or refused, 2 bad usage, 3 no lab runs.
@Command(
        name = "understudy-lab",
        mixinStandardHelpOptions = true,
        description = "A whole site on this machine, and what can happen to it.",
        subcommands = {UpCommand.class, TourCommand.class, CommandLine.HelpCommand.class})
public final class LabCommand {

    private static final int NO_LAB = 3;

    @Spec
    private @Nullable CommandSpec spec;

    private LabCommand() {}

    public static void main(String[] arguments) {
        System.exit(line().execute(arguments));
    }

    static CommandLine line() {
        return new CommandLine(new LabCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, line, _) -> {
                    line.getErr().println(line.getColorScheme().errorText("understudy-lab: " + failure.getMessage()));
                    return failure instanceof NoLab ? NO_LAB : 1;
                });
    }

    private static final class NoLab extends RuntimeException {
        NoLab() {
            super("no lab runs on this machine: start one with ./demo");
        }
    }

    @Command(description = "Remove what crashed runs left.")
    int clean() {
        List<String> lines = RunFolder.cleanUp();
        lines.forEach(out()::println);
        if (lines.isEmpty()) {
            out().println("nothing was left behind");
        }
        RunFolder.live().forEach(run -> out().println("a lab runs from " + run.path() + ": end it with Ctrl-C"));
        return 0;
    }

    @Command(description = "List the hosts and what runs on them.")
    int hosts() {
        for (LabHost host : lab().hosts()) {
            List<String> names = host.processes().stream()
                    .map(entry -> entry.name() + (entry.state() == 'T' ? " (frozen)" : ""))
                    .distinct()
                    .toList();
            out().printf("%-7s %-13s %s%n", host.name(), host.plan().address(), String.join(", ", names));
        }
        return 0;
    }

    @Command(description = "Kill a service with SIGKILL: haproxy nginx mariadb agent controller.")
    int kill(@Parameters(paramLabel = "HOST") String host, @Parameters(paramLabel = "SERVICE") String service) {
        return on(host, lab -> lab.kill(LabService.named(service)));
    }

    @Command(description = "Stop a service cleanly.")
    int stop(@Parameters(paramLabel = "HOST") String host, @Parameters(paramLabel = "SERVICE") String service) {
        return on(host, lab -> lab.stop(LabService.named(service)));
    }

    @Command(description = "Start a service.")
    int start(@Parameters(paramLabel = "HOST") String host, @Parameters(paramLabel = "SERVICE") String service) {
        return on(host, lab -> lab.start(LabService.named(service)));
    }

    @Command(description = "Stop a service cleanly and start it again.")
    int restart(@Parameters(paramLabel = "HOST") String host, @Parameters(paramLabel = "SERVICE") String service) {
        return on(host, lab -> lab.restart(LabService.named(service)));
    }

    @Command(description = "Stop all processes of a host in their tracks; its kernel lives on.")
    int freeze(@Parameters(paramLabel = "HOST") String host) {
        return on(host, LabHost::freeze);
    }

    @Command(description = "Let a frozen host go on.")
    int thaw(@Parameters(paramLabel = "HOST") String host) {
        return on(host, LabHost::thaw);
    }

    @Command(name = "power-off", description = "Pull the plug of a host.")
    int powerOff(@Parameters(paramLabel = "HOST") String host) {
        return on(host, LabHost::powerOff);
    }

    @Command(name = "power-on", description = "Start a host again, with its services.")
    int powerOn(@Parameters(paramLabel = "HOST") String host) {
        return on(host, LabHost::powerOn);
    }

    @Command(name = "fill-disk", description = "Fill the disk of a database's data folder.")
    int fillDisk(@Parameters(paramLabel = "HOST") String host) {
        return on(host, LabHost::fillDisk);
    }

    @Command(name = "empty-disk", description = "Take away what fill-disk wrote.")
    int emptyDisk(@Parameters(paramLabel = "HOST") String host) {
        return on(host, LabHost::emptyDisk);
    }

    @Command(description = "Cut a host off; its interfaces keep their carrier.")
    int cut(
            @Parameters(paramLabel = "HOST") String host,
            @Option(names = "--one-way", paramLabel = "in|out", description = "in: hears nothing; out: is not heard")
                    @Nullable
                    String oneWay,
            @Option(names = "--from", paramLabel = "HOST", split = ",", description = "from these hosts only") @Nullable
                    List<String> from,
            @Option(names = "--network", paramLabel = "front|back", description = "on this network only") @Nullable
                    Network network) {
        Cut cut = Cut.of(host);
        if (oneWay != null) {
            cut = switch (oneWay.toLowerCase(Locale.ROOT)) {
                case "in" -> cut.oneWay(Direction.IN);
                case "out" -> cut.oneWay(Direction.OUT);
                default -> throw new IllegalArgumentException("--one-way is in or out, not '" + oneWay + "'");
            };
        }
        if (network != null) {
            cut = cut.on(network);
        }
        if (from != null) {
            cut = cut.from(from.toArray(String[]::new));
        }
        lab().cut(cut);
        out().println("cut " + cut);
        return 0;
    }

    @Command(description = "Undo every cut, loss and delay of a host.")
    int heal(@Parameters(paramLabel = "HOST") String host) {
        lab().heal(host);
        return 0;
    }

    @Command(description = "Drop a share of all packets to and from a host.")
    int loss(
            @Parameters(paramLabel = "HOST") String host,
            @Parameters(paramLabel = "PERCENT", description = "0 to 100") int percent) {
        lab().lose(host, percent);
        return 0;
    }

    @Command(description = "Hold back every packet to a host (needs a kernel with netem).")
    int delay(
            @Parameters(paramLabel = "HOST") String host,
            @Parameters(paramLabel = "MILLISECONDS", description = "0 ends it") int millis) {
        lab().delay(host, millis);
        return 0;
    }

    @Command(description = "Run a program inside a host: exec db1 -- ip addr")
    int exec(
            @Parameters(paramLabel = "HOST") String host,
            @Parameters(paramLabel = "COMMAND", arity = "1..*") List<String> command)
            throws IOException, InterruptedException {
        var all = new ArrayList<>(
                List.of("nsenter", "-t", Long.toString(lab().host(host).initPid()), "-m", "-n", "-p", "-u", "--"));
        all.addAll(command);
        return new ProcessBuilder(all).inheritIO().start().waitFor();
    }

    private int on(String host, Consumer<LabHost> act) {
        act.accept(lab().host(host));
        return 0;
    }

    private static Lab lab() {
        return Lab.running(Checkout.find()).orElseThrow(NoLab::new);
    }

    private PrintWriter out() {
        if (spec == null) {
            throw new IllegalStateException("picocli has not set the command up");
        }
        return spec.commandLine().getOut();
    }
}
