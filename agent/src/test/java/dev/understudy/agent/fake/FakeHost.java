package dev.understudy.agent.fake;

import dev.understudy.agent.Parts;
import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.probe.ObservationSink;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// A host in memory: a kernel that enforces deadlines, services that can crash, a database that is open or not. What
/// was done to it stands in [#acts], in order.
public final class FakeHost implements Parts {

    public final List<String> acts = new CopyOnWriteArrayList<>();
    public final Kernel kernel = new Kernel();
    public volatile boolean databaseReadOnly = true;
    public volatile Outcome takeOutcome = Outcome.Done.withoutFacts();
    public volatile Outcome fenceOutcome = Outcome.Done.withoutFacts();
    public volatile CountDownLatch held = new CountDownLatch(0);
    private final Map<String, List<Consumer<ServiceState>>> watchers = new ConcurrentHashMap<>();
    private final Map<String, ServiceState> services = new ConcurrentHashMap<>();

    public record Element(long epoch, Moment deadline) {}

    private static Moment now() {
        return new Moment(System.nanoTime());
    }

    public void service(String name, ServiceState state) {
        services.put(name, state);
        watchers.getOrDefault(name, List.of()).forEach(w -> w.accept(state));
    }

    /// Survives the agents that use it.
    public final class Kernel implements AddressControl {
        public final Map<ResourceId, Element> elements = new ConcurrentHashMap<>();
        public volatile Map<ResourceId, VirtualAddress> guarded = Map.of();

        @Override
        public void guard(Map<ResourceId, VirtualAddress> addresses) {
            guarded = Map.copyOf(addresses);
        }

        @Override
        public Enforcement enforcement() {
            return new Enforcement(true, "");
        }

        @Override
        public Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease) {
            if (!lease.live()) {
                return new Outcome.Refused("lease", "not live");
            }
            if (takeOutcome instanceof Outcome.Done) {
                elements.put(resource, new Element(epoch, deadline));
                acts.add("take " + resource + " " + epoch);
            }
            return takeOutcome;
        }

        @Override
        public boolean renew(ResourceId resource, long epoch, Moment deadline) {
            Element element = elements.computeIfPresent(
                    resource, (_, e) -> e.deadline().isBefore(now()) ? e : new Element(epoch, deadline));
            return element != null && now().isBefore(element.deadline());
        }

        @Override
        public Outcome release(ResourceId resource) {
            if (elements.remove(resource) != null) {
                acts.add("remove " + resource);
            }
            return Outcome.Done.withoutFacts();
        }

        @Override
        public Optional<Duration> remaining(ResourceId resource, long epoch) {
            return Optional.ofNullable(elements.get(resource))
                    .filter(e -> e.epoch() == epoch && now().isBefore(e.deadline()))
                    .map(e -> e.deadline().since(now()));
        }

        @Override
        public boolean present(ResourceId resource) {
            return elements.containsKey(resource);
        }

        @Override
        public void announce(ResourceId resource) {}

        @Override
        public void close() {}
    }

    @Override
    public AddressControl addresses() {
        return kernel;
    }

    @Override
    public boolean carrier(ResourceId resource) {
        return true;
    }

    @Override
    public ServiceControl service(String name) {
        return new ServiceControl() {
            @Override
            public Outcome start() {
                return Outcome.Done.withoutFacts();
            }

            @Override
            public Outcome stop() {
                return Outcome.Done.withoutFacts();
            }

            @Override
            public Outcome kill() {
                return Outcome.Done.withoutFacts();
            }

            @Override
            public ServiceState state() {
                return services.getOrDefault(name, ServiceState.RUNNING);
            }

            @Override
            public long mainPid() {
                return 1;
            }

            @Override
            public void watch(Consumer<ServiceState> listener) {
                watchers.computeIfAbsent(name, _ -> new CopyOnWriteArrayList<>())
                        .add(listener);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Optional<DatabaseControl> database(DatabaseGroup group, ServiceControl service) {
        return Optional.of(new DatabaseControl() {
            @Override
            public Observation.Database observe() {
                boolean up = service.state() == ServiceState.RUNNING;
                return new Observation.Database(
                        group.name(),
                        service.state(),
                        up ? Health.UP : Health.DOWN,
                        "fake",
                        1,
                        "start",
                        up ? databaseReadOnly : null,
                        "",
                        "",
                        false,
                        false,
                        0,
                        null,
                        "");
            }

            @Override
            public Outcome execute(Command command, LeaseCheck lease) {
                acts.add(command.verb() + " " + command.epoch());
                return switch (command) {
                    case Command.OpenWrites _ -> {
                        databaseReadOnly = !lease.live();
                        yield databaseReadOnly ? new Outcome.Refused("lease", "not live") : Outcome.Done.withoutFacts();
                    }
                    case Command.Release _ -> {
                        databaseReadOnly = fenceOutcome instanceof Outcome.Done || databaseReadOnly;
                        yield fenceOutcome;
                    }
                    case Command.CatchUp wait -> {
                        try {
                            yield held.await(wait.timeoutMillis(), TimeUnit.MILLISECONDS)
                                    ? Outcome.Done.withoutFacts()
                                    : new Outcome.Failed("time is over");
                        } catch (InterruptedException e) {
                            yield new Outcome.Unknown("interrupted");
                        }
                    }
                    case Command.TakeAddress _,
                            Command.CutReceiver _,
                            Command.Stage _,
                            Command.Follow _,
                            Command.BlockWrites _,
                            Command.UnblockWrites _,
                            Command.ReachPosition _,
                            Command.SetServerState _ -> Outcome.Done.withoutFacts();
                };
            }

            @Override
            public void close() {}
        });
    }

    @Override
    public RouteControl balancer(BalancerGroup group) {
        return (backend, server, state) -> {
            acts.add("set " + backend + "/" + server + " " + state);
            return Outcome.Done.withoutFacts();
        };
    }

    @Override
    public AutoCloseable probeBalancer(
            BalancerGroup group, ServiceControl service, Duration interval, ObservationSink sink) {
        return () -> {};
    }

    @Override
    public AutoCloseable probeWeb(WebGroup group, Host self, Duration interval, ObservationSink sink) {
        return () -> {};
    }

    @Override
    public AutoCloseable probeHost(ObservationSink sink) {
        sink.publish(new Observation.HostBasics("boot", 0, 0, 0));
        return () -> {};
    }
}
