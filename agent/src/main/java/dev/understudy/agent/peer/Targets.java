package dev.understudy.agent.peer;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ResourceId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.zip.CRC32;

/// What one host looks at beyond itself, as the spec says. Pure.
public final class Targets {

    /// How many hosts outside its own groups a host watches.
    static final int OTHERS = 4;

    private Targets() {}

    /// Another host.
    ///
    /// @param near a member of a group of this host: what changes about it is told at once
    public record Peer(Host host, boolean near) {}

    /// A way to a resource as clients take it.
    public record Path(ResourceId resource, String url) {}

    /// All members of the host's own groups, and a few others: those that follow it on a ring of all hosts in the
    /// order of a hash of their names, so that every host is watched by about as many.
    public static List<Peer> peers(ClusterSpec spec, String host) {
        List<Peer> peers = new ArrayList<>();
        List<Host> ring = spec.hosts().stream()
                .sorted(Comparator.comparingLong(Targets::hash).thenComparing(Host::name))
                .toList();
        int self = ring.stream().map(Host::name).toList().indexOf(host);
        int others = 0;
        for (int i = 1; i < ring.size(); i++) {
            Host next = ring.get((self + i) % ring.size());
            boolean near =
                    spec.groupsOf(host).stream().anyMatch(g -> g.members().contains(next.name()));
            if (near || others++ < OTHERS) {
                peers.add(new Peer(next, near));
            }
        }
        return peers;
    }

    /// The addresses at which this host is one of the clients' eyes: those of its own groups, and for a web host
    /// all of them. A database is looked at through its holder's agent (`GET /writer/GROUP`): a database server
    /// blocks hosts that connect and say nothing.
    ///
    /// @param statusPort where every agent of the cluster has its own HTTP port
    public static List<Path> paths(ClusterSpec spec, String host, int statusPort) {
        List<Path> paths = new ArrayList<>();
        boolean web = spec.groupsOf(host).stream().anyMatch(WebGroup.class::isInstance);
        for (Group group : spec.groups()) {
            if (!web && !group.members().contains(host)) {
                continue;
            }
            switch (group) {
                case BalancerGroup balancer -> {
                    String url = balancer.checkUrl();
                    if (url != null) {
                        balancer.addresses()
                                .forEach(address -> paths.add(new Path(
                                        new ResourceId(balancer.name(), address.ip()),
                                        url.replace("{address}", bracketed(address.ip())))));
                    }
                }
                case DatabaseGroup database -> {
                    if (database.writer() != null) {
                        paths.add(new Path(
                                ResourceId.primary(database.name()),
                                "http://" + bracketed(database.writer().ip()) + ":" + statusPort + "/writer/"
                                        + database.name()));
                    }
                }
                case WebGroup _ -> {}
            }
        }
        return paths;
    }

    private static String bracketed(String ip) {
        return ip.contains(":") ? "[" + ip + "]" : ip;
    }

    private static long hash(Host host) {
        CRC32 crc = new CRC32();
        crc.update(host.name().getBytes(StandardCharsets.UTF_8));
        return crc.getValue();
    }
}
