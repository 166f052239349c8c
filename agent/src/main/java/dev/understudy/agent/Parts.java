package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.probe.ObservationSink;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Optional;

/// The parts that look at and act on the real host, made in one place. Each call makes a new one, which its caller
/// closes; [#addresses] is the process's only one.
public interface Parts {

    AddressControl addresses();

    ServiceControl service(String name);

    /// Empty if agent.yml has no access to the group's database.
    Optional<DatabaseControl> database(DatabaseGroup group, ServiceControl service);

    RouteControl balancer(BalancerGroup group);

    /// Looks at HAProxy and publishes until it is closed.
    AutoCloseable probeBalancer(BalancerGroup group, ServiceControl service, Duration interval, ObservationSink sink);

    AutoCloseable probeWeb(WebGroup group, ClusterSpec.Host self, Duration interval, ObservationSink sink);

    AutoCloseable probeHost(ObservationSink sink);

    /// Asks for the gateway of the address again and again and publishes what comes back, until it is closed.
    AutoCloseable probeGateway(
            ResourceId resource, VirtualAddress address, String gateway, Duration interval, ObservationSink sink);

    /// Whether the interface of the address has a carrier.
    boolean carrier(ResourceId resource);
}
