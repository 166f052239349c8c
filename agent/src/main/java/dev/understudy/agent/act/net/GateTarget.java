package dev.understudy.agent.act.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HexFormat;
import java.util.List;

/// What the gate is kept for: an address, or the port of a database server. Pure.
sealed interface GateTarget {

    /// What the names of its own sets end with.
    String id();

    /// Where its live elements are: it is open while all of them live.
    List<Slot> slots(String name);

    /// The sets with its absolute deadline, as table and name.
    List<String> deadlines(String name);

    /// A place of an element.
    ///
    /// @param set its table and name, as nft takes them
    record Slot(String set, String key) {}

    /// A virtual address, or any other.
    ///
    /// @param drains whether its gate has the rules for draining, which need connection tracking
    record Address(InetAddress address, boolean drains) implements GateTarget {

        /// Without draining.
        Address(InetAddress address) {
            this(address, false);
        }

        /// The match of an address that is in the set `held` or `draining`, and whose absolute deadline is ahead.
        String live(String set) {
            return "@" + set + (four() ? "" : "6") + " meta time @" + (set.equals("held") ? "until_" : "drained_")
                    + id();
        }

        /// Where the element of a drain is.
        Slot draining(String name) {
            return new Slot("inet " + name + (four() ? " draining" : " draining6"), text());
        }

        /// Where it is said which address asks for neighbours instead of a drained one.
        Slot asking(String name) {
            return new Slot(four() ? "arp " + name + " asking" : "inet " + name + " asking6", text());
        }

        /// The set with the absolute deadline of a drain.
        String drained(String name) {
            return "inet " + name + " drained_" + id();
        }

        boolean four() {
            return address instanceof Inet4Address;
        }

        String text() {
            return address.getHostAddress();
        }

        @Override
        public String id() {
            return HexFormat.of().formatHex(address.getAddress());
        }

        /// ARP replies pass a table of their own. A neighbour advertisement may come from another
        /// address and names this one in its payload, which cannot be looked up in `held6`: there
        /// is a set with one constant element for it.
        @Override
        public List<Slot> slots(String name) {
            return four()
                    ? List.of(new Slot("inet " + name + " held", text()), new Slot("arp " + name + " held", text()))
                    : List.of(
                            new Slot("inet " + name + " held6", text()),
                            new Slot("inet " + name + " nd_" + id(), "ipv6-icmp"));
        }

        @Override
        public List<String> deadlines(String name) {
            String set = name + " until_" + id();
            return four() ? List.of("inet " + set, "arp " + set) : List.of("inet " + set);
        }
    }

    /// The port of a database server.
    ///
    /// @param peers the addresses of the group's other members, which are never gated: replication goes on
    record Port(int number, List<InetAddress> peers) implements GateTarget {

        private static final String PREFIX = "port_";

        public Port {
            peers = List.copyOf(peers);
        }

        @Override
        public String id() {
            return PREFIX + number;
        }

        @Override
        public List<Slot> slots(String name) {
            return List.of(new Slot("inet " + name + " ports", Integer.toString(number)));
        }

        @Override
        public List<String> deadlines(String name) {
            return List.of("inet " + name + " until_" + id());
        }
    }

    /// The target whose sets' names end so; the peers of a port are not known from that.
    static GateTarget named(String id) {
        if (id.startsWith(Port.PREFIX)) {
            return new Port(Integer.parseInt(id.substring(Port.PREFIX.length())), List.of());
        }
        try {
            return new Address(InetAddress.getByAddress(HexFormat.of().parseHex(id)));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("no address: " + id, e);
        }
    }
}
