package dev.understudy.agent.command;

import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ResourceId;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What one host has to do with one version of the cluster spec. Immutable.
///
/// @param databases the control of each database group of which this host is a member
/// @param balancers the admin socket of each balancer group of which this host is a member
public record Site(
        String host, ClusterSpec spec, Map<String, DatabaseControl> databases, Map<String, RouteControl> balancers) {

    public Site {
        databases = Map.copyOf(databases);
        balancers = Map.copyOf(balancers);
    }

    /// The resources that this host may hold: those of its groups above mode `observe` (DESIGN section 12).
    public Set<ResourceId> mayHold() {
        Set<ResourceId> resources = new LinkedHashSet<>();
        for (ResourceId resource : spec.resources()) {
            spec.group(resource.group())
                    .filter(group -> group.members().contains(host) && group.mode() != Mode.OBSERVE)
                    .ifPresent(_ -> resources.add(resource));
        }
        return resources;
    }

    /// The virtual addresses whose gate this host keeps.
    public Map<ResourceId, VirtualAddress> guarded() {
        Map<ResourceId, VirtualAddress> guarded = new LinkedHashMap<>();
        for (ResourceId resource : mayHold()) {
            spec.addressOf(resource).ifPresent(address -> guarded.put(resource, address));
        }
        return guarded;
    }

    /// The control of the database whose primary role the resource is, if it is here.
    public Optional<DatabaseControl> database(ResourceId resource) {
        return Optional.ofNullable(databases.get(resource.group()));
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
