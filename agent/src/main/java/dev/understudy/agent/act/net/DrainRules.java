package dev.understudy.agent.act.net;

import java.net.InetAddress;
import java.util.List;

/// The text of draining (S13), on both sides. Pure.
final class DrainRules {

    /// After connection tracking (-200) and before addresses are translated (-100).
    private static final String PRIORITY = "mangle - 5";

    private DrainRules() {}

    /// The rules of one address that stand all the time, so that the kernel knows its connections when a drain
    /// begins. `arriving` and `leaving` of the gate let an address that is drained pass; what is not established is
    /// dropped here when it arrives, and in `translated` when it leaves. A repeated SYN of a connection that is
    /// half open counts as established to the kernel, and would make a new one.
    static List<String> address(String inet, GateTarget.Address target) {
        String ip = target.four() ? "ip" : "ip6";
        String text = target.text();
        return List.of(
                "add rule " + inet + " tracked " + ip + " daddr " + text + " " + ip + " daddr " + target.live("held")
                        + " accept",
                "add rule " + inet + " tracked " + ip + " daddr " + text
                        + " tcp flags & (fin | syn | rst | ack) == syn counter drop",
                "add rule " + inet + " tracked " + ip + " daddr " + text + " ct state established,related accept",
                "add rule " + inet + " tracked " + ip + " daddr " + text + " counter drop");
    }

    static String arrivingHook() {
        return "type filter hook prerouting priority " + PRIORITY + ";";
    }

    /// One transaction that replaces what was forwarded for the address.
    ///
    /// @param to the giver's own address
    /// @param link the giver's hardware address
    /// @param device the interface on which both are
    /// @param until the absolute deadline as nft takes it
    static String forward(
            String name,
            GateTarget.Address target,
            InetAddress to,
            String link,
            String device,
            long millis,
            String until) {
        String table = table(name, target);
        String chain = table + " to_" + target.id();
        String ip = target.four() ? "ip" : "ip6";
        String match = "add rule " + chain + " " + ip + " daddr " + target.text() + " " + ip
                + " daddr @giving meta time @until_" + target.id() + " ether saddr != " + link + " ";
        String copy =
                " counter dup to " + to.getHostAddress().replaceAll("%.*", "") + " device \"" + device + "\" drop";
        String errors = target.four()
                ? "icmp type { destination-unreachable, time-exceeded, parameter-problem }"
                : "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }";
        String element = " element " + table + " giving { " + target.text();
        return String.join(
                "; ",
                "add table " + table,
                "add set " + table + " giving { type " + (target.four() ? "ipv4_addr" : "ipv6_addr")
                        + "; flags timeout; }",
                "add set " + table + " until_" + target.id() + " { typeof meta time; flags interval; }",
                "add chain " + chain + " { type filter hook prerouting priority " + PRIORITY + "; policy accept; }",
                "flush chain " + chain,
                match + "tcp flags & syn == 0 ct state new,invalid,untracked" + copy,
                match + errors + " ct state invalid,untracked" + copy,
                "add" + element + " }",
                "delete" + element + " }",
                "create" + element + " timeout " + millis + "ms }",
                "flush set " + table + " until_" + target.id(),
                "add element " + table + " until_" + target.id() + " { 0-" + until + " }");
    }

    /// Takes the rule and its element away; works also when nothing is there.
    static String forwardNoMore(String name, GateTarget.Address target) {
        String table = table(name, target);
        String chain = table + " to_" + target.id();
        String element = " element " + giving(name, target) + " { " + target.text() + " }";
        return String.join(
                "; ",
                "add table " + table,
                "add set " + giving(name, target) + " { type " + (target.four() ? "ipv4_addr" : "ipv6_addr")
                        + "; flags timeout; }",
                "add" + element,
                "delete" + element,
                "add chain " + chain + " { " + arrivingHook() + " policy accept; }",
                "flush chain " + chain,
                "delete chain " + chain);
    }

    /// Takes everything away that is forwarded.
    static String forwardNothing(String name) {
        return String.join(
                "; ",
                "add table ip " + name + "_drain",
                "delete table ip " + name + "_drain",
                "add table ip6 " + name + "_drain",
                "delete table ip6 " + name + "_drain");
    }

    private static String giving(String name, GateTarget.Address target) {
        return table(name, target) + " giving";
    }

    private static String table(String name, GateTarget.Address target) {
        return (target.four() ? "ip " : "ip6 ") + name + "_drain";
    }
}
