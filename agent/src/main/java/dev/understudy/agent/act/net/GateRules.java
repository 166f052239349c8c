package dev.understudy.agent.act.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/// The text of the gate: names and the one transaction that builds it. Pure.
final class GateRules {

    private GateRules() {}

    /// Tables that hold an element for the address: ARP exists for IPv4 only.
    static List<String> tables(String name, InetAddress address) {
        return address instanceof Inet4Address ? List.of("inet " + name, "arp " + name) : List.of("inet " + name);
    }

    /// The set that holds live elements of the address's family.
    static String held(InetAddress address) {
        return address instanceof Inet4Address ? "held" : "held6";
    }

    static String text(InetAddress address) {
        return address.getHostAddress();
    }

    static String hex(InetAddress address) {
        return HexFormat.of().formatHex(address.getAddress());
    }

    static InetAddress address(String hex) {
        try {
            return InetAddress.getByAddress(HexFormat.of().parseHex(hex));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("no address: " + hex, e);
        }
    }

    /// One transaction that makes tables, sets and chains if they are missing and puts the rules of exactly these
    /// addresses in place of those that were there. It never touches `held` nor a deadline.
    static String build(String name, Collection<InetAddress> addresses) {
        List<String> line = new ArrayList<>();
        String inet = "inet " + name;
        String arp = "arp " + name;
        line.add("add table " + inet);
        line.add("add table " + arp);
        line.add("add set " + inet + " guarded { type ipv4_addr; }");
        line.add("add set " + inet + " guarded6 { type ipv6_addr; }");
        line.add("add set " + inet + " held { type ipv4_addr; flags timeout; }");
        line.add("add set " + inet + " held6 { type ipv6_addr; flags timeout; }");
        line.add("add set " + arp + " held { type ipv4_addr; flags timeout; }");
        chain(line, inet, "arriving", "type filter hook prerouting priority raw - 10;");
        chain(line, inet, "leaving", "type filter hook output priority raw - 10;");
        chain(line, inet, "translated", "type filter hook postrouting priority srcnat + 50;");
        chain(line, arp, "leaving", "type filter hook output priority filter;");
        line.add("flush set " + inet + " guarded");
        line.add("flush set " + inet + " guarded6");
        line.add("add rule " + inet + " arriving iif lo accept");
        line.add("add rule " + inet + " leaving oif lo accept");
        line.add("add rule " + inet + " translated oif lo accept");
        for (InetAddress address : addresses) {
            rules(line, inet, arp, address);
        }
        return String.join("; ", line);
    }

    private static void chain(List<String> line, String table, String chain, String hook) {
        line.add("add chain " + table + " " + chain + " { " + hook + " policy accept; }");
        line.add("flush chain " + table + " " + chain);
    }

    private static void rules(List<String> line, String inet, String arp, InetAddress address) {
        boolean four = address instanceof Inet4Address;
        String ip = four ? "ip" : "ip6";
        String until = "until_" + hex(address);
        String text = text(address);
        line.add("add element " + inet + (four ? " guarded { " : " guarded6 { ") + text + " }");
        line.add("add set " + inet + " " + until + " { typeof meta time; flags interval; }");
        String live = "@" + held(address) + " meta time @" + until + " accept";
        gate(line, inet + " arriving", ip + " daddr", text, live);
        if (!four) {
            neighbourAdvertisement(line, inet, address, until);
        }
        gate(line, inet + " leaving", ip + " saddr", text, live);
        gate(line, inet + " translated", ip + " saddr", text, live);
        if (four) {
            line.add("add set " + arp + " " + until + " { typeof meta time; flags interval; }");
            gate(line, arp + " leaving", "arp saddr ip", text, live);
        }
    }

    private static void gate(List<String> line, String chain, String field, String text, String live) {
        line.add("add rule " + chain + " " + field + " " + text + " " + field + " " + live);
        line.add("add rule " + chain + " " + field + " " + text + " counter drop");
    }

    /// An advertisement may come from another address of the host: its target is bytes 8 to 23 of the ICMPv6
    /// message. A payload of raw bits cannot be looked up in `held6`, so this rule knows the absolute deadline
    /// only.
    private static void neighbourAdvertisement(List<String> line, String inet, InetAddress address, String until) {
        line.add("add rule " + inet + " leaving icmpv6 type nd-neighbor-advert @th,64,128 0x" + hex(address)
                + " meta time != @" + until + " counter drop");
    }
}
