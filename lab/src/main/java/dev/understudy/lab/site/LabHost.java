package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.NetworkNamespace;
import dev.understudy.lab.kernel.ProcessTable;
import dev.understudy.lab.kernel.Signal;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Topology.HostPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// One host of the site: its own network, process, mount and host-name namespaces, held by a first process. What
/// happens to a single machine is a method here; what happens to its cables is in [Lab]. Any thread.
public final class LabHost {

    private static final Duration END = Duration.ofSeconds(30);

    private final HostPlan plan;
    private final long initPid;
    private final Path folder;
    private final Checkout checkout;

    LabHost(HostPlan plan, long initPid, Path folder, Checkout checkout) {
        this.plan = plan;
        this.initPid = initPid;
        this.folder = folder;
        this.checkout = checkout;
    }

    public String name() {
        return plan.name();
    }

    public HostPlan plan() {
        return plan;
    }

    /// The first process's id, as the machine itself counts.
    public long initPid() {
        return initPid;
    }

    public NetworkNamespace network() {
        return NetworkNamespace.ofProcess(initPid);
    }

    /// A path of the host, such as `/var/log/mysql`, as seen from outside.
    public Path path(String inside) {
        return Path.of("/proc/" + initPid + "/root" + inside);
    }

    Path folder() {
        return folder;
    }

    /// Runs a program inside the host.
    public Commands.Result run(String... command) {
        return Commands.run(inside(List.of(command)));
    }

    Commands.Result run(List<String> command, String input) {
        return Commands.run(inside(command), input);
    }

    /// The host's processes, its first one excepted.
    public List<ProcessTable.Entry> processes() {
        return ProcessTable.inNamespaceOf(initPid);
    }

    public List<ProcessTable.Entry> processes(LabService service) {
        return processes().stream()
                .filter(entry -> entry.state() != 'Z')
                .filter(service.processes())
                .toList();
    }

    /// SIGKILL to every process of the service at once; returns when they are gone.
    ///
    /// @throws IllegalStateException when it was not running
    public void kill(LabService service) {
        List<ProcessTable.Entry> victims = processes(service);
        if (victims.isEmpty()) {
            throw new IllegalStateException(service.label() + " does not run on " + name());
        }
        signal(Signal.KILL, victims);
        awaitEnd(service, victims);
    }

    /// Starts the service if it does not run. Returns when the start command has; see [Lab#well] for more.
    public void start(LabService service) {
        start(service, "");
    }

    /// Like [#start(LabService)], with a variable in the environment of agent or controller, such as
    /// `JAVA_TOOL_OPTIONS=…`; empty for none.
    public void start(LabService service, String variable) {
        if (!processes(service).isEmpty()) {
            return;
        }
        var command = new ArrayList<>(service.start(checkout));
        if (service == LabService.CONTROLLER && !Files.exists(folder.resolve("var/lib/understudy/controller"))) {
            command.add("--init"); // only ever at its first start: a lost journal is not an empty one (S22)
        }
        switch (service) {
            case HAPROXY, NGINX, MARIADB -> Commands.run(inside(command)).orThrow();
            case AGENT, CONTROLLER -> {
                if (!variable.isEmpty()) {
                    command.addAll(0, List.of("/usr/bin/env", variable));
                }
                launch(service, command);
            }
        }
    }

    /// Stops it cleanly, as an operator would; returns when it has ended.
    public void stop(LabService service) {
        List<ProcessTable.Entry> running = processes(service);
        if (running.isEmpty()) {
            return;
        }
        switch (service) {
            case HAPROXY, NGINX, MARIADB -> {
                Commands.run(inside(service.stop())).orThrow();
                List<ProcessTable.Entry> starting = processes(service);
                if (!starting.isEmpty()) {
                    // not found by its pid file, which it had not written; a mariadbd that is still starting may hang
                    // at SIGTERM for good
                    signal(Signal.KILL, starting);
                }
            }
            case AGENT, CONTROLLER -> signal(Signal.TERM, running);
        }
        awaitEnd(service, running);
    }

    public void restart(LabService service) {
        stop(service);
        start(service);
    }

    /// Stops the service's processes in their tracks: they live, the kernel takes connections for them, and nobody
    /// answers.
    ///
    /// @throws IllegalStateException when it was not running
    public void hang(LabService service) {
        List<ProcessTable.Entry> victims = processes(service);
        if (victims.isEmpty()) {
            throw new IllegalStateException(service.label() + " does not run on " + name());
        }
        signal(Signal.STOP, victims);
    }

    /// Stops every process of the host in its tracks (its kernel lives on), again until none is left running.
    public void freeze() {
        Waiting.until(name() + " is frozen", END, () -> {
            List<ProcessTable.Entry> running = processes().stream()
                    .filter(entry -> entry.state() != 'T' && entry.state() != 'Z')
                    .toList();
            if (!running.isEmpty()) {
                signal(Signal.STOP, running);
            }
            return running.isEmpty();
        });
    }

    public void thaw() {
        List<ProcessTable.Entry> all = processes();
        if (!all.isEmpty()) {
            signal(Signal.CONT, all);
        }
    }

    /// Freezes the host for this long.
    ///
    /// @return how long it was in fact, from before the first process stopped to after the last one went on
    public Duration stall(Duration length) {
        long begin = System.nanoTime();
        freeze();
        Waiting.pass(length);
        thaw();
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    /// Pulls the plug: every process dies and the kernel's memory is lost (addresses, gates, /run). Disks stay. The
    /// cables go first: a machine without power answers nobody, and least of all without its gate.
    public void powerOff() {
        onLinks("link set %s down");
        List<ProcessTable.Entry> all = processes();
        if (!all.isEmpty()) {
            signal(Signal.KILL, all);
            Waiting.until(
                    name() + " has no process left",
                    END,
                    () -> processes().stream().allMatch(entry -> entry.state() == 'Z'));
        }
        onLinks("addr flush dev %s");
        run("nft", "flush", "ruleset").orThrow();
        run("find", "/run", "-mindepth", "1", "-not", "-type", "d", "-delete").orThrow();
    }

    private void onLinks(String line) {
        var batch = new StringBuilder();
        plan.links()
                .forEach(link ->
                        batch.append(line.formatted(link.networkInterface())).append('\n'));
        run(List.of("ip", "-batch", "-"), batch.toString()).orThrow();
    }

    /// Starts the machine again with its services.
    public void powerOn() {
        configureNetwork();
        if (plan.kind() != Topology.Kind.CLIENT) {
            start(LabService.serverOf(plan.kind()));
        }
        if (LabService.AGENT.runsOn(plan.kind()) && checkout.built()) {
            start(LabService.AGENT);
        }
    }

    /// Fills the disk of the database's data folder to the last byte.
    public void fillDisk() {
        run("dd", "if=/dev/zero", "of=/var/lib/mysql/.filler", "bs=1M");
        run("dd", "if=/dev/zero", "of=/var/lib/mysql/.filler", "bs=1", "oflag=append", "conv=notrunc");
    }

    /// Leaves so much room on the disk of the database's data folder.
    public void fillDiskTo(int mebibytes) {
        run(
                        "sh",
                        "-ec",
                        "free=$(df -B1M --output=avail /var/lib/mysql | tail -1);"
                                + " dd if=/dev/zero of=/var/lib/mysql/.filler bs=1M count=$((free - " + mebibytes
                                + ")) 2>&1")
                .orThrow();
    }

    public void emptyDisk() {
        run("rm", "-f", "/var/lib/mysql/.filler").orThrow();
    }

    /// Gives the interfaces their addresses.
    void configureNetwork() {
        var batch = new StringBuilder();
        plan.links()
                .forEach(link -> batch.append("addr flush dev %1$s\naddr add %2$s/24 dev %1$s\nlink set %1$s up\n"
                        .formatted(link.networkInterface(), link.address())));
        run(List.of("ip", "-batch", "-"), batch.toString()).orThrow();
        run("sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1", "net.ipv4.conf.all.arp_notify=1")
                .orThrow();
    }

    /// A command line that runs the command inside this host.
    List<String> inside(List<String> command) {
        var all = new ArrayList<>(List.of("nsenter", "-t", Long.toString(initPid), "-m", "-n", "-p", "-u", "--"));
        all.addAll(command);
        return all;
    }

    private void launch(LabService service, List<String> command) {
        // a child of the host's first process: nsenter would stop with a frozen child and never reap it
        var detached = new ArrayList<>(List.of("setsid", "--fork"));
        detached.addAll(command);
        var builder = new ProcessBuilder(inside(detached));
        builder.redirectInput(Path.of("/dev/null").toFile());
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(
                folder.resolve("var/log/understudy/" + service.label() + ".log").toFile()));
        Process starter;
        try {
            starter = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start the " + service.label() + " of " + name(), e);
        }
        Waiting.until(
                service.label() + " of " + name() + " runs (see its log in " + folder.resolve("var/log") + ")",
                Duration.ofSeconds(10),
                () -> !processes(service).isEmpty());
        starter.destroyForcibly(); // a freeze at this moment would make it stand still for good
    }

    private static void signal(Signal signal, List<ProcessTable.Entry> processes) {
        processes.forEach(entry -> signal.send(entry.pid()));
    }

    private void awaitEnd(LabService service, List<ProcessTable.Entry> processes) {
        Waiting.until(
                service.label() + " of " + name() + " has ended",
                END,
                () -> processes.stream().noneMatch(entry -> ProcessTable.lives(entry.pid(), entry.startTime())));
    }
}
