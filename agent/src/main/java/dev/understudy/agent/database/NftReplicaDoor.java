package dev.understudy.agent.database;

import dev.understudy.protocol.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// [ReplicaDoor] by nftables, in a table of its own: nothing but orders changes it. Resets pass, so that both ends of a
/// connection hear at once that it is over.
public final class NftReplicaDoor implements ReplicaDoor {

    /// How the names of these tables begin.
    public static final String TABLE = "understudy_shut";

    private static final Pattern ELEMENT = Pattern.compile("([0-9a-fA-F.:]+) \\. \\d+");

    private final List<String> prefix;
    private final String table;
    private final int port;

    /// @param prefix what to put before `nft`, such as `ip netns exec NAME`; usually nothing
    public NftReplicaDoor(List<String> prefix, String table, int port) {
        this.prefix = List.copyOf(prefix);
        this.table = table;
        this.port = port;
    }

    /// The table itself, in a form that may be loaded again and keeps the sets' elements.
    private String frame() {
        return """
        table inet %1$s {
            set shut4 { type ipv4_addr . inet_service; }
            set shut6 { type ipv6_addr . inet_service; }
            chain input { type filter hook input priority -200; policy accept; }
            chain output { type filter hook output priority -200; policy accept; }
        }
        flush chain inet %1$s input
        flush chain inet %1$s output
        add rule inet %1$s input tcp flags & rst != rst ip saddr . tcp dport @shut4 reject with tcp reset
        add rule inet %1$s input tcp flags & rst != rst ip6 saddr . tcp dport @shut6 reject with tcp reset
        add rule inet %1$s output tcp flags & rst != rst ip daddr . tcp sport @shut4 reject with tcp reset
        add rule inet %1$s output tcp flags & rst != rst ip6 daddr . tcp sport @shut6 reject with tcp reset
        """.formatted(table);
    }

    @Override
    public Outcome shut(String address) {
        return nft(frame() + "add element inet " + table + " " + element(address) + "\n");
    }

    @Override
    public Outcome open(String address) {
        // added first: deleting what is not there is an error
        String element = " inet " + table + " " + element(address) + "\n";
        return nft(frame() + "add element" + element + "delete element" + element);
    }

    @Override
    public Outcome openAll() {
        return nft("table inet " + table + "\ndelete table inet " + table + "\n");
    }

    @Override
    public Optional<Set<String>> shutOut() {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of("nft", "-n", "list", "table", "inet", table));
        Outcome listed = NftScript.run(command, "");
        if (!(listed instanceof Outcome.Done done)) {
            return listed.describe().contains("No such file") ? Optional.of(Set.of()) : Optional.empty();
        }
        Set<String> addresses = new TreeSet<>();
        Matcher element = ELEMENT.matcher(done.facts().getOrDefault(NftScript.PRINTED, ""));
        while (element.find()) {
            addresses.add(element.group(1));
        }
        return Optional.of(addresses);
    }

    private String element(String address) {
        return (address.indexOf(':') >= 0 ? "shut6" : "shut4") + " { " + address + " . " + port + " }";
    }

    private Outcome nft(String script) {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of("nft", "-n", "-f", "-"));
        return NftScript.run(command, script);
    }
}
