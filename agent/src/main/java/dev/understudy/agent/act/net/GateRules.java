package dev.understudy.agent.act.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/// The text of the gate: names and the one transaction that builds it. Pure.
///
/// Addresses and ports have chains of their own: what is accepted in one base chain still passes the next.
final class GateRules {

    private static final String NO_RESET = " tcp flags & rst != rst";

    private final String inet;
    private final String arp;
    private final List<String> line = new ArrayList<>();

    private GateRules(String name) {
        inet = "inet " + name;
        arp = "arp " + name;
    }

    /// One transaction that makes tables, sets and chains if they are missing and puts the rules of exactly these
    /// targets in place of those that were there. It touches no element that is live and no deadline.
    static String build(String name, Collection<GateTarget> targets) {
        GateRules rules = new GateRules(name);
        rules.frame();
        for (GateTarget target : targets) {
            switch (target) {
                case GateTarget.Address address -> rules.address(address);
                case GateTarget.Port port -> rules.port(port);
            }
        }
        return String.join("; ", rules.line);
    }

    /// A transaction's beginning that makes sure that no tables are there.
    static String clear(String name) {
        return "add table inet " + name + "; add table arp " + name + "; delete table inet " + name
                + "; delete table arp " + name;
    }

    private void frame() {
        line.add("add table " + inet);
        line.add("add table " + arp);
        line.add("add set " + inet + " guarded { type ipv4_addr; }");
        line.add("add set " + inet + " guarded6 { type ipv6_addr; }");
        line.add("add set " + inet + " held { type ipv4_addr; flags timeout; }");
        line.add("add set " + inet + " held6 { type ipv6_addr; flags timeout; }");
        line.add("add set " + inet + " ports { type inet_service; flags timeout; }");
        line.add("add set " + inet + " reading { type inet_service; }");
        line.add("add set " + arp + " held { type ipv4_addr; flags timeout; }");
        line.add("add set " + inet + " draining { type ipv4_addr; flags timeout; }");
        line.add("add set " + inet + " draining6 { type ipv6_addr; flags timeout; }");
        line.add("add map " + inet + " asking6 { type ipv6_addr : ipv6_addr; flags timeout; }");
        line.add("add map " + arp + " asking { type ipv4_addr : ipv4_addr; flags timeout; }");
        chain(inet, "arriving", "type filter hook prerouting priority raw - 10;");
        chain(inet, "leaving", "type filter hook output priority raw - 10;");
        chain(inet, "translated", "type filter hook postrouting priority srcnat + 50;");
        chain(inet, "tracked", DrainRules.arrivingHook());
        chain(inet, "ports_arriving", "type filter hook prerouting priority raw - 9;");
        chain(inet, "ports_leaving", "type filter hook output priority raw - 9;");
        chain(inet, "ports_translated", "type filter hook postrouting priority srcnat + 51;");
        chain(arp, "leaving", "type filter hook output priority filter;");
        line.add("flush set " + inet + " guarded");
        line.add("flush set " + inet + " guarded6");
        line.add("add rule " + inet + " tracked iif lo accept");
        for (String chains : List.of("", "ports_")) {
            line.add("add rule " + inet + " " + chains + "arriving iif lo accept");
            line.add("add rule " + inet + " " + chains + "leaving oif lo accept");
            line.add("add rule " + inet + " " + chains + "translated oif lo accept");
        }
    }

    private void chain(String table, String chain, String hook) {
        line.add("add chain " + table + " " + chain + " { " + hook + " policy accept; }");
        line.add("flush chain " + table + " " + chain);
    }

    private void address(GateTarget.Address target) {
        boolean four = target.four();
        String ip = four ? "ip" : "ip6";
        String until = "until_" + target.id();
        line.add("add element " + inet + (four ? " guarded { " : " guarded6 { ") + target.text() + " }");
        line.add("add set " + inet + " " + until + " { typeof meta time; flags interval; }");
        String live = target.live("held") + " accept";
        if (target.drains()) {
            line.add("add set " + inet + " drained_" + target.id() + " { typeof meta time; flags interval; }");
            line.addAll(DrainRules.address(inet, target));
        }
        gate(inet + " arriving", ip + " daddr", target, live, "accept");
        if (!four) {
            neighbourAdvertisement(target, until);
        }
        if (!four && target.drains()) {
            line.add("add rule " + inet + " leaving icmpv6 type nd-neighbor-solicit ip6 saddr " + target.text()
                    + " ip6 saddr set ip6 saddr map @asking6 accept");
        }
        gate(inet + " leaving", ip + " saddr", target, live, "accept");
        gate(inet + " translated", ip + " saddr", target, live, "ct state established,related accept");
        if (four) {
            line.add("add set " + arp + " " + until + " { typeof meta time; flags interval; }");
            String own = "add rule " + arp + " leaving arp saddr ip " + target.text();
            line.add(own + " arp saddr ip " + live);
            if (target.drains()) {
                line.add(own + " arp operation request arp saddr ip set arp saddr ip map @asking accept");
            }
            line.add(own + " counter drop");
        }
    }

    /// Whoever drains asks for neighbours, but not under the address: they would send to it again.
    private void gate(String chain, String field, GateTarget.Address target, String live, String drained) {
        String about = "add rule " + chain + " " + field + " " + target.text() + " ";
        line.add(about + field + " " + live);
        if (target.drains()) {
            line.add(about + field + " " + target.live("draining") + " " + drained);
        }
        line.add(about + "counter drop");
    }

    /// An advertisement's target is bytes 8 to 23 of the ICMPv6 message.
    private void neighbourAdvertisement(GateTarget.Address target, String until) {
        line.add("add set " + inet + " nd_" + target.id() + " { type inet_proto; flags timeout; }");
        String about = "add rule " + inet + " leaving icmpv6 type nd-neighbor-advert @th,64,128 0x" + target.id();
        line.add(about + " meta l4proto @nd_" + target.id() + " meta time @" + until + " accept");
        line.add(about + " counter drop");
    }

    /// Sessions that are established end with a reset, in both directions, since nothing of this table accepts them
    /// for being established; resets themselves pass, or nobody would hear them. Only what is meant for this host
    /// or comes from it: a host may route for others.
    private void port(GateTarget.Port target) {
        int port = target.number();
        String until = "until_" + target.id();
        line.add("add set " + inet + " " + until + " { typeof meta time; flags interval; }");
        portChain("ports_arriving", "dport", port, "saddr", "daddr", target.peers(), "reject with tcp reset");
        portChain("ports_leaving", "sport", port, "daddr", "saddr", target.peers(), "reject with tcp reset");
        portChain("ports_translated", "sport", port, "daddr", "saddr", target.peers(), "drop");
    }

    private void portChain(
            String chain, String field, int port, String theirs, String own, List<InetAddress> peers, String end) {
        String ours = "add rule " + inet + " " + chain + " tcp " + field + " " + port;
        exempt(
                ours,
                "ip",
                theirs,
                peers.stream().filter(Inet4Address.class::isInstance).toList());
        exempt(
                ours,
                "ip6",
                theirs,
                peers.stream().filter(peer -> !(peer instanceof Inet4Address)).toList());
        line.add(ours + " tcp " + field + " @ports meta time @until_port_" + port + " accept");
        line.add(ours + " tcp " + field + " @reading accept");
        line.add(ours + " fib " + own + " type local" + NO_RESET + " counter " + end);
    }

    private void exempt(String ours, String ip, String theirs, List<InetAddress> peers) {
        if (!peers.isEmpty()) {
            line.add(ours + " " + ip + " " + theirs + " { "
                    + peers.stream().map(InetAddress::getHostAddress).collect(Collectors.joining(", ")) + " } accept");
        }
    }
}
