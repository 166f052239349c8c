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
        for (Host host : hosts) { // asked for all the time
            if (host.name().equals(name)) {
                return Optional.of(host);
            }
        }
        return Optional.empty();
    }

    public Optional<Group> group(String name) {
        for (Group group : groups) {
            if (group.name().equals(name)) {
                return Optional.of(group);
            }
        }
        return Optional.empty();
    }

    /// The groups of which the host is a member, in the order of the file.
    public List<Group> groupsOf(String host) {
        return groups.stream().filter(g -> g.members().contains(host)).toList();
    }

    /// Every resource of the cluster, in the order of the file.
    public List<ResourceId> resources() {
        return groups.stream().flatMap(ClusterSpec::resources).toList();
    }

    /// The virtual address that goes with a resource: the address itself, or the writer address of a primary, if the
    /// group has one.
    public Optional<VirtualAddress> addressOf(ResourceId resource) {
        return group(resource.group()).flatMap(group -> switch (group) {
            case BalancerGroup balancer ->
                balancer.addresses().stream()
                        .filter(a -> a.ip().equals(resource.name()))
                        .findFirst();
            case DatabaseGroup database ->
                resource.isPrimary()
                        ? Optional.ofNullable(database.writer())
                        : Optional.ofNullable(database.reader())
                                .map(Reader::address)
                                .filter(a -> a.ip().equals(resource.name()));
            case WebGroup _ -> Optional.empty();
        });
    }

    /// The resources of one group, in the order of the file.
    public List<ResourceId> resourcesOf(Group group) {
        return resources(group).toList();
    }

    private static Stream<ResourceId> resources(Group group) {
        return switch (group) {
            case BalancerGroup balancer ->
                balancer.addresses().stream().map(a -> new ResourceId(balancer.name(), a.ip()));
            case DatabaseGroup database ->
                Stream.concat(
                        Stream.of(ResourceId.primary(database.name())),
                        Stream.ofNullable(database.reader())
                                .map(r -> new ResourceId(
                                        database.name(), r.address().ip())));
            case WebGroup _ -> Stream.empty();
        };
    }

    /// @param address the host's own address on the network that the agents and servers use
    public record Host(String name, String address) {}

    /// How a group recovers; a web group has nothing that could move.
    public Recovery recoveryOf(String group) {
        return group(group)
                .map(g -> switch (g) {
                    case BalancerGroup balancer -> balancer.recovery();
                    case DatabaseGroup database -> database.recovery();
                    case WebGroup _ -> Recovery.DEFAULT;
                })
                .orElse(Recovery.DEFAULT);
    }

    /// What an isolated holder keeps (`when_isolated: keep`).
    public List<ResourceId> keptWhenIsolated() {
        return groups.stream()
                .filter(g -> g instanceof BalancerGroup balancer && balancer.keepsWhenIsolated())
                .flatMap(g -> resourcesOf(g).stream())
                .toList();
    }

    /// The same cluster with another mode of one group.
    public ClusterSpec withMode(String group, Mode mode) {
        return new ClusterSpec(
                cluster,
                profile,
                hosts,
                groups.stream()
                        .map(g -> g.name().equals(group) ? with(g, mode) : g)
                        .toList());
    }

    private static Group with(Group group, Mode mode) {
        return switch (group) {
            case BalancerGroup g ->
                new BalancerGroup(
                        g.name(),
                        mode,
                        g.members(),
                        g.addresses(),
                        g.haproxy(),
                        g.checkUrl(),
                        g.recovery(),
                        g.whenIsolated(),
                        g.drain());
            case WebGroup g -> new WebGroup(g.name(), mode, g.members(), g.checkUrl(), g.backend());
            case DatabaseGroup g ->
                new DatabaseGroup(
                        g.name(),
                        mode,
                        g.members(),
                        g.engine(),
                        g.port(),
                        g.writer(),
                        g.routeBackend(),
                        g.service(),
                        g.cleanStopWait(),
                        g.recovery(),
                        g.reader(),
                        g.longTransactions(),
                        g.minFree(),
                        g.copyBytesPerSecond(),
                        g.backup(),
                        g.prefer(),
                        g.fullBelow());
        };
    }

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

    /// How a group's resources recover by themselves.
    ///
    /// @param restarts how often within [#RESTART_WINDOW] a service that died is started again where it died; 0:
    /// never
    /// @param cooldown how long a failover is recent (anti-flap); zero: never
    public record Recovery(int restarts, Duration cooldown) {

        public static final Recovery DEFAULT = new Recovery(0, Duration.ofSeconds(60));

        /// Within this time restarts are counted.
        public static final Duration RESTART_WINDOW = Duration.ofMinutes(10);

        /// So many automatic failovers of one resource within [#window] hold the next one back.
        public static final int MOST_FAILOVERS = 3;

        public Recovery {
            if (restarts < 0 || cooldown.isNegative()) {
                throw new IllegalArgumentException("restarts and cooldown are not negative");
            }
        }

        /// Within this time automatic failovers are counted: ten cooldowns.
        public Duration window() {
            return cooldown.multipliedBy(10);
        }
    }

    /// @param config path of HAProxy's configuration file
    /// @param socket path of HAProxy's runtime socket (admin level)
    /// @param service the unit or service name for `ServiceControl`
    public record Haproxy(String config, String socket, String service) {}

    /// What a balancer does that no controller hears any more, and some member of its circle neither.
    public enum WhenIsolated {
        /// it gives its addresses up: nobody else can tell that it is not alone
        FENCE,
        /// it goes on holding them: clients on its side are served, and another member may hold them too
        KEEP
    }

    /// @param checkUrl what is asked through each address from other hosts, with `{address}` for it; null: nothing is
    /// @param whenIsolated null: written by an earlier version, [WhenIsolated#FENCE]
    /// @param drain how long established connections may go on at the giver of a planned move (S13), as
    /// [#drainTime] says; null: written by an earlier version, not at all
    public record BalancerGroup(
            String name,
            Mode mode,
            List<String> members,
            List<VirtualAddress> addresses,
            Haproxy haproxy,
            @Nullable String checkUrl,
            Recovery recovery,
            @Nullable WhenIsolated whenIsolated,
            @Nullable Duration drain)
            implements Group {

        /// Longer than almost every request, short enough to wait for.
        public static final Duration DEFAULT_DRAIN = Duration.ofSeconds(30);

        public static final Duration LONGEST_DRAIN = Duration.ofMinutes(10);

        public BalancerGroup {
            members = List.copyOf(members);
            addresses = List.copyOf(addresses);
            whenIsolated = whenIsolated == null ? WhenIsolated.FENCE : whenIsolated;
            drain = drain == null ? Duration.ZERO : drain;
            if (drain.isNegative() || drain.compareTo(LONGEST_DRAIN) > 0) {
                throw new IllegalArgumentException("drain is between 0 and " + LONGEST_DRAIN);
            }
        }

        /// How long a giver drains; zero: not at all.
        public Duration drainTime() {
            return drain == null ? Duration.ZERO : drain;
        }

        /// Without draining.
        public BalancerGroup(
                String name,
                Mode mode,
                List<String> members,
                List<VirtualAddress> addresses,
                Haproxy haproxy,
                @Nullable String checkUrl,
                Recovery recovery,
                WhenIsolated whenIsolated) {
            this(name, mode, members, addresses, haproxy, checkUrl, recovery, whenIsolated, Duration.ZERO);
        }

        /// Of which an isolated holder is fenced, and a giver drains.
        public BalancerGroup(
                String name,
                Mode mode,
                List<String> members,
                List<VirtualAddress> addresses,
                Haproxy haproxy,
                @Nullable String checkUrl,
                Recovery recovery,
                Duration drain) {
            this(name, mode, members, addresses, haproxy, checkUrl, recovery, WhenIsolated.FENCE, drain);
        }

        /// Whether two hosts may answer for its addresses at once.
        public boolean keepsWhenIsolated() {
            return whenIsolated == WhenIsolated.KEEP;
        }

        /// Of which an isolated holder is fenced.
        public BalancerGroup(
                String name,
                Mode mode,
                List<String> members,
                List<VirtualAddress> addresses,
                Haproxy haproxy,
                @Nullable String checkUrl,
                Recovery recovery) {
            this(name, mode, members, addresses, haproxy, checkUrl, recovery, WhenIsolated.FENCE);
        }

        /// With the default recovery.
        public BalancerGroup(
                String name,
                Mode mode,
                List<String> members,
                List<VirtualAddress> addresses,
                Haproxy haproxy,
                @Nullable String checkUrl) {
            this(name, mode, members, addresses, haproxy, checkUrl, Recovery.DEFAULT);
        }

        /// With the default recovery, and addresses at which nobody looks from outside.
        public BalancerGroup(
                String name, Mode mode, List<String> members, List<VirtualAddress> addresses, Haproxy haproxy) {
            this(name, mode, members, addresses, haproxy, null, Recovery.DEFAULT);
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

    /// The address at which reads are served: by a replica within the bound, else by the primary.
    ///
    /// @param maxLag how far a replica that holds it may be behind; at least [#SHORTEST_LAG], since less is not
    /// measured
    public record Reader(VirtualAddress address, Duration maxLag) {

        public static final Duration DEFAULT_LAG = Duration.ofSeconds(5);
        public static final Duration SHORTEST_LAG = Duration.ofSeconds(2);

        public Reader {
            if (maxLag.compareTo(SHORTEST_LAG) < 0) {
                throw new IllegalArgumentException("max_lag is at least " + SHORTEST_LAG);
            }
        }
    }

    /// Where a group's backups appear, on at least one of its members.
    ///
    /// @param glob as of [java.nio.file.FileSystem#getPathMatcher], beginning with /
    /// @param maxAge a newest one that is older is told
    public record Backup(String glob, Duration maxAge) {

        public static final Duration USUAL_AGE = Duration.ofHours(26);

        public Backup {
            if (!glob.startsWith("/") || maxAge.isNegative() || maxAge.isZero()) {
                throw new IllegalArgumentException("no full path or no age: " + glob + ", " + maxAge);
            }
        }
    }

    /// What a planned move does about transactions that run for long.
    ///
    /// @param patience how long it waits for them to end by themselves; writes go on meanwhile
    /// @param end whether it ends them then; otherwise it is given up, and nothing was blocked
    public record LongTransactions(Duration patience, boolean end) {

        public static final LongTransactions DEFAULT = new LongTransactions(Duration.ofSeconds(10), false);
        public static final Duration LONGEST_WAIT = Duration.ofMinutes(10);
    }

    /// Space that a database must have free: so many bytes, or such a part of its file system; the other is 0.
    public record MinFree(long bytes, int percent) {

        public static final MinFree DEFAULT = new MinFree(0, 5);

        /// Less than this is full, whatever is wanted: InnoDB extends its files by a megabyte and more.
        public static final MinFree FULL = new MinFree(8L << 20, 0);

        public MinFree {
            if (bytes < 0 || percent < 0 || percent > 90) {
                throw new IllegalArgumentException("no size and no part: " + bytes + ", " + percent + " %");
            }
        }

        public boolean met(long free, long total) {
            return free >= bytes && free * 100.0 >= (double) total * percent;
        }

        /// For people.
        public String describe() {
            return percent > 0 ? percent + " %" : (bytes >> 20) + " MiB";
        }
    }

    /// @param engine `mariadb` or `mysql`
    /// @param port the server's port on every member
    /// @param writer the address that follows the primary, if any
    /// @param routeBackend the HAProxy TCP backend with one server per member that follows the primary, if any
    /// @param cleanStopWait how long a primary that was stopped cleanly is waited for before it is replaced
    /// @param reader the address for reads, a resource of its own; null for none
    /// @param longTransactions what a planned move does about them; null (written by an earlier version):
    /// [LongTransactions#DEFAULT]
    /// @param minFree a member with less space for its data is no target while others are; null: [MinFree#DEFAULT]
    /// @param copyBytesPerSecond at most so many leave a member that gives a copy of its data, as [#copyRate] says;
    /// null for no limit
    /// @param prefer members that should rather be the primary than others, the first most of all; null (written by
    /// an earlier version): nobody
    /// @param fullBelow a member with less space for its data counts as full, as [#full] says; null: [MinFree#FULL]
    public record DatabaseGroup(
            String name,
            Mode mode,
            List<String> members,
            String engine,
            int port,
            @Nullable VirtualAddress writer,
            @Nullable String routeBackend,
            String service,
            Duration cleanStopWait,
            Recovery recovery,
            @Nullable Reader reader,
            @Nullable LongTransactions longTransactions,
            @Nullable MinFree minFree,
            @Nullable Long copyBytesPerSecond,
            @Nullable Backup backup,
            @Nullable List<String> prefer,
            @Nullable MinFree fullBelow)
            implements Group {
        public DatabaseGroup {
            members = List.copyOf(members);
            prefer = prefer == null ? List.of() : List.copyOf(prefer);
            longTransactions = longTransactions == null ? LongTransactions.DEFAULT : longTransactions;
            minFree = minFree == null ? MinFree.DEFAULT : minFree;
            fullBelow = fullBelow == null ? MinFree.FULL : fullBelow;
            if (copyBytesPerSecond != null && copyBytesPerSecond <= 0) {
                throw new IllegalArgumentException("a limit is above 0");
            }
        }

        /// With nobody preferred, and full as usual.
        public DatabaseGroup(
                String name,
                Mode mode,
                List<String> members,
                String engine,
                int port,
                @Nullable VirtualAddress writer,
                @Nullable String routeBackend,
                String service,
                Duration cleanStopWait,
                Recovery recovery,
                @Nullable Reader reader,
                @Nullable LongTransactions longTransactions,
                @Nullable MinFree minFree,
                @Nullable Long copyBytesPerSecond,
                @Nullable Backup backup) {
            this(
                    name,
                    mode,
                    members,
                    engine,
                    port,
                    writer,
                    routeBackend,
                    service,
                    cleanStopWait,
                    recovery,
                    reader,
                    longTransactions,
                    minFree,
                    copyBytesPerSecond,
                    backup,
                    null,
                    null);
        }

        /// With the defaults for what follows.
        public DatabaseGroup(
                String name,
                Mode mode,
                List<String> members,
                String engine,
                int port,
                @Nullable VirtualAddress writer,
                @Nullable String routeBackend,
                String service,
                Duration cleanStopWait,
                Recovery recovery,
                @Nullable Reader reader) {
            this(
                    name,
                    mode,
                    members,
                    engine,
                    port,
                    writer,
                    routeBackend,
                    service,
                    cleanStopWait,
                    recovery,
                    reader,
                    null,
                    null,
                    null,
                    null);
        }

        /// Without a reader address.
        public DatabaseGroup(
                String name,
                Mode mode,
                List<String> members,
                String engine,
                int port,
                @Nullable VirtualAddress writer,
                @Nullable String routeBackend,
                String service,
                Duration cleanStopWait,
                Recovery recovery) {
            this(name, mode, members, engine, port, writer, routeBackend, service, cleanStopWait, recovery, null);
        }

        /// With the default recovery.
        public DatabaseGroup(
                String name,
                Mode mode,
                List<String> members,
                String engine,
                int port,
                @Nullable VirtualAddress writer,
                @Nullable String routeBackend,
                String service,
                Duration cleanStopWait) {
            this(name, mode, members, engine, port, writer, routeBackend, service, cleanStopWait, Recovery.DEFAULT);
        }

        /// What must be free for its data.
        public MinFree needed() {
            return minFree == null ? MinFree.DEFAULT : minFree;
        }

        /// With less, a primary is given up for a member that has more, before a write fails.
        public MinFree full() {
            return fullBelow == null ? MinFree.FULL : fullBelow;
        }

        /// What a planned move does about transactions that run for long.
        public LongTransactions patience() {
            return longTransactions == null ? LongTransactions.DEFAULT : longTransactions;
        }

        /// The member's place among those that are preferred, 0 for the first; all others come after them.
        public int preference(String member) {
            List<String> preferred = prefer == null ? List.of() : prefer;
            int place = preferred.indexOf(member);
            return place < 0 ? preferred.size() : place;
        }

        /// Bytes a second, 0 for no limit.
        public long copyRate() {
            return copyBytesPerSecond == null ? 0 : copyBytesPerSecond;
        }
    }
}
