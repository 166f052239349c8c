package dev.understudy.agent.act.net;

import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.AddressControl.ServerPort;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A guarded resource: its address on an interface, if one goes with it, and what its gate is made of.
record Guarded(Guard spec, @Nullable GuardedAddress address, GateTarget.@Nullable Port port, List<GateTarget> targets) {

    private static final Logger LOG = LoggerFactory.getLogger(Guarded.class);

    Guarded {
        targets = List.copyOf(targets);
    }

    /// @param canDrain whether this kernel can
    static Guarded of(Guard spec, Rtnetlink links, boolean canDrain) {
        List<GateTarget> targets = new ArrayList<>();
        VirtualAddress virtual = spec.address();
        GuardedAddress address = virtual == null ? null : new GuardedAddress(virtual, links);
        if (address != null) {
            targets.add(new GateTarget.Address(address.address(), spec.drains() && canDrain));
        }
        ServerPort server = spec.port();
        GateTarget.Port port = server == null ? null : new GateTarget.Port(server.number(), literals(server.peers()));
        if (port != null) {
            targets.add(port);
        }
        return new Guarded(spec, address, port, targets);
    }

    /// A member that the spec names by a host name is not exempt: names are not looked up under a gate.
    private static List<InetAddress> literals(List<String> peers) {
        List<InetAddress> addresses = new ArrayList<>();
        for (String peer : peers) {
            try {
                addresses.add(InetAddress.ofLiteral(peer));
            } catch (IllegalArgumentException e) {
                LOG.warn("event=peer-not-exempt peer={} reason=\"not a literal address\"", peer);
            }
        }
        return addresses;
    }
}
