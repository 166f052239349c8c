package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Topology.Kind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The owner of a running lab: builds it, and takes every trace of it away when closed. The hosts' first processes
/// read from this process and end when it does, so that nothing outlives it even after SIGKILL; only the run folder
/// then stays until the next start or `./demo --clean`.
public final class Site implements AutoCloseable {

    private static final Duration STARTED = Duration.ofSeconds(60);

    private final Options options;
    private final Consumer<String> progress;
    private final RunFolder run;
    private final List<Process> firstProcesses = new ArrayList<>();
    private final Thread hook = new Thread(this::close, "site-close");
    private @Nullable Lab lab;
    private @Nullable PageDoor door;
    private boolean keepFolder;
    private boolean closed;

    /// @param understudy start agents and the controller too, not only the servers
    /// @param databaseDiskMegabytes size of the disk under each database's data
    /// @param cooldown how long a failover counts as recent, as in `cluster.yml`
    public record Options(
            Checkout checkout, String profile, boolean understudy, int databaseDiskMegabytes, String cooldown) {

        public static Options of(Checkout checkout) {
            return new Options(checkout, "standard", true, 512, "60s");
        }

        public Options serversOnly() {
            return new Options(checkout, profile, false, databaseDiskMegabytes, cooldown);
        }

        public Options withProfile(String other) {
            return new Options(checkout, other, understudy, databaseDiskMegabytes, cooldown);
        }

        /// Failovers are never held back because of earlier ones.
        public Options withoutCooldown() {
            return new Options(checkout, profile, understudy, databaseDiskMegabytes, "0s");
        }
    }

    private Site(Options options, Consumer<String> progress) {
        this.options = options;
        this.progress = progress;
        this.run = RunFolder.create();
    }

    /// Builds and starts a whole site. Progress is told in lines.
    ///
    /// @throws IllegalStateException when this is not root, or agents and controller are asked for and not built
    public static Site start(Options options, Consumer<String> progress) {
        requireRoot();
        if (options.understudy() && !options.checkout().built()) {
            throw new IllegalStateException("agent and controller are not built: run `mvn package` in "
                    + options.checkout().root() + " first");
        }
        RunFolder.cleanUp().forEach(progress);
        Site site = new Site(options, progress);
        Runtime.getRuntime().addShutdownHook(site.hook);
        try {
            site.build();
            return site;
        } catch (RuntimeException | Error e) {
            site.keepFolder = true;
            site.close();
            progress.accept("the logs of the failed start are in " + site.run.path());
            throw e;
        }
    }

    public static void requireRoot() {
        if (!"0".equals(Commands.run("id", "-u").output().strip())) {
            throw new IllegalStateException("the lab makes network namespaces: run it as root");
        }
    }

    public Lab lab() {
        if (lab == null) {
            throw new IllegalStateException("the site is not built");
        }
        return lab;
    }

    /// Ends every process and removes the run folder. Also run when the JVM ends. Idempotent.
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (door != null) {
            door.close();
        }
        for (Process process : firstProcesses) {
            try {
                process.getOutputStream().close();
            } catch (IOException e) {
                // it has ended already
            }
        }
        if (keepFolder) {
            Commands.run(
                    "find", run.path().toString(), "-maxdepth", "2", "-name", "etc", "-exec", "rm", "-rf", "{}", "+");
        } else {
            run.remove();
            RunFolder.cleanUp();
        }
        if (!Thread.currentThread().equals(hook)) {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
    }

    private void build() {
        long begin = System.nanoTime();
        Path template = DatabaseTemplate.ready(options.checkout());
        progress.accept("making the hosts: "
                + String.join(" ", Topology.HOSTS.stream().map(HostPlan::name).toList()));
        Path script = extractFirstProcess();
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            Process switchProcess = begin(List.of("unshare", "--net", "--", "sh", "-c", "echo ready; exec cat"));
            run.own(Lab.SWITCH, switchProcess.pid());
            Switch wires = new Switch(switchProcess.pid());
            List<LabHost> hosts = all(workers, Topology.HOSTS, plan -> makeHost(plan, script));
            lab = new Lab(run, wires, hosts);
            wires.build(hosts);
            all(workers, hosts, host -> {
                host.configureNetwork();
                return host;
            });
            progress.accept("starting HAProxy, nginx and MariaDB");
            all(workers, hosts, host -> {
                if (host.plan().kind() == Kind.DATABASE) {
                    host.run("cp", "-a", template + "/.", "/var/lib/mysql/").orThrow();
                }
                if (host.plan().kind() != Kind.CLIENT && host.plan().kind() != Kind.CONTROLLER) {
                    host.start(LabService.serverOf(host.plan().kind()));
                }
                return host;
            });
            all(workers, Topology.DATABASES, plan -> {
                Databases.awaitAnswer(lab().host(plan), STARTED);
                return plan;
            });
            Databases.followFirst(lab());
        }
        openDoor();
        if (options.understudy()) {
            startUnderstudy();
        }
        progress.accept("the site is up after %.1f s".formatted((System.nanoTime() - begin) / 1e9));
    }

    private void startUnderstudy() {
        progress.accept("starting the controller and the agents");
        lab().host(Topology.CTL1).start(LabService.CONTROLLER);
        for (LabHost host : lab().hosts()) {
            if (LabService.AGENT.runsOn(host.plan().kind())) {
                host.start(LabService.AGENT);
            }
        }
    }

    private void openDoor() {
        try {
            door = new PageDoor(
                    lab().host(Topology.CTL1).network(), Topology.CONTROLLER_PORT, Topology.CONTROLLER_PORT);
            run.set(Lab.PAGE_PORT, Integer.toString(door.port()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private LabHost makeHost(HostPlan plan, Path script) {
        Path folder = run.host(plan.name());
        ServerFiles.write(plan, folder, options);
        Process outer = begin(List.of(
                "setsid",
                "unshare",
                "--net",
                "--mount",
                "--pid",
                "--uts",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--",
                script.toString(),
                plan.name(),
                folder.toString(),
                Integer.toString(plan.kind() == Kind.DATABASE ? options.databaseDiskMegabytes() : 0),
                options.checkout().root().toString(),
                System.getProperty("java.home")));
        long first = outer.descendants()
                .filter(child -> child.info().commandLine().orElse("").contains(script.toString()))
                .map(ProcessHandle::pid)
                .reduce((_, last) -> last)
                .orElseThrow(() -> new IllegalStateException("the first process of " + plan.name() + " is missing"));
        run.own(plan.name(), first);
        return new LabHost(plan, first, folder, options.checkout());
    }

    /// Starts a process that says `ready` and then lives as long as its standard input.
    private Process begin(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            synchronized (firstProcesses) {
                firstProcesses.add(process);
            }
            var out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            String line = out.readLine();
            if (!"ready".equals(line)) {
                throw new IllegalStateException("`" + String.join(" ", command) + "` said: " + line);
            }
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path extractFirstProcess() {
        try (InputStream in = Site.class.getResourceAsStream("host-init")) {
            if (in == null) {
                throw new IllegalStateException("the lab's jar lacks host-init");
            }
            Path script = run.path().resolve("host-init");
            Files.copy(in, script);
            Commands.run("chmod", "755", script.toString()).orThrow();
            return script;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private interface Work<A, B> {
        B on(A subject);
    }

    private static <A, B> List<B> all(ExecutorService workers, List<A> subjects, Work<A, B> work) {
        List<Future<B>> running = subjects.stream()
                .map(subject -> workers.submit((Callable<B>) () -> work.on(subject)))
                .toList();
        var results = new ArrayList<B>();
        for (Future<B> future : running) {
            try {
                results.add(future.get());
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }
        return results;
    }
}
