package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.LongTransactions;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WhenIsolated;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Everything there is: two or three balancers, three databases, one or two controllers that share a journal,
/// clients, and the network between them.
final class Site {

    static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    static final ResourceId READER = new ResourceId("shopdb", "192.0.2.21");
    static final List<ResourceId> RESOURCES = List.of(ADDRESS, PRIMARY, READER);
    static final Duration MAX_LAG = Duration.ofSeconds(3);
    static final List<String> DATABASES = List.of("db1", "db2", "db3");
    static final String CLIENTS = "app";
    static final Duration CLEAN_STOP_WAIT = Duration.ofSeconds(6);

    final long seed;
    final Agenda agenda = new Agenda();
    final Network network;
    final SharedJournal journal;
    final Invariants witness;
    final List<SimController> controllers = new ArrayList<>();
    final List<String> balancers;
    final List<String> names = new ArrayList<>();
    final Clients clients;
    final Standing standing;
    private final @Nullable Mutation mutation;
    private final @Nullable List<String> story;
    private final Map<String, SimHost> hosts = new LinkedHashMap<>();
    private final Map<String, SimDatabase> byAddress = new LinkedHashMap<>();
    private final TimingProfile timing;
    private List<String> databaseMembers = DATABASES;
    private boolean calm;
    private boolean keeps;
    /// In half of the sites the specification prefers some databases.
    final List<String> prefer;
    private long duplicatesUntil;
    private boolean duplicateSeen;
    private long numbers;
    /// how often adding an address or opening a server fails
    double actsFail;

    /// @param mutation the rule that is taken out, null for none
    /// @param told whether what happens is written down
    /// @param drift how much each clock may be fast or slow
    Site(long seed, @Nullable Mutation mutation, boolean told, double drift) {
        this.seed = seed;
        this.mutation = mutation;
        this.story = told ? new ArrayList<>() : null;
        Dice dice = new Dice(seed, "site");
        timing = dice.chance(0.75)
                ? TimingProfile.STANDARD
                : dice.chance(0.5) ? TimingProfile.FAST : TimingProfile.RELAXED;
        int count = dice.chance(0.55) ? 2 : 1;
        balancers = dice.chance(0.3) ? List.of("lb1", "lb2", "lb3") : List.of("lb1", "lb2");
        names.addAll(balancers);
        names.addAll(DATABASES);
        List<String> nodes = new ArrayList<>(names);
        nodes.add(CLIENTS);
        for (int i = 1; i <= count; i++) {
            nodes.add("c" + i);
        }
        prefer = new Dice(seed, "preferred").chance(0.5) ? List.of("db2", "db3") : List.of();
        network = new Network(agenda, nodes, seed);
        journal = new SharedJournal(this);
        witness = new Invariants(this);
        for (String name : names) {
            SimHost host = new SimHost(this, name, drift);
            hosts.put(name, host);
            if (host.database != null) {
                byAddress.put(address(name), host.database);
            }
        }
        for (int i = 1; i <= count; i++) {
            controllers.add(new SimController(this, "c" + i, drift));
        }
        clients = new Clients(this);
        standing = new Standing(this);
        if (has(Mutation.A_CLOCK_IS_TOO_FAST) || has(Mutation.A_CLOCK_IS_TOO_SLOW)) {
            // by half more than the bound, whoever it is compared with
            double off = TimingProfile.DRIFT * 1.5 + drift;
            host(dice.pick(names)).machine.rate(has(Mutation.A_CLOCK_IS_TOO_FAST) ? 1 + off : 1 / (1 + off));
        }
    }

    /// The specification says `when_isolated: keep` of the address.
    void keepsWhenIsolated() {
        keeps = true;
    }

    boolean keeps() {
        return keeps;
    }

    /// Two hosts may answer for the address until that moment of the agenda.
    void duplicatesUntil(long moment) {
        duplicatesUntil = moment;
    }

    /// Two hosts have the resource now: whether that is what `when_isolated: keep` allows.
    boolean excusesDuplicate(ResourceId resource) {
        boolean excused = keeps && resource.equals(ADDRESS) && agenda.now() <= duplicatesUntil;
        duplicateSeen |= excused;
        return excused;
    }

    boolean duplicateSeen() {
        return duplicateSeen;
    }

    void begin() {
        controllers.forEach(SimController::start);
        hosts.values().forEach(SimHost::startAgent);
        clients.begin();
    }

    boolean has(Mutation some) {
        return mutation == some;
    }

    boolean relativeTimeOuts() {
        return has(Mutation.S10_RELATIVE_TIME_OUT) || has(Mutation.S10_RENEWAL_REVIVES);
    }

    TimingProfile timing() {
        return timing;
    }

    Collection<SimHost> hosts() {
        return hosts.values();
    }

    SimHost host(String name) {
        SimHost host = hosts.get(name);
        if (host == null) {
            throw new IllegalArgumentException("no host " + name);
        }
        return host;
    }

    SimDatabase database(String name) {
        SimDatabase database = host(name).database;
        if (database == null) {
            throw new IllegalArgumentException("no database on " + name);
        }
        return database;
    }

    @Nullable
    SimDatabase databaseAt(String address) {
        return byAddress.get(address);
    }

    String address(String host) {
        return "10.0.0." + (11 + names.indexOf(host));
    }

    long nextNumber() {
        return ++numbers;
    }

    /// The faults are over.
    void calmDown() {
        calm = true;
    }

    boolean calm() {
        return calm;
    }

    List<String> databaseMembers() {
        return databaseMembers;
    }

    /// The members by the specification that is in force.
    List<String> journaledMembers() {
        ClusterSpec spec = journal.journaled().spec();
        return spec == null
                ? databaseMembers
                : spec.group("shopdb").map(ClusterSpec.Group::members).orElse(List.of());
    }

    void databaseMembers(List<String> members) {
        databaseMembers = List.copyOf(members);
    }

    /// The specification as an operator would apply it now.
    ClusterSpec spec() {
        return new ClusterSpec(
                "shop",
                timing.name(),
                names.stream().map(h -> new Host(h, address(h))).toList(),
                List.of(
                        new BalancerGroup(
                                "edge",
                                Mode.AUTOMATIC,
                                balancers,
                                List.of(new VirtualAddress(ADDRESS.name(), 24, "eth0", null)),
                                new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy.sock", "haproxy"),
                                null,
                                Recovery.DEFAULT,
                                keeps ? WhenIsolated.KEEP : WhenIsolated.FENCE),
                        new DatabaseGroup(
                                "shopdb",
                                Mode.AUTOMATIC,
                                databaseMembers,
                                "mariadb",
                                3306,
                                new VirtualAddress("192.0.2.20", 24, "eth0", null),
                                null,
                                "mariadb",
                                has(Mutation.CLEAN_STOP_IS_NOT_WAITED_FOR) ? Duration.ofMillis(100) : CLEAN_STOP_WAIT,
                                Recovery.DEFAULT,
                                new Reader(new VirtualAddress(READER.name(), 24, "eth0", null), MAX_LAG),
                                new LongTransactions(Duration.ZERO, true), // no client here is slow
                                null,
                                null,
                                null,
                                prefer,
                                null)));
    }

    /// Who holds the resource by the journal, null for nobody.
    @Nullable
    String journaledHolder(ResourceId resource) {
        ResourceState state = journal.journaled().resources().get(resource);
        return state == null ? null : state.holder();
    }

    @Nullable
    PrimaryState primary() {
        return journal.journaled().resources().get(PRIMARY) instanceof PrimaryState p ? p : null;
    }

    /// The controller that leads in truth, and knows it; null for none.
    @Nullable
    SimController leader() {
        SimController leader = journal.leader();
        return leader != null && leader.believesItLeads() ? leader : null;
    }

    void tell(Supplier<String> line) {
        if (story != null) {
            story.add(agenda + "  " + line.get());
        }
    }

    List<String> story() {
        return story == null ? List.of() : List.copyOf(story);
    }

    void committed(SimController by, Journaled before, JournalEntry entry) {
        witness.committed(by, before, entry);
    }

    void opened(SimDatabase database) {
        tell(() -> database.host.name + ": writable at " + database.position());
        witness.opened(database);
    }

    void serviceDown(SimHost host) {
        tell(() -> host.name + ": the service is " + host.service());
        witness.serviceDown(host);
    }
}
