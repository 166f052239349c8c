package dev.understudy.lab.site;

import java.util.List;

/// Who is who in the lab's site, in one place: hosts, networks, addresses.
public final class Topology {

    /// The virtual address that clients use, held by a balancer.
    public static final String SITE_ADDRESS = "10.77.1.100";
    /// The address that follows the primary.
    public static final String WRITER_ADDRESS = "10.77.2.200";
    /// The address for reads, on a replica that is close behind, else on the primary.
    public static final String READER_ADDRESS = "10.77.2.201";
    public static final int DATABASE_PORT = 3306;
    public static final int CONTROLLER_PORT = 7440;
    public static final String DATABASE_GROUP = "shopdb";
    public static final String BALANCER_GROUP = "edge";

    public static final HostPlan LB1 = balancer("lb1", 11);
    public static final HostPlan LB2 = balancer("lb2", 12);
    public static final HostPlan WEB1 = web("web1", 21);
    public static final HostPlan WEB2 = web("web2", 22);
    public static final HostPlan DB1 = backOnly("db1", Kind.DATABASE, 31);
    public static final HostPlan DB2 = backOnly("db2", Kind.DATABASE, 32);
    public static final HostPlan DB3 = backOnly("db3", Kind.DATABASE, 33);
    public static final HostPlan CTL1 = backOnly("ctl1", Kind.CONTROLLER, 5);
    public static final HostPlan CLIENT =
            new HostPlan("client", Kind.CLIENT, List.of(new Link(Network.FRONT, "eth0", "10.77.1.50")));

    public static final List<HostPlan> HOSTS = List.of(LB1, LB2, WEB1, WEB2, DB1, DB2, DB3, CTL1, CLIENT);
    public static final List<HostPlan> BALANCERS = List.of(LB1, LB2);
    public static final List<HostPlan> WEBS = List.of(WEB1, WEB2);
    public static final List<HostPlan> DATABASES = List.of(DB1, DB2, DB3);

    private Topology() {}

    /// The two wires of the site.
    public enum Network {
        FRONT("front"),
        BACK("back");

        private final String bridge;

        Network(String bridge) {
            this.bridge = bridge;
        }

        public String bridge() {
            return bridge;
        }
    }

    public enum Kind {
        BALANCER,
        WEB,
        DATABASE,
        CONTROLLER,
        CLIENT
    }

    /// One cable of a host.
    ///
    /// @param networkInterface its name inside the host
    public record Link(Network network, String networkInterface, String address) {

        /// The name of the cable's other end, at the switch.
        public String port(String host) {
            return host + "-" + network.bridge();
        }
    }

    public record HostPlan(String name, Kind kind, List<Link> links) {

        public HostPlan {
            links = List.copyOf(links);
        }

        /// The address that agents and servers use: on the back network, where there is one.
        public String address() {
            return links.stream()
                    .filter(link -> link.network() == Network.BACK)
                    .findFirst()
                    .orElseGet(links::getFirst)
                    .address();
        }
    }

    /// @throws IllegalArgumentException for a name that no host has, naming those that exist
    public static HostPlan host(String name) {
        return HOSTS.stream()
                .filter(host -> host.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no host '" + name + "': there are "
                        + String.join(" ", HOSTS.stream().map(HostPlan::name).toList())));
    }

    private static HostPlan balancer(String name, int number) {
        return new HostPlan(
                name,
                Kind.BALANCER,
                List.of(
                        new Link(Network.FRONT, "eth0", "10.77.1." + number),
                        new Link(Network.BACK, "eth1", "10.77.2." + number)));
    }

    /// On the front network too: it sees the virtual address as clients do.
    private static HostPlan web(String name, int number) {
        return new HostPlan(
                name,
                Kind.WEB,
                List.of(
                        new Link(Network.BACK, "eth0", "10.77.2." + number),
                        new Link(Network.FRONT, "eth1", "10.77.1." + number)));
    }

    private static HostPlan backOnly(String name, Kind kind, int number) {
        return new HostPlan(name, kind, List.of(new Link(Network.BACK, "eth0", "10.77.2." + number)));
    }
}
