package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.NetworkNamespace;
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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The nftables gate (S10, S11): tables `inet NAME` and `arp NAME`. A packet to a guarded address (ahead of NAT),
/// one from it (output, and after NAT for containers), and an ARP reply or neighbour advertisement for it are
/// dropped unless
///
/// - the address is in the set `held`, whose elements end by themselves after a relative time-out, and
/// - the wall clock is inside `until_ADDRESS`, an absolute deadline: a pause between computing a time-out and the
///   kernel's getting it would lengthen the relative one alone.
///
/// Both are needed: a wall clock that is set back lengthens the absolute one only. The loopback interface is exempt.
/// Tables and elements outlive this process, which is the point. Not thread-safe but for what [NftClient] gives;
/// [KernelAddressControl] calls it under its lock.
final class KernelGate implements AutoCloseable {

    private static final Pattern UNTIL = Pattern.compile("set until_([0-9a-f]+) \\{");
    private static final Pattern EXPIRES = Pattern.compile("expires (\\w+)");
    private static final Pattern COMMENT = Pattern.compile("comment \"([^\"]*)\"");
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

    /// The live element of an address.
    record Element(String comment, Duration expires) {}

    /// @param proven the scratch element lapsed and refreshed as it must
    record Proof(boolean proven, String detail) {}

    private record Limit(Duration left, long untilNanos) {}

    /// @param name of the tables
    /// @param clock the process's monotonic clock
    /// @param wallNanos CLOCK_REALTIME in nanoseconds since 1970
    KernelGate(
            String name,
            NetworkNamespace namespace,
            Supplier<Moment> clock,
            LongSupplier wallNanos,
            Duration nftTimeout) {
        this.clock = clock;
        this.name = name;
        this.nft = new NftClient(namespace, nftTimeout);
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

    private boolean writesExactly(String table) throws IOException {
        long moment = wallNanos.getAsLong() + 12_345_678_912L;
        if (!nft.run("add element " + table + " until { 0-" + NftTime.exact(moment) + " }")
                .ok()) {
            return false;
        }
        String expected = NFT_DATE.format(Instant.ofEpochSecond(0, moment));
        return nft.run("list set " + table + " until").text().contains("\"" + expected + "\"");
    }

    /// Guards exactly these addresses, in one transaction. Elements of addresses that stay are not touched.
    void guard(Collection<InetAddress> addresses) throws IOException {
        NftClient.Reply listed = nft.run("list table inet " + name);
        Set<String> stale = new LinkedHashSet<>();
        Matcher matcher = UNTIL.matcher(listed.text());
        while (matcher.find()) {
            stale.add(matcher.group(1));
        }
        String build = GateRules.build(name, addresses);
        NftClient.Reply built = nft.run(build);
        if (!built.ok()) { // tables of another shape: replaced in one transaction, what was held is not adoptable
            run("add table inet " + name + "; add table arp " + name + "; delete table inet " + name
                    + "; delete table arp " + name + "; " + build);
            stale.clear();
        }
        addresses.forEach(address -> stale.remove(GateRules.hex(address)));
        for (String hex : stale) {
            InetAddress address = GateRules.address(hex);
            remove(address);
            for (String table : GateRules.tables(name, address)) {
                run("delete set " + table + " until_" + hex);
            }
        }
    }

    /// Opens the gate for an address where no element is: the only way by which one comes to be. Replaces the live
    /// element of an earlier epoch.
    ///
    /// @return false: the deadline is over, nothing was opened
    boolean open(InetAddress address, String comment, Moment deadline) throws IOException {
        Limit limit = limit(deadline);
        if (limit.left().isPositive()
                && nft.run(elements("create", address, comment, limit)).ok()) {
            return true;
        }
        remove(address);
        limit = limit(deadline);
        if (!limit.left().isPositive()) {
            return false;
        }
        run(elements("create", address, comment, limit));
        return true;
    }

    /// Extends a live element, in one transaction that fails when it has lapsed (S10).
    ///
    /// @return false: it had lapsed and stays so
    /// @throws IOException it is not known; the element ends at its time in any case
    boolean extend(InetAddress address, String comment, Moment deadline) throws IOException {
        StringBuilder line = new StringBuilder();
        for (String table : GateRules.tables(name, address)) {
            line.append(deletion(table, address)).append("; ");
        }
        Limit limit = limit(deadline);
        if (!limit.left().isPositive()) {
            return false;
        }
        NftClient.Reply reply = nft.run(line + elements("add", address, comment, limit));
        if (reply.ok()) {
            return true;
        }
        if (reply.error().contains("No such file")) {
            return false;
        }
        throw new IOException("nft: " + reply.error());
    }

    /// Closes the gate. Nothing happens when it is closed.
    void remove(InetAddress address) throws IOException {
        for (String table : GateRules.tables(name, address)) {
            NftClient.Reply reply = nft.run(deletion(table, address));
            if (!reply.ok() && !reply.error().contains("No such file")) {
                throw new IOException("nft: " + reply.error());
            }
        }
    }

    Optional<Element> element(InetAddress address) throws IOException {
        NftClient.Reply reply = nft.run(
                "get element inet " + name + " " + GateRules.held(address) + " { " + GateRules.text(address) + " }");
        Matcher expires = EXPIRES.matcher(reply.text());
        Matcher comment = COMMENT.matcher(reply.text());
        if (!reply.ok() || !expires.find() || !comment.find()) {
            return Optional.empty();
        }
        Duration left = NftTime.duration(expires.group(1));
        return left.isPositive() ? Optional.of(new Element(comment.group(1), left)) : Optional.empty();
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

    private static String deletion(String table, InetAddress address) {
        return "delete element " + table + " " + GateRules.held(address) + " { " + GateRules.text(address) + " }";
    }

    private String elements(String verb, InetAddress address, String comment, Limit limit) {
        String until = exactDeadlines ? NftTime.exact(limit.untilNanos()) : NftTime.wholeSeconds(limit.untilNanos());
        List<String> commands = new ArrayList<>();
        for (String table : GateRules.tables(name, address)) {
            String set = table + " until_" + GateRules.hex(address);
            commands.add(verb + " element " + table + " " + GateRules.held(address) + " { " + GateRules.text(address)
                    + " timeout " + Math.max(1, limit.left().toMillis()) + "ms comment \"" + comment + "\" }");
            commands.add("flush set " + set);
            commands.add("add element " + set + " { 0-" + until + " }");
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
