package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.AddressControl.Enforcement;
import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.command.DatabaseLooks;
import dev.understudy.agent.command.Site;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.agent.link.Observations;
import dev.understudy.agent.metrics.UnitFigures;
import dev.understudy.agent.peer.Eyes;
import dev.understudy.agent.peer.Targets;
import dev.understudy.agent.probe.BackupLook;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import dev.understudy.protocol.TimingProfile;
import dev.understudy.wire.metrics.Family;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Builds and rebuilds what looks at this host as the spec says: services, databases, probes. A part whose part of
/// the spec did not change is kept. When a service ends, the resources that it carries are fenced at once.
///
/// Confined to the agent's configuration thread, apart from [#look] and the services' listeners.
final class HostWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(HostWatch.class);
    private static final Duration GATEWAY = Duration.ofMillis(500);
    private static final Duration BACKUP = Duration.ofSeconds(10);
    private static final Duration SLOWEST = Duration.ofSeconds(1);

    private final String host;
    private final Parts parts;
    private final AddressControl addresses;
    private final LeaseKeeper keeper;
    private final Observations observations;
    private final Eyes eyes;
    private final Ports ports;
    private Map<Object, AutoCloseable> made = new LinkedHashMap<>();
    private final DatabaseLooks looks;
    private volatile Map<ResourceId, Guard> guarded = Map.of();
    private volatile @Nullable Site seen;
    private volatile TimingProfile timing = TimingProfile.STANDARD;
    private volatile Map<String, DatabaseControl> databases = Map.of();

    /// What a part is made from: an equal key keeps the part.
    private record Key(String kind, Object from, Duration interval) {}

    private record DatabaseFrom(String name, String engine, int port, String service, ClusterSpec.MinFree full) {}

    /// The ports that every agent of the cluster uses. Asked for once this agent listens.
    interface Ports {
        int peer();

        int status();
    }

    /// @param looks hears what is seen of database servers
    HostWatch(
            String host,
            Parts parts,
            AddressControl addresses,
            LeaseKeeper keeper,
            Observations observations,
            DatabaseLooks looks,
            Eyes eyes,
            Ports ports) {
        this.host = host;
        this.parts = parts;
        this.addresses = addresses;
        this.keeper = keeper;
        this.observations = observations;
        this.eyes = eyes;
        this.ports = ports;
        this.looks = looks;
    }

    /// Makes everything that the spec asks for on this host and ends what it no longer asks for.
    ///
    /// @param detached resources of which this host was detached
    /// @param found resources whose address was there before any lease
    Site configure(ClusterSpec spec, Set<ResourceId> detached, Set<ResourceId> found) {
        Map<Object, AutoCloseable> old = made;
        Map<Object, AutoCloseable> next = new LinkedHashMap<>();
        Duration interval = interval(spec);
        Map<String, DatabaseControl> databaseControls = new HashMap<>();
        Map<String, RouteControl> balancers = new HashMap<>();
        Map<String, ServiceControl> services = new HashMap<>();
        part(old, next, new Key("host", host, Duration.ZERO), () -> parts.probeHost(observations));
        for (Group group : spec.groupsOf(host)) {
            switch (group) {
                case BalancerGroup balancer -> {
                    ServiceControl service =
                            service(old, next, balancer.haproxy().service(), balancer);
                    services.put(balancer.name(), service);
                    balancers.put(balancer.name(), parts.balancer(balancer));
                    part(
                            old,
                            next,
                            new Key("probe", balancer.haproxy(), interval),
                            () -> parts.probeBalancer(balancer, service, interval, observations));
                }
                case DatabaseGroup database -> {
                    ServiceControl service = service(old, next, database.service(), database);
                    services.put(database.name(), service);
                    DatabaseFrom from = new DatabaseFrom(
                            database.name(), database.engine(), database.port(), database.service(), database.full());
                    DatabaseWatch watch = part(
                            old,
                            next,
                            new Key("database", from, interval),
                            () -> new DatabaseWatch(
                                    database.name(),
                                    parts.database(database, service),
                                    interval,
                                    control -> {
                                        observations.publish(observe(database.name(), control));
                                        Observation.Data data = control.data();
                                        if (data != null) {
                                            observations.publish(data);
                                        }
                                    },
                                    control -> beat(database.name(), control)));
                    ClusterSpec.Backup backup = database.backup();
                    if (backup != null) {
                        BackupLook look = new BackupLook(database.name(), backup.glob());
                        part(
                                old,
                                next,
                                new Key("backup", look, BACKUP),
                                () -> new Repeated(
                                        "backup " + database.name(),
                                        BACKUP,
                                        () -> observations.publish(look.look(Instant.now()))));
                    }
                    watch.control().ifPresent(control -> databaseControls.put(database.name(), control));
                }
                case WebGroup web ->
                    spec.host(host)
                            .ifPresent(self -> part(
                                    old,
                                    next,
                                    new Key("web", web, interval),
                                    () -> parts.probeWeb(web, self, interval, observations)));
            }
        }
        Site site = new Site(host, spec, databaseControls, balancers, services, detached, found);
        seen = site;
        guarded = site.guarded();
        timing = spec.timing();
        databases = site.databases();
        part(
                old,
                next,
                new Key("addresses", guarded, interval),
                () -> new Repeated("addresses", interval, () -> site.concerned().forEach(this::publishAddress)));
        others(old, next, spec, interval);
        made = next;
        old.forEach((key, part) -> {
            if (!next.containsKey(key)) {
                close(part);
            }
        });
        observations.retain(observation -> lookedAt(observation, spec, site));
        return site;
    }

    private void publishAddress(ResourceId resource) {
        Site site = seen;
        if (site != null && site.spec().addressOf(resource).isPresent()) {
            observations.publish(address(resource));
        }
    }

    /// Other hosts, and the addresses as clients see them.
    private void others(
            Map<Object, AutoCloseable> old, Map<Object, AutoCloseable> next, ClusterSpec spec, Duration interval) {
        spec.resources().stream()
                .filter(resource -> memberOf(spec, resource.group()))
                .forEach(resource -> spec.addressOf(resource).ifPresent(address -> {
                    String gateway = address.gateway();
                    if (gateway != null) {
                        part(
                                old,
                                next,
                                new Key("gateway " + resource, address, GATEWAY),
                                () -> parts.probeGateway(resource, address, gateway, GATEWAY, observations));
                    }
                }));
        List<Targets.Peer> peers = Targets.peers(spec, host);
        part(
                old,
                next,
                new Key("peers", peers, interval),
                () -> eyes.peers(peers, ports.peer(), spec.timing(), observations));
        List<Targets.Path> paths = Targets.paths(spec, host, ports.status());
        part(old, next, new Key("paths", paths, interval), () -> eyes.paths(paths, interval, this::own, observations));
    }

    /// Whether packets to the resource's address would not leave this host.
    private boolean own(ResourceId resource) {
        return keeper.heldNow(resource) != null || present(resource);
    }

    /// What the servers on this host count, and the states of their services, for Prometheus. Of several database
    /// groups the first one's: its names have no room for another. Any thread; up to a second.
    List<Family> figures() {
        Site site = seen;
        if (site == null) {
            return List.of();
        }
        Map<String, ServiceState> units = new LinkedHashMap<>();
        List<Family> all = new ArrayList<>();
        for (Group group : site.spec().groupsOf(host)) {
            site.service(group.name()).ifPresent(service -> units.put(unit(group), service.state()));
            DatabaseControl database = databases.get(group.name());
            if (database != null && all.isEmpty()) {
                all.addAll(database.figures());
            }
        }
        all.add(UnitFigures.of(units));
        return all;
    }

    private static String unit(Group group) {
        return switch (group) {
            case BalancerGroup balancer -> balancer.haproxy().service();
            case DatabaseGroup database -> database.service();
            case WebGroup web -> web.name();
        };
    }

    /// Looks again at what goes with the resource, publishes and returns it. Any thread; up to a second.
    List<Observation> look(ResourceId resource) {
        List<Observation> seen = new ArrayList<>();
        if (guarded.containsKey(resource)) {
            seen.add(address(resource));
        }
        DatabaseControl database = databases.get(resource.group());
        if (database != null) {
            seen.add(observe(resource.group(), database));
        }
        seen.forEach(observations::publish);
        return seen;
    }

    @Override
    public void close() {
        made.values().forEach(HostWatch::close);
        made = new LinkedHashMap<>();
    }

    private ServiceControl service(
            Map<Object, AutoCloseable> old, Map<Object, AutoCloseable> next, String name, Group group) {
        return part(old, next, new Key("service", name, Duration.ZERO), () -> {
            ServiceControl control = parts.service(name);
            control.watch(state -> serviceChanged(group, state));
            return control;
        });
    }

    /// The service's process began or ended. A crash of what a held resource needs gives the resource up at once,
    /// and the heartbeat that follows says so; a clean stop of a database keeps the lease of its primary role, for
    /// the controller to decide, and not that of its reader address.
    /// What is seen of HAProxy then is published by its own probe.
    private void serviceChanged(Group group, ServiceState state) {
        LOG.info("event=service group={} state={}", group.name(), state);
        if (state == ServiceState.ENDED || state == ServiceState.STOPPED) {
            keeper.heldNow().stream()
                    .filter(lease -> lease.resource().group().equals(group.name()))
                    .filter(lease ->
                            state == ServiceState.ENDED || !lease.resource().isPrimary())
                    .forEach(lease -> keeper.fence(lease.resource(), lease.epoch(), "service-" + state));
        }
        DatabaseControl database = databases.get(group.name());
        if (database != null && (state == ServiceState.ENDED || state == ServiceState.STOPPED)) {
            observations.publishNow(observe(group.name(), database));
        }
    }

    private Observation.Database observe(String group, DatabaseControl database) {
        ResourceId primary = ResourceId.primary(group);
        long before = looks.beforeLook(primary);
        Observation.Database seen = database.observe();
        looks.looked(primary, before, seen);
        database.settings(Duration.ZERO).ifPresent(observations::publish);
        return seen;
    }

    private void beat(String group, DatabaseControl database) {
        ResourceId primary = ResourceId.primary(group);
        Lease lease = keeper.heldNow(primary);
        if (lease == null) {
            database.beat(0, () -> false);
        } else {
            database.beat(lease.epoch(), keeper.check(primary, lease.epoch()));
        }
    }

    /// Also where no gate is kept: in mode observe, detached, or found and not adopted yet.
    private boolean present(ResourceId resource) {
        Site site = seen;
        return guarded.containsKey(resource)
                ? addresses.present(resource)
                : site != null
                        && site.spec()
                                .addressOf(resource)
                                .map(HostAddresses::present)
                                .orElse(false);
    }

    private Observation.Address address(ResourceId resource) {
        Site site = seen;
        Enforcement enforcement = site == null
                ? new Enforcement(false, "no longer guarded")
                : addresses.enforcement(site.guard(resource), timing);
        boolean drains = addresses.draining(resource).isPresent(); // draining is not holding (S13)
        return new Observation.Address(
                resource,
                present(resource) && !drains,
                !guarded.containsKey(resource) || parts.carrier(resource),
                enforcement.enforced(),
                drains ? (enforcement.detail() + " draining").strip() : enforcement.detail());
    }

    private boolean lookedAt(Observation observation, ClusterSpec spec, Site site) {
        return switch (observation) {
            case Observation.HostBasics _ -> true;
            case Observation.Address a -> site.concerned().contains(a.resource());
            case Observation.Balancer b -> memberOf(spec, b.group());
            case Observation.Database d -> memberOf(spec, d.group());
            case Observation.Settings s -> memberOf(spec, s.group());
            case Observation.Data d -> memberOf(spec, d.group());
            case Observation.Backup b -> memberOf(spec, b.group()) && backups(spec, b.group());
            case Observation.Web w -> memberOf(spec, w.group());
            case Observation.Attachment a -> memberOf(spec, a.resource().group());
            case Observation.Gateway g -> memberOf(spec, g.resource().group());
            case Observation.Peer p ->
                Targets.peers(spec, host).stream().anyMatch(t -> t.host().name().equals(p.host()));
            case Observation.Path p ->
                Targets.paths(spec, host, ports.status()).stream()
                        .anyMatch(t -> t.resource().equals(p.resource()));
        };
    }

    private static boolean backups(ClusterSpec spec, String group) {
        return spec.group(group).orElseThrow() instanceof DatabaseGroup database && database.backup() != null;
    }

    private boolean memberOf(ClusterSpec spec, String group) {
        return spec.group(group).filter(g -> g.members().contains(host)).isPresent();
    }

    private static Duration interval(ClusterSpec spec) {
        Duration look = spec.timing().look(true);
        return look.compareTo(SLOWEST) > 0 ? SLOWEST : look;
    }

    @SuppressWarnings("unchecked") // a key is only ever used with one type of part
    private static <T extends AutoCloseable> T part(
            Map<Object, AutoCloseable> old, Map<Object, AutoCloseable> next, Key key, Supplier<T> maker) {
        T part = (T) next.get(key);
        if (part == null) {
            part = (T) old.get(key);
        }
        if (part == null) {
            part = maker.get();
        }
        next.put(key, part);
        return part;
    }

    private static void close(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.warn("event=close-failed part={} reason=\"{}\"", part.getClass().getSimpleName(), e.toString());
        }
    }
}
