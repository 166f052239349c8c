package dev.understudy.lab.site;

import dev.understudy.lab.site.Switch.Direction;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Topology.Network;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// A cut of one host's cables, written as it is read: `Cut.of("db1").oneWay(IN).from("ctl1")`.
///
/// @param from the hosts that it is cut off from; empty means everybody
public record Cut(HostPlan host, Direction direction, Set<Network> networks, List<HostPlan> from) {

    public Cut {
        networks = Set.copyOf(networks);
        from = List.copyOf(from);
    }

    /// The host is cut off from everybody, on all its networks, both ways.
    public static Cut of(String host) {
        return new Cut(Topology.host(host), Direction.BOTH, EnumSet.allOf(Network.class), List.of());
    }

    public Cut oneWay(Direction only) {
        return new Cut(host, only, networks, from);
    }

    public Cut on(Network only) {
        return new Cut(host, direction, Set.of(only), from);
    }

    public Cut from(String... others) {
        return new Cut(
                host,
                direction,
                networks,
                List.of(others).stream().map(Topology::host).toList());
    }

    @Override
    public String toString() {
        var text = new StringBuilder(host.name());
        if (direction != Direction.BOTH) {
            text.append(" one way (")
                    .append(direction == Direction.IN ? "hears nothing" : "is not heard")
                    .append(')');
        }
        if (networks.size() == 1) {
            text.append(" on the ").append(networks.iterator().next().bridge());
        }
        if (!from.isEmpty()) {
            text.append(" from ")
                    .append(String.join(" ", from.stream().map(HostPlan::name).toList()));
        }
        return text.toString();
    }
}
