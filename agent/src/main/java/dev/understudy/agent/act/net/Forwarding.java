package dev.understudy.agent.act.net;

import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Moment;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Packets to an address that this host took in a planned move, of flows that nobody knows here, go on to the host
/// that drains the address (S13). It is a rule for exactly that address in a table of its own: a copy of the packet
/// goes to the giver's address (nft's `dup`, with a lower hop limit), the packet itself is dropped. No routing, no
/// forwarding and no system setting is changed, so there is nothing that a dead agent could leave behind: the rule
/// matches a set whose element ends by itself, and an absolute deadline beside it. Then, and in any take without a
/// giver, such flows get a reset from the host itself.
///
/// What came from the giver's own link is never sent back: two hosts cannot pass a packet to and fro.
///
/// Not thread-safe; [KernelAddressControl] calls it under its lock.
final class Forwarding {

    private static final Logger LOG = LoggerFactory.getLogger(Forwarding.class);

    private final GateKeeper keeper;
    private final Rtnetlink links;
    private final Supplier<Moment> clock;
    private final Map<InetAddress, Moment> ends = new HashMap<>();
    private boolean cleaned;
    private boolean tables; // whether there are any to take away

    Forwarding(GateKeeper keeper, Rtnetlink links, Supplier<Moment> clock) {
        this.keeper = keeper;
        this.links = links;
        this.clock = clock;
    }

    /// What an earlier life of this agent left: it would end by itself.
    void clean() {
        if (!cleaned && keeper.proven()) {
            try {
                keeper.gate().forwardNothing();
                cleaned = true;
            } catch (IOException e) {
                LOG.warn("event=forwarding-not-cleaned reason=\"{}\"", e.getMessage());
            }
        }
    }

    /// @return why nothing is forwarded, empty if it is
    Optional<String> begin(GuardedAddress address, Giver giver) throws IOException {
        if (!keeper.stands() || !keeper.drains()) {
            return Optional.of(keeper.stands() ? keeper.drainDetail() : "the gate does not stand");
        }
        InetAddress to;
        try {
            to = InetAddress.ofLiteral(giver.address());
        } catch (IllegalArgumentException e) {
            return Optional.of("not an address: " + giver.address());
        }
        Optional<Rtnetlink.Link> link = address.link();
        if (!giver.link().matches("[0-9a-f]{2}(:[0-9a-f]{2}){5}")
                || (to instanceof Inet4Address) != (address.address() instanceof Inet4Address)) {
            return Optional.of("not a neighbour: " + giver.address() + " " + giver.link());
        }
        if (link.isEmpty() || !OwnAddress.near(links.addresses(link.get().index()), to)) {
            return Optional.of(
                    giver.address() + " is in no network of " + address.spec().networkInterface());
        }
        Moment end = clock.get().plus(java.time.Duration.ofMillis(giver.millis()));
        keeper.gate()
                .forward(
                        new GateTarget.Address(address.address(), true),
                        to,
                        giver.link(),
                        address.spec().networkInterface(),
                        end);
        tables = true;
        ends.put(address.address(), end);
        LOG.info("event=forwarding address={} to={} millis={}", address.spec().ip(), giver.address(), giver.millis());
        return Optional.empty();
    }

    void end(InetAddress address) throws IOException {
        if (ends.containsKey(address)) {
            keeper.gate().forwardNoMore(new GateTarget.Address(address, true));
            ends.remove(address);
            LOG.info("event=forwarding-ended address={}", address.getHostAddress());
        }
    }

    /// Takes away the rules whose time is over, and with the last one the tables; they match nothing any more.
    void sweep() {
        endThoseThatAreOver();
        if (ends.isEmpty() && tables) {
            try {
                keeper.gate().forwardNothing();
                tables = false;
            } catch (IOException e) {
                LOG.warn("event=forwarding-not-cleaned reason=\"{}\"", e.getMessage());
            }
        }
    }

    private void endThoseThatAreOver() {
        for (Map.Entry<InetAddress, Moment> entry : List.copyOf(ends.entrySet())) {
            if (!clock.get().isBefore(entry.getValue())) {
                try {
                    end(entry.getKey());
                } catch (IOException e) {
                    LOG.warn(
                            "event=forwarding-not-ended address={} reason=\"{}\"",
                            entry.getKey().getHostAddress(),
                            e.getMessage());
                }
            }
        }
    }
}
