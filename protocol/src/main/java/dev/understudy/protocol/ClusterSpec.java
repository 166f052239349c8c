package dev.understudy.protocol;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The cluster as `cluster.yml` declares it (DESIGN section 13), already checked: every member is a declared host,
/// names are unique. The leader sends it to the agents with a version; they run on it.
public record ClusterSpec(String cluster, String profile, List<Host> hosts, List<Group> groups) {

    public ClusterSpec {
        hosts = List.copyOf(hosts);
        groups = List.copyOf(groups);
    }

    public TimingProfile timing() {
        return TimingProfile.named(profile);
    }

    public Optional<Host> host(String name) {
        return hosts.stream().filter(h -> h.name().equals(name)).findFirst();
    }

    public Optional<Group> group(String name) {
        return groups.stream().filter(g -> g.name().equals(name)).findFirst();
    }

    /// The groups of which the host is a member, in the order of the file.
    public List<Group> groupsOf(String host) {
        return groups.stream().filter(g -> g.members().contains(host)).toList();
    }

    /// Every resource of the cluster, in the order of the file.
    public List<ResourceId> resources() {
        return groups.stream().flatMap(ClusterSpec::resourcesOf).toList();
    }

    /// The virtual address that goes with a resource: the address itself, or the writer address of a primary, if the
    /// group has one.
    public Optional<VirtualAddress> addressOf(ResourceId resource) {
        return group(resource.group()).flatMap(group -> switch (group) {
            case BalancerGroup balancer ->
                balancer.addresses().stream()
                        .filter(a -> a.ip().equals(resource.name()))
                        .findFirst();
            case DatabaseGroup database -> Optional.ofNullable(database.writer());
            case WebGroup _ -> Optional.empty();
        });
    }

    private static Stream<ResourceId> resourcesOf(Group group) {
        return switch (group) {
            case BalancerGroup balancer ->
                balancer.addresses().stream().map(a -> new ResourceId(balancer.name(), a.ip()));
            case DatabaseGroup database -> Stream.of(ResourceId.primary(database.name()));
            case WebGroup _ -> Stream.empty();
        };
    }

    /// @param address the host's own address on the network that the agents and servers use
    public record Host(String name, String address) {}

    /// What Understudy may do with a group (DESIGN section 12).
    public enum Mode {
        OBSERVE,
        MANUAL,
        AUTOMATIC
    }

    /// A virtual address. `ip` is the bare address; `prefix` its length.
    public record VirtualAddress(
            String ip,
            int prefix,
            String networkInterface,
            @Nullable String gateway) {
        public String cidr() {
            return ip + "/" + prefix;
        }
    }

    public sealed interface Group {
        String name();

        Mode mode();

        List<String> members();
    }

    /// @param config path of HAProxy's configuration file
    /// @param socket path of HAProxy's runtime socket (admin level)
    /// @param service the unit or service name for `ServiceControl`
    public record Haproxy(String config, String socket, String service) {}

    public record BalancerGroup(
            String name, Mode mode, List<String> members, List<VirtualAddress> addresses, Haproxy haproxy)
            implements Group {
        public BalancerGroup {
            members = List.copyOf(members);
            addresses = List.copyOf(addresses);
        }
    }

    /// @param checkUrl health check, with `{address}` for the host's address
    /// @param backend the name of the HAProxy backend that these hosts serve, if any
    public record WebGroup(
            String name,
            Mode mode,
            List<String> members,
            String checkUrl,
            @Nullable String backend) implements Group {
        public WebGroup {
            members = List.copyOf(members);
        }
    }

    /// @param engine `mariadb` or `mysql`
    /// @param port the server's port on every member
    /// @param writer the address that follows the primary, if any
    /// @param routeBackend the HAProxy TCP backend with one server per member that follows the primary, if any
    /// @param cleanStopWait how long a primary that was stopped cleanly is waited for before it is replaced
    public record DatabaseGroup(
            String name,
            Mode mode,
            List<String> members,
            String engine,
            int port,
            @Nullable VirtualAddress writer,
            @Nullable String routeBackend,
            String service,
            Duration cleanStopWait)
            implements Group {
        public DatabaseGroup {
            members = List.copyOf(members);
        }
    }
}
