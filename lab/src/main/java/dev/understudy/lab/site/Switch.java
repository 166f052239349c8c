package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Topology.Link;
import dev.understudy.lab.site.Topology.Network;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// The two networks: bridges in a namespace of their own, with a port for each cable. Cuts and losses are rules in
/// the bridges, so a host that is cut off keeps its carrier, as behind a broken switch. All state is in the kernel:
/// several processes may use it. Any thread.
public final class Switch {

    private final long pid;

    Switch(long pid) {
        this.pid = pid;
    }

    /// Makes the bridges and plugs every host in. Called once, at the start.
    void build(List<LabHost> hosts) {
        var links = new StringBuilder();
        for (Network network : Network.values()) {
            links.append("link add ").append(network.bridge()).append(" type bridge mcast_snooping 0\n");
            links.append("link set ").append(network.bridge()).append(" up\n");
        }
        var rules = new StringBuilder("""
                table bridge lab {
                  set from { type ifname; }
                  set to { type ifname; }
                  set pair { type ifname . ifname; }
                  chain forward {
                    type filter hook forward priority 0; policy accept;
                    iifname @from drop
                    oifname @to drop
                    iifname . oifname @pair drop
                  }
                }
                """);
        for (LabHost host : hosts) {
            for (Link link : host.plan().links()) {
                String port = link.port(host.name());
                links.append("link add %s type veth peer name %s netns %d\n"
                        .formatted(port, link.networkInterface(), host.initPid()));
                links.append("link set %s master %s up\n"
                        .formatted(port, link.network().bridge()));
                String chain = lossChain(port);
                rules.append("add chain bridge lab %s\n".formatted(chain));
                rules.append("add rule bridge lab forward iifname \"%s\" jump %s\n".formatted(port, chain));
                rules.append("add rule bridge lab forward oifname \"%s\" jump %s\n".formatted(port, chain));
            }
        }
        Commands.run(inside("ip", "-batch", "-"), links.toString()).orThrow();
        nft(rules.toString());
    }

    /// Lays a cable to another process's namespace; it goes when that does.
    void plug(String port, long process, String networkInterface, Network network) {
        Commands.run(
                        inside("ip", "-batch", "-"),
                        "link add %1$s type veth peer name %2$s netns %3$d\nlink set %1$s master %4$s up\n"
                                .formatted(port, networkInterface, process, network.bridge()))
                .orThrow();
    }

    /// Takes the cable away.
    void unplug(String port) {
        Commands.run(inside("ip", "link", "del", port), "");
    }

    /// Which packets of a host are dropped.
    public enum Direction {
        BOTH,
        /// packets to the host: it speaks but hears nothing
        IN,
        /// packets from the host: it hears but nobody hears it
        OUT
    }

    /// Cuts a host off from everybody on these networks, in one step.
    void cut(HostPlan host, Direction direction, Set<Network> networks) {
        nft(rulesOfCut("add", host, direction, networks));
    }

    /// Cuts the cables between two hosts, on these networks and in this direction as seen from the first.
    void cutBetween(HostPlan host, HostPlan other, Direction direction, Set<Network> networks) {
        nft(pairs("add", host, other, direction, networks));
    }

    /// Drops this share of the packets to and from a host.
    void lose(HostPlan host, int percent, Set<Network> networks) {
        if (percent < 0 || percent > 100) {
            throw new IllegalArgumentException("loss is 0 to 100 percent, not " + percent);
        }
        var rules = new StringBuilder();
        for (Link link : linksOn(host, networks)) {
            rules.append("flush chain bridge lab %s\n".formatted(lossChain(link.port(host.name()))));
            if (percent > 0) {
                String share = percent == 100 ? "" : "numgen random mod 100 < " + percent + " ";
                rules.append("add rule bridge lab %s %sdrop\n".formatted(lossChain(link.port(host.name())), share));
            }
        }
        nft(rules.toString());
    }

    /// Holds back every packet to a host for this long; 0 ends it.
    ///
    /// @throws IllegalStateException when this kernel has no netem (stock Debian kernels have it)
    void delay(HostPlan host, int millis, Set<Network> networks) {
        if (millis < 0 || millis > 60_000) {
            throw new IllegalArgumentException("a delay is 0 to 60000 ms, not " + millis);
        }
        for (Link link : linksOn(host, networks)) {
            String port = link.port(host.name());
            if (millis == 0) {
                Commands.run(inside("tc", "qdisc", "del", "dev", port, "root")); // an error when there is none
                continue;
            }
            Commands.Result result = Commands.run(inside(
                    "tc", "qdisc", "replace", "dev", port, "root", "netem", "delay", millis + "ms", "limit", "10000"));
            if (!result.ok()) {
                throw new IllegalStateException("packets cannot be delayed: this kernel has no netem ("
                        + result.output().strip() + ")");
            }
        }
    }

    /// Undoes every cut, loss and delay of the host.
    void heal(HostPlan host) {
        Set<Network> all = Set.of(Network.values());
        var rules = new StringBuilder();
        for (String verb : List.of("add", "delete")) {
            rules.append(rulesOfCut(verb, host, Direction.BOTH, all));
            for (HostPlan other : Topology.HOSTS) {
                if (!other.equals(host)) {
                    rules.append(pairs(verb, host, other, Direction.BOTH, all));
                }
            }
        }
        nft(rules.toString());
        lose(host, 0, all);
        delay(host, 0, all);
    }

    /// What is dropped now, for failure reports.
    String describe() {
        return Commands.run(inside("nft", "list", "table", "bridge", "lab")).output();
    }

    private static String rulesOfCut(String verb, HostPlan host, Direction direction, Set<Network> networks) {
        var rules = new StringBuilder();
        for (Link link : linksOn(host, networks)) {
            String port = link.port(host.name());
            if (direction != Direction.IN) {
                rules.append("%s element bridge lab from { \"%s\" }\n".formatted(verb, port));
            }
            if (direction != Direction.OUT) {
                rules.append("%s element bridge lab to { \"%s\" }\n".formatted(verb, port));
            }
        }
        return rules.toString();
    }

    private static String pairs(
            String verb, HostPlan host, HostPlan other, Direction direction, Set<Network> networks) {
        var rules = new StringBuilder();
        for (Link mine : linksOn(host, networks)) {
            for (Link theirs : linksOn(other, Set.of(mine.network()))) {
                String here = mine.port(host.name());
                String there = theirs.port(other.name());
                if (direction != Direction.IN) {
                    rules.append("%s element bridge lab pair { \"%s\" . \"%s\" }\n".formatted(verb, here, there));
                }
                if (direction != Direction.OUT) {
                    rules.append("%s element bridge lab pair { \"%s\" . \"%s\" }\n".formatted(verb, there, here));
                }
            }
        }
        return rules.toString();
    }

    private static List<Link> linksOn(HostPlan host, Set<Network> networks) {
        return host.links().stream()
                .filter(link -> networks.contains(link.network()))
                .toList();
    }

    private static String lossChain(String port) {
        return "loss_" + port.replace('-', '_');
    }

    private void nft(String rules) {
        if (!rules.isEmpty()) {
            Commands.run(inside("nft", "-f", "-"), rules).orThrow();
        }
    }

    private List<String> inside(String... command) {
        var all = new ArrayList<>(List.of("nsenter", "-t", Long.toString(pid), "-n", "--"));
        all.addAll(List.of(command));
        return all;
    }
}
