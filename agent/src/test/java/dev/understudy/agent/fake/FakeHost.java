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
import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A host in memory: a kernel that enforces deadlines, services that can crash, a database that is open or not. What
/// was done to it stands in [#acts], in order.
public final class FakeHost implements Parts {

    public final List<String> acts = new CopyOnWriteArrayList<>();
    public final Kernel kernel = new Kernel();
    public volatile boolean databaseReadOnly = true;
    public volatile boolean databaseFollows;
    public volatile Outcome followOutcome = Outcome.Done.withoutFacts();
    public volatile Outcome gateOutcome = Outcome.Done.withoutFacts();
    public volatile Outcome takeOutcome = Outcome.Done.withoutFacts();
    public volatile Outcome fenceOutcome = Outcome.Done.withoutFacts();
    public volatile CountDownLatch held = new CountDownLatch(0);
    /// Looks at the database see what is there and answer when this is open.
    public volatile CountDownLatch lookHeld = new CountDownLatch(0);
    public final AtomicInteger looksHeld = new AtomicInteger();
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
        public final Set<ResourceId> up = ConcurrentHashMap.newKeySet();
        public final Set<ResourceId> draining = ConcurrentHashMap.newKeySet();
        public final Set<ResourceId> reading = ConcurrentHashMap.newKeySet();
        public volatile Map<ResourceId, Guard> guarded = Map.of();
        public volatile Enforcement enforcement = new Enforcement(true, "");
        public final AtomicInteger told = new AtomicInteger();
        /// Whether reads were let in after the last opening of a gate.
        public volatile boolean everOpenedSince;

        @Override
        public void guard(Map<ResourceId, Guard> guards, TimingProfile timing) {
            guarded = Map.copyOf(guards);
        }

        @Override
        public Enforcement enforcement(Guard guard, TimingProfile timing) {
            return enforcement;
        }

        @Override
        public Outcome open(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease) {
            if (!lease.live()) {
                return new Outcome.Refused("lease", "not live");
            }
            if (gateOutcome instanceof Outcome.Done) {
                reading.remove(resource);
                elements.put(resource, new Element(epoch, deadline));
                everOpenedSince = false;
                acts.add("gate " + resource + " " + epoch);
            }
            return gateOutcome;
        }

        @Override
        public Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease, @Nullable Giver giver) {
            if (!lease.live()) {
                return new Outcome.Refused("lease", "not live");
            }
            if (takeOutcome instanceof Outcome.Done) {
                reading.remove(resource);
                up.add(resource);
                elements.put(resource, new Element(epoch, deadline));
                acts.add("take " + resource + " " + epoch);
                giver(giver);
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
        public Outcome release(ResourceId resource, Duration drain) {
            reading.remove(resource);
            up.remove(resource);
            if (elements.remove(resource) != null) {
                acts.add("remove " + resource);
                if (drain.isPositive()) {
                    draining.add(resource);
                    up.add(resource);
                    acts.add("drain " + resource + " " + drain.toMillis());
                    return new Outcome.Done(new Giver("192.0.2.11", "02:00:00:00:00:01", drain.toMillis()).facts());
                }
            }
            draining.remove(resource);
            return Outcome.Done.withoutFacts();
        }

        private void giver(@Nullable Giver giver) {
            if (giver != null) {
                acts.add("forward to " + giver.address());
            }
        }

        @Override
        public Optional<Duration> draining(ResourceId resource) {
            return draining.contains(resource) ? Optional.of(Duration.ofSeconds(30)) : Optional.empty();
        }

        @Override
        public List<String> drains() {
            return List.of();
        }

        @Override
        public void keep(ResourceId resource) {
            acts.add("keep " + resource);
        }

        @Override
        public Outcome detach(ResourceId resource, @Nullable VirtualAddress address) {
            acts.add("detach " + resource);
            elements.remove(resource);
            return Outcome.Done.withoutFacts();
        }

        @Override
        public Outcome letRead(ResourceId resource, boolean allowed) {
            told.incrementAndGet();
            if (allowed) {
                reading.add(resource);
                everOpenedSince = true;
            } else {
                reading.remove(resource);
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
            return up.contains(resource);
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
    public AutoCloseable probeGateway(
            ResourceId resource,
            dev.understudy.protocol.ClusterSpec.VirtualAddress address,
            String gateway,
            Duration interval,
            ObservationSink sink) {
        return () -> {};
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
                acts.add("start " + name);
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
                Observation.Database seen = new Observation.Database(
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
                        databaseFollows ? new Observation.Replica("10.0.0.12", "Yes", "Yes", "", 0, 0, 0, "") : null,
                        List.of(),
                        "",
                        null);
                try {
                    if (lookHeld.getCount() > 0) {
                        looksHeld.incrementAndGet();
                    }
                    lookHeld.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return seen;
            }

            @Override
            public void beat(long epoch, LeaseCheck lease) {}

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
                    case Command.Follow _ -> followOutcome;
                    case Command.CatchUp wait -> {
                        try {
                            yield held.await(wait.timeoutMillis(), TimeUnit.MILLISECONDS)
                                    ? Outcome.Done.withoutFacts()
                                    : new Outcome.Failed("time is over");
                        } catch (InterruptedException e) {
                            yield new Outcome.Unknown("interrupted");
                        }
                    }
                    case Command.RestartService _,
                            Command.Detach _,
                            Command.Attach _,
                            Command.TakeAddress _,
                            Command.CutReceiver _,
                            Command.Stage _,
                            Command.BlockWrites _,
                            Command.UnblockWrites _,
                            Command.CloseEpoch _,
                            Command.ReachPosition _,
                            Command.ShutOut _,
                            Command.LetIn _,
                            Command.OfferCopy _,
                            Command.ReceiveCopy _,
                            Command.AdoptCopy _,
                            Command.EndCopy _,
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
