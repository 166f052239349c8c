package dev.understudy.agent.act.net;

import dev.understudy.protocol.Moment;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The nftables gate (S10, S11): tables `inet NAME` and `arp NAME`. A packet to a guarded address or database port
/// (ahead of NAT), one from it (output, and after NAT for containers), and an ARP reply or neighbour advertisement
/// for an address are dropped, at a port rejected, unless
///
/// - the address or port is in a set whose elements end by themselves after a relative time-out, and
/// - the wall clock is inside `until_…`, an absolute deadline: a pause between computing a time-out and the kernel's
///   getting it would lengthen the relative one alone.
///
/// Both are needed: a wall clock that is set back lengthens the absolute one only. The loopback interface is exempt,
/// at a port also the group's other members, and everybody while the port is in the set `reading`.
/// Tables and elements outlive this process, which is the point. Not thread-safe but for what [NftClient] gives;
/// [KernelAddressControl] calls it under its lock.
final class KernelGate implements AutoCloseable {

    private static final Pattern UNTIL = Pattern.compile("set until_(\\w+) \\{");
    private static final Pattern ELEMENTS = Pattern.compile("\\s*elements = \\{[^}]*}");
    private static final Pattern COUNTED = Pattern.compile("counter packets \\d+ bytes \\d+");
    private static final String NO_SUCH = "No such file";
    private static final Pattern EXPIRES = Pattern.compile("expires (\\w+)");
    private static final Pattern COMMENT = Pattern.compile("comment \"([^\"]*)\"");
    private static final Pattern TIMED = Pattern.compile("([0-9a-f.:]+) timeout \\w+ expires (\\w+)");
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._:/@+-]{1,100}");
    private static final DateTimeFormatter NFT_DATE =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss").withZone(ZoneOffset.UTC);
    private static final Duration SCRATCH_TIMEOUT = Duration.ofMillis(80);
    private static final Duration SCRATCH_PATIENCE = Duration.ofSeconds(1);

    private final String name;
    private final NftClient nft;
    private final Supplier<Moment> clock;
    private final LongSupplier wallNanos;
    private boolean exactDeadlines = true;
    private final Map<String, Long> written = new HashMap<>(); // the absolute deadlines of targets
    private String drainDetail = "not proven";
    private String shape = "";

    /// What lives of a target's elements: the earliest end.
    record Element(String comment, Duration expires) {}

    /// @param proven the scratch element lapsed and refreshed as it must
    record Proof(boolean proven, String detail) {}

    private record Limit(Duration left, long untilNanos) {}

    /// @param name of the tables
    /// @param clock the process's monotonic clock
    /// @param wallNanos CLOCK_REALTIME in nanoseconds since 1970
    KernelGate(String name, Supplier<Moment> clock, LongSupplier wallNanos, NftClient nft) {
        this.clock = clock;
        this.name = name;
        this.nft = nft;
        this.wallNanos = wallNanos;
    }

    static String comment(ResourceId resource, long epoch) {
        return resource + " " + epoch;
    }

    /// Whether the resource can be named in an element's comment.
    static boolean nameable(ResourceId resource) {
        return PLAIN.matcher(resource.toString()).matches();
    }

    /// Shows in a scratch table that a time-out ends an element, that delete and add refresh it and fail after its
    /// end, and how exactly an absolute deadline can be written.
    Proof prove() {
        String table = "inet " + name + "_scratch";
        try {
            run("add table " + table);
            run("delete table " + table + "; add table " + table + "; add set " + table
                    + " held { type ipv4_addr; flags timeout; }; add set " + table
                    + " until { typeof meta time; flags interval; }");
            String element = "{ 192.0.2.1 timeout " + SCRATCH_TIMEOUT.toMillis() + "ms }";
            run("create element " + table + " held " + element);
            String refresh =
                    "delete element " + table + " held { 192.0.2.1 }; add element " + table + " held " + element;
            NftClient.Reply refreshed = nft.run(refresh);
            if (!refreshed.ok()) {
                return new Proof(false, "a live element is not refreshed: " + refreshed.error());
            }
            long end = System.nanoTime() + SCRATCH_PATIENCE.toNanos();
            while (nft.run("get element " + table + " held { 192.0.2.1 }").ok()) {
                if (System.nanoTime() > end) {
                    return new Proof(false, "an element with a time-out of " + SCRATCH_TIMEOUT + " did not lapse");
                }
                pause();
            }
            if (nft.run(refresh).ok()) {
                return new Proof(false, "a lapsed element was revived by delete and add");
            }
            exactDeadlines = writesExactly(table);
            drainDetail = proveDraining();
            return new Proof(true, exactDeadlines ? "" : "absolute deadlines in whole seconds");
        } catch (IOException e) {
            return new Proof(false, "nftables: " + e.getMessage());
        } finally {
            try {
                nft.run("delete table " + table);
            } catch (IOException e) {
                // said by NftClient; a left scratch table holds nothing and is replaced at the next start
            }
        }
    }

    /// Builds what draining needs for addresses that nobody has, and takes it away again: a kernel without
    /// connection tracking, or without packet copies, must not be without a gate for that.
    ///
    /// @return why this kernel cannot drain, empty if it can
    private String proveDraining() throws IOException {
        String scratch = name + "_scratch";
        GateTarget.Address four = new GateTarget.Address(InetAddress.ofLiteral("240.0.0.1"), true);
        GateTarget.Address six = new GateTarget.Address(InetAddress.ofLiteral("100::1"), true);
        String until = until(wallNanos.getAsLong());
        try {
            String build = GateRules.build(scratch, List.of(four, six));
            for (String line : List.of(
                    GateRules.clear(scratch) + "; " + build,
                    DrainRules.forward(scratch, four, four.address(), "02:00:00:00:00:01", "lo", 1, until),
                    DrainRules.forward(scratch, six, six.address(), "02:00:00:00:00:01", "lo", 1, until))) {
                NftClient.Reply reply = nft.run(line);
                if (!reply.ok()) {
                    return "this kernel cannot drain: " + reply.error();
                }
            }
            return "";
        } finally {
            nft.run(GateRules.clear(scratch));
            nft.run(DrainRules.forwardNothing(scratch));
        }
    }

    /// Why this kernel cannot drain, empty if it can.
    String drainDetail() {
        return drainDetail;
    }

    private boolean writesExactly(String table) throws IOException {
        long moment = wallNanos.getAsLong() + 12_345_678_912L;
        if (!nft.run("add element " + table + " until { 0-" + NftTime.exact(moment) + " }")
                .ok()) {
            return false;
        }
        String expected = NFT_DATE.format(Instant.ofEpochSecond(0, moment));
        return nft.run("list set " + table + " until").text().contains("\"" + expected + "\"");
    }

    /// Guards exactly these targets, in one transaction. Elements of targets that stay are not touched.
    void guard(Collection<GateTarget> targets) throws IOException {
        shape = "";
        NftClient.Reply listed = nft.run("list table inet " + name);
        Set<String> stale = new LinkedHashSet<>();
        Matcher matcher = UNTIL.matcher(listed.text());
        while (matcher.find()) {
            stale.add(matcher.group(1));
        }
        String build = GateRules.build(name, targets);
        NftClient.Reply built = nft.run(build);
        if (!built.ok()) { // tables of another shape: replaced in one transaction, what was held is not adoptable
            run(GateRules.clear(name) + "; " + build);
            stale.clear();
        }
        targets.forEach(target -> stale.remove(target.id()));
        for (String id : stale) {
            forget(GateTarget.named(id));
        }
        shape = shape();
    }

    private void forget(GateTarget target) throws IOException {
        remove(List.of(target));
        for (String set : target.deadlines(name)) {
            run("delete set " + set);
        }
        if (target instanceof GateTarget.Address address) {
            endDrain(address);
            unlessMissing("delete set " + address.drained(name));
            if (!address.four()) {
                run("delete set inet " + name + " nd_" + target.id());
            }
        }
    }

    /// Begins a drain: live elements go and the drain's come in one transaction, which fails when there is no live
    /// one. It is never extended.
    ///
    /// @param own the address under which this host asks for neighbours meanwhile
    /// @return false: nothing was held, nothing is drained
    boolean drain(GateTarget.Address target, InetAddress own, String comment, Moment end) throws IOException {
        StringBuilder line = new StringBuilder();
        for (GateTarget.Slot slot : target.slots(name)) {
            line.append(deletion(slot)).append("; ");
        }
        Limit limit = limit(end);
        String timeout = " timeout " + limit.left().toMillis() + "ms";
        GateTarget.Slot draining = target.draining(name);
        GateTarget.Slot asking = target.asking(name);
        line.append("create element " + draining.set() + " { " + draining.key() + timeout + " comment \"" + comment
                + "\" }; ");
        line.append("add element " + asking.set() + " { " + asking.key() + timeout + " : "
                + own.getHostAddress().replaceAll("%.*", "") + " }; ");
        line.append("flush set " + target.drained(name) + "; add element " + target.drained(name) + " { 0-"
                + until(limit.untilNanos()) + " }");
        NftClient.Reply reply = nft.run(line.toString());
        if (!reply.ok() && !reply.error().contains(NO_SUCH)) {
            throw new IOException("nft: " + reply.error());
        }
        return reply.ok();
    }

    /// Ends a drain; nothing happens when there is none.
    void endDrain(GateTarget.Address target) throws IOException {
        String draining = deletion(target.draining(name));
        String asking = deletion(target.asking(name));
        if (!nft.run(draining + "; " + asking).ok()) {
            unlessMissing(draining);
            unlessMissing(asking);
        }
    }

    /// What is left of a drain.
    Optional<Duration> drained(GateTarget.Address target) throws IOException {
        GateTarget.Slot slot = target.draining(name);
        NftClient.Reply reply = nft.run("get element " + slot.set() + " { " + slot.key() + " }");
        Matcher expires = EXPIRES.matcher(reply.text());
        return reply.ok() && expires.find()
                ? Optional.of(NftTime.duration(expires.group(1))).filter(Duration::isPositive)
                : Optional.empty();
    }

    /// Sends what nobody knows here to the giver, until the end; see [Forwarding].
    void forward(GateTarget.Address target, InetAddress to, String link, String device, Moment end) throws IOException {
        Limit limit = limit(end);
        run(DrainRules.forward(
                name, target, to, link, device, Math.max(1, limit.left().toMillis()), until(limit.untilNanos())));
    }

    void forwardNoMore(GateTarget.Address target) throws IOException {
        run(DrainRules.forwardNoMore(name, target));
    }

    void forwardNothing() throws IOException {
        run(DrainRules.forwardNothing(name));
    }

    /// The elements of drains, and of what is forwarded, as nft prints them.
    List<String> drains() throws IOException {
        List<String> found = new ArrayList<>();
        for (Map.Entry<String, String> set : Map.of(
                        "inet " + name + " draining", "drains",
                        "inet " + name + " draining6", "drains",
                        "ip " + name + "_drain giving", "forwards",
                        "ip6 " + name + "_drain giving", "forwards")
                .entrySet()) {
            Matcher element = TIMED.matcher(nft.run("list set " + set.getKey()).text());
            while (element.find()) {
                found.add(element.group(1) + " " + set.getValue() + " for at most " + element.group(2));
            }
        }
        return found.stream().sorted().toList();
    }

    /// A live lease, as whoever holds it knows it.
    record Live(Collection<GateTarget> targets, String comment, Moment deadline) {
        Live {
            targets = List.copyOf(targets);
        }
    }

    /// Whether tables, sets and rules are still what [#guard] or [#reinstall] made; elements are not looked at.
    boolean whole() throws IOException {
        return !shape.isEmpty() && shape.equals(shape());
    }

    /// Puts a new gate in place of whatever is there, with the elements of these leases and no other, in one
    /// transaction. A lease that ends meanwhile has no element.
    ///
    /// A lease's absolute deadline is the one that was written last, if it was earlier: what has lapsed by the wall
    /// clock stays so.
    void reinstall(Collection<GateTarget> targets, Collection<Live> leases) throws IOException {
        StringBuilder line = new StringBuilder(GateRules.clear(name) + "; " + GateRules.build(name, targets));
        for (Live lease : leases) {
            Limit limit = limit(lease.deadline());
            long until = lease.targets().stream()
                    .mapToLong(target -> written.getOrDefault(target.id(), Long.MAX_VALUE))
                    .min()
                    .orElse(Long.MAX_VALUE);
            Limit least = new Limit(limit.left(), Math.min(until, limit.untilNanos()));
            if (limit.left().isPositive()) {
                line.append("; ").append(elements("create", lease.targets(), lease.comment(), least));
            }
        }
        run(line.toString());
        shape = shape();
    }

    /// Chains with their rules, and the sets' names and types, without what changes by itself.
    private String shape() throws IOException {
        String all = nft.run("list table inet " + name).text() + "\n"
                + nft.run("list table arp " + name).text();
        return COUNTED.matcher(ELEMENTS.matcher(all).replaceAll("")).replaceAll("counter");
    }

    /// Opens the gate for targets where no element is: the only way by which one comes to be. Replaces the live
    /// elements of an earlier epoch. A port that was open to reads is so no more.
    ///
    /// @return false: the deadline is over, nothing was opened
    boolean open(Collection<GateTarget> targets, String comment, Moment deadline) throws IOException {
        String noReads = targets.stream()
                .filter(GateTarget.Port.class::isInstance)
                .map(port -> reads((GateTarget.Port) port, false) + "; ")
                .collect(Collectors.joining());
        Limit limit = limit(deadline);
        if (limit.left().isPositive()
                && nft.run(noReads + elements("create", targets, comment, limit))
                        .ok()) {
            return true;
        }
        remove(targets);
        limit = limit(deadline);
        if (!limit.left().isPositive()) {
            return false;
        }
        run(noReads + elements("create", targets, comment, limit));
        return true;
    }

    /// Extends live elements, in one transaction that fails when one has lapsed (S10).
    ///
    /// @return false: one had lapsed and stays so
    /// @throws IOException it is not known; the elements end at their time in any case
    boolean extend(Collection<GateTarget> targets, String comment, Moment deadline) throws IOException {
        StringBuilder line = new StringBuilder();
        for (GateTarget target : targets) {
            for (GateTarget.Slot slot : target.slots(name)) {
                line.append(deletion(slot)).append("; ");
            }
        }
        Limit limit = limit(deadline);
        if (!limit.left().isPositive()) {
            return false;
        }
        NftClient.Reply reply = nft.run(line + elements("add", targets, comment, limit));
        if (reply.ok()) {
            return true;
        }
        if (reply.error().contains(NO_SUCH)) {
            return false;
        }
        throw new IOException("nft: " + reply.error());
    }

    /// Closes the gate, to reads too. Nothing happens when it is closed.
    void remove(Collection<GateTarget> targets) throws IOException {
        for (GateTarget target : targets) {
            for (GateTarget.Slot slot : target.slots(name)) {
                unlessMissing(deletion(slot));
            }
            if (target instanceof GateTarget.Port port) {
                unlessMissing(reads(port, false));
            }
        }
    }

    /// Lets everybody reach the port without a lease, for a server that only reads; or no longer.
    void letRead(GateTarget.Port port, boolean allowed) throws IOException {
        run(reads(port, allowed));
    }

    /// Deleting what is not there is an error, so it is added first.
    private String reads(GateTarget.Port port, boolean allowed) {
        String element = " element inet " + name + " reading { " + port.number() + " }";
        return "add" + element + (allowed ? "" : "; delete" + element);
    }

    private void unlessMissing(String deletion) throws IOException {
        NftClient.Reply reply = nft.run(deletion);
        if (!reply.ok() && !reply.error().contains(NO_SUCH)) {
            throw new IOException("nft: " + reply.error());
        }
    }

    /// The live element of a target, empty unless it lives everywhere.
    Optional<Element> element(GateTarget target) throws IOException {
        Element found = null;
        for (GateTarget.Slot slot : target.slots(name)) {
            NftClient.Reply reply = nft.run("get element " + slot.set() + " { " + slot.key() + " }");
            Matcher expires = EXPIRES.matcher(reply.text());
            Matcher comment = COMMENT.matcher(reply.text());
            if (!reply.ok() || !expires.find() || !comment.find()) {
                return Optional.empty();
            }
            Duration left = NftTime.duration(expires.group(1));
            if (!left.isPositive()) {
                return Optional.empty();
            }
            if (found == null || left.compareTo(found.expires()) < 0) {
                found = new Element(comment.group(1), left);
            }
        }
        return Optional.ofNullable(found);
    }

    long nftPid() {
        return nft.pid();
    }

    @Override
    public void close() {
        nft.close();
    }

    /// What is left, relative and absolute. The wall clock is read first: a pause between the two readings then
    /// makes the absolute deadline earlier, never later.
    private Limit limit(Moment deadline) {
        long wall = wallNanos.getAsLong();
        Duration left = deadline.since(clock.get());
        return new Limit(left, wall + left.toNanos());
    }

    private static String deletion(GateTarget.Slot slot) {
        return "delete element " + slot.set() + " { " + slot.key() + " }";
    }

    private String until(long wall) {
        return exactDeadlines ? NftTime.exact(wall) : NftTime.wholeSeconds(wall);
    }

    private String elements(String verb, Collection<GateTarget> targets, String comment, Limit limit) {
        String until = until(limit.untilNanos());
        List<String> commands = new ArrayList<>();
        for (GateTarget target : targets) {
            written.put(target.id(), limit.untilNanos());
            for (GateTarget.Slot slot : target.slots(name)) {
                commands.add(verb + " element " + slot.set() + " { " + slot.key() + " timeout "
                        + Math.max(1, limit.left().toMillis()) + "ms comment \"" + comment + "\" }");
            }
            for (String set : target.deadlines(name)) {
                commands.add("flush set " + set);
                commands.add("add element " + set + " { 0-" + until + " }");
            }
        }
        return String.join("; ", commands);
    }

    private NftClient.Reply run(String line) throws IOException {
        NftClient.Reply reply = nft.run(line);
        if (!reply.ok()) {
            throw new IOException("nft: " + reply.error());
        }
        return reply;
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(Duration.ofMillis(10));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
