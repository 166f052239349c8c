package dev.understudy.agent.command;

import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.AddressControl.ServerPort;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ResourceId;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What one host has to do with one version of the cluster spec. Immutable.
///
/// @param databases the control of each database group of which this host is a member
/// @param balancers the admin socket of each balancer group of which this host is a member
/// @param detached resources of which this host was detached: left as they are, it takes no part in them
/// @param found resources whose address was there before any lease: no gate is kept for them until they are adopted
/// @param services the service of each balancer and database group of which this host is a member
public record Site(
        String host,
        ClusterSpec spec,
        Map<String, DatabaseControl> databases,
        Map<String, RouteControl> balancers,
        Map<String, ServiceControl> services,
        Set<ResourceId> detached,
        Set<ResourceId> found) {

    /// A site whose services cannot be started from here.
    public Site(
            String host,
            ClusterSpec spec,
            Map<String, DatabaseControl> databases,
            Map<String, RouteControl> balancers) {
        this(host, spec, databases, balancers, Map.of(), Set.of(), Set.of());
    }

    public Site {
        services = Map.copyOf(services);
        detached = Set.copyOf(detached);
        found = Set.copyOf(found);
        databases = Map.copyOf(databases);
        balancers = Map.copyOf(balancers);
    }

    /// The resources that this host may hold: those of its groups above mode `observe` (DESIGN section 12).
    public Set<ResourceId> mayHold() {
        Set<ResourceId> resources = new LinkedHashSet<>();
        for (ResourceId resource : spec.resources()) {
            spec.group(resource.group())
                    .filter(group -> group.members().contains(host) && group.mode() != Mode.OBSERVE)
                    .filter(_ -> !detached.contains(resource))
                    .ifPresent(_ -> resources.add(resource));
        }
        return resources;
    }

    /// Every resource of this host's groups, whatever their mode.
    public List<ResourceId> concerned() {
        return spec.groupsOf(host).stream()
                .flatMap(group -> spec.resourcesOf(group).stream())
                .toList();
    }

    public Site with(Set<ResourceId> nowDetached, Set<ResourceId> nowFound) {
        return new Site(host, spec, databases, balancers, services, nowDetached, nowFound);
    }

    /// The virtual addresses and database ports whose gate this host keeps.
    public Map<ResourceId, Guard> guarded() {
        Map<ResourceId, Guard> guarded = new LinkedHashMap<>();
        for (ResourceId resource : mayHold()) {
            if (!found.contains(resource)) {
                Guard guard = guard(resource);
                if (guard.address() != null || guard.port() != null) {
                    guarded.put(resource, guard);
                }
            }
        }
        return guarded;
    }

    /// What would be guarded for the resource.
    public Guard guard(ResourceId resource) {
        VirtualAddress address = spec.addressOf(resource).orElse(null);
        ServerPort port =
                resource.isPrimary() && spec.group(resource.group()).orElse(null) instanceof DatabaseGroup database
                        ? new ServerPort(database.port(), peers(database))
                        : null;
        boolean drains = spec.group(resource.group()).orElse(null) instanceof BalancerGroup balancer
                && balancer.drainTime().isPositive();
        return new Guard(address, port, drains);
    }

    /// The other members: replication and comparisons between them go on whoever holds the role (S11).
    private List<String> peers(DatabaseGroup group) {
        return group.members().stream()
                .filter(member -> !member.equals(host))
                .flatMap(member -> spec.host(member).stream())
                .map(ClusterSpec.Host::address)
                .toList();
    }

    /// The control of the database whose primary role the resource is, if it is here.
    public Optional<DatabaseControl> database(ResourceId resource) {
        return resource.isPrimary() ? Optional.ofNullable(databases.get(resource.group())) : Optional.empty();
    }

    public Optional<ServiceControl> service(String group) {
        return Optional.ofNullable(services.get(group));
    }

    public Optional<RouteControl> balancer(String group) {
        return Optional.ofNullable(balancers.get(group));
    }

    /// Why an order for the group's resource is not carried out here, empty if it is.
    public Optional<String> objection(String group) {
        Optional<Group> found = spec.group(group);
        if (found.isEmpty() || !found.get().members().contains(host)) {
            return Optional.of(host + " is no member of a group '" + group + "'");
        }
        if (found.get().mode() == Mode.OBSERVE) {
            return Optional.of("group " + group + " is in mode observe");
        }
        return Optional.empty();
    }
}
