package dev.understudy.lab.story;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Switch.Direction;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Topology.Kind;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// One fault after another on random hosts, chosen by a seed: the same seed gives the same hosts, faults, lengths
/// and pauses. A fault may begin before the last one has ended, but each host has one at a time.
final class Torture {

    /// @param begin what happens
    /// @param end how it is undone
    private record Fault(String what, Consumer<LabHost> begin, Consumer<LabHost> end) {}

    private final Lab lab;
    private final Random random;
    private final List<HostPlan> victims;
    private final Consumer<String> tell;

    /// @param controller whether the controller is among the victims
    Torture(Lab lab, long seed, boolean controller, Consumer<String> tell) {
        this.lab = lab;
        this.random = new Random(seed);
        this.tell = tell;
        victims = Stream.of(
                        Topology.BALANCERS,
                        Topology.DATABASES,
                        controller ? List.of(Topology.CTL1) : List.<HostPlan>of())
                .flatMap(List::stream)
                .toList();
    }

    /// Goes on for this long, then waits until the last fault is undone. Returns how many there were.
    int run(Duration length) {
        long end = System.nanoTime() + length.toNanos();
        int count = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Map<HostPlan, Future<?>> busy = new HashMap<>();
            while (System.nanoTime() < end) {
                HostPlan victim = victims.get(random.nextInt(victims.size()));
                Fault fault = any(victim.kind());
                Duration lasts = millis(100, random.nextBoolean() ? 1_500 : 8_000);
                Duration pause = millis(300, 4_000);
                Future<?> earlier = busy.get(victim);
                if (earlier != null) {
                    await(earlier);
                }
                LabHost host = lab.host(victim);
                tell.accept(victim.name() + ": " + fault.what + " for " + lasts.toMillis() + " ms");
                busy.put(victim, threads.submit(() -> {
                    fault.begin.accept(host);
                    Waiting.pass(lasts);
                    fault.end.accept(host);
                }));
                count++;
                Waiting.pass(pause);
            }
            busy.values().forEach(Torture::await);
        }
        return count;
    }

    private Fault any(Kind kind) {
        return switch (kind) {
            case DATABASE ->
                pick(
                        ofEveryHost(LabService.MARIADB),
                        List.of(new Fault(
                                "a cut from the web hosts",
                                host -> lab.cut(Cut.of(host.name()).from("web1", "web2")),
                                this::heal)));
            case BALANCER -> pick(ofEveryHost(LabService.HAPROXY), List.of());
            case CONTROLLER ->
                pick(
                        List.of(
                                new Fault(
                                        "kill",
                                        host -> kill(host, LabService.CONTROLLER),
                                        host -> host.start(LabService.CONTROLLER)),
                                new Fault("freeze", LabHost::freeze, LabHost::thaw),
                                new Fault("restart", host -> host.restart(LabService.CONTROLLER), _ -> {}),
                                new Fault("a cut", host -> lab.cut(host.name()), this::heal)),
                        List.of());
            case WEB, CLIENT -> throw new IllegalArgumentException("no victim: " + kind);
        };
    }

    private List<Fault> ofEveryHost(LabService service) {
        return List.of(
                new Fault("kill of " + service.label(), host -> kill(host, service), host -> host.start(service)),
                new Fault("clean restart of " + service.label(), host -> host.restart(service), _ -> {}),
                new Fault(
                        "kill of the agent",
                        host -> kill(host, LabService.AGENT),
                        host -> host.start(LabService.AGENT)),
                new Fault("freeze", LabHost::freeze, LabHost::thaw),
                new Fault("a power cut", LabHost::powerOff, LabHost::powerOn),
                new Fault("a cut", host -> lab.cut(host.name()), this::heal),
                new Fault(
                        "a cut of what it hears",
                        host -> lab.cut(Cut.of(host.name()).oneWay(Direction.IN)),
                        this::heal),
                new Fault(
                        "a cut of what it says",
                        host -> lab.cut(Cut.of(host.name()).oneWay(Direction.OUT)),
                        this::heal));
    }

    /// Nothing to kill is no fault of the torture: agents end and start their server too.
    private static void kill(LabHost host, LabService service) {
        try {
            host.kill(service);
        } catch (IllegalStateException notRunning) {
            // it is down already
        }
    }

    private void heal(LabHost host) {
        lab.heal(host.name());
    }

    private Fault pick(List<Fault> some, List<Fault> more) {
        int index = random.nextInt(some.size() + more.size());
        return index < some.size() ? some.get(index) : more.get(index - some.size());
    }

    private Duration millis(int low, int high) {
        return Duration.ofMillis(random.nextInt(low, high));
    }

    private static void await(Future<?> fault) {
        try {
            fault.get(2, TimeUnit.MINUTES);
        } catch (Exception e) {
            throw new IllegalStateException("a fault could not be begun or undone", e);
        }
    }
}
