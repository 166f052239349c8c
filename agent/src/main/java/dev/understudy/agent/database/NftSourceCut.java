package dev.understudy.agent.database;

import dev.understudy.protocol.Outcome;
import java.util.ArrayList;
import java.util.List;

/// [SourceCut] by nftables, in a table of its own with two sets of address and port. Both directions are rejected
/// with a TCP reset: this host's segments to the server's port (its own receiver hears the reset at once) and the
/// server's answers from that port (the primary's dump thread ends). Resets themselves pass, our own among them:
/// without the one that seems to come from the primary, stopping the receiver takes 2 s instead of 15 ms; without
/// the one that goes to the primary, its dump thread never ends and later hangs that whole server (see
/// [StaleDumps]).
public final class NftSourceCut implements SourceCut {

    /// How the names of these tables begin.
    public static final String TABLE = "understudy_cut";

    private final List<String> command;
    private final String table;

    /// @param prefix what to put before `nft`, such as `ip netns exec NAME`; usually nothing
    public NftSourceCut(List<String> prefix, String table) {
        List<String> words = new ArrayList<>(prefix);
        words.addAll(List.of("nft", "-f", "-"));
        command = List.copyOf(words);
        this.table = table;
    }

    /// The one of a database group: its table's name carries the group's.
    public static NftSourceCut ofGroup(String group) {
        return new NftSourceCut(List.of(), TABLE + "_" + group.replaceAll("[^A-Za-z0-9_]", "_"));
    }

    /// The table itself, in a form that may be loaded again and keeps the sets' elements.
    private String frame() {
        return """
        table inet %1$s {
            set cut4 { type ipv4_addr . inet_service; }
            set cut6 { type ipv6_addr . inet_service; }
            chain input { type filter hook input priority -200; policy accept; }
            chain output { type filter hook output priority -200; policy accept; }
        }
        flush chain inet %1$s input
        flush chain inet %1$s output
        add rule inet %1$s input tcp flags & rst != rst ip saddr . tcp sport @cut4 reject with tcp reset
        add rule inet %1$s input tcp flags & rst != rst ip6 saddr . tcp sport @cut6 reject with tcp reset
        add rule inet %1$s output tcp flags & rst != rst ip daddr . tcp dport @cut4 reject with tcp reset
        add rule inet %1$s output tcp flags & rst != rst ip6 daddr . tcp dport @cut6 reject with tcp reset
        """.formatted(table);
    }

    @Override
    public Outcome cut(String address, int port) {
        return nft(frame() + "add element inet " + table + " " + element(address, port) + "\n");
    }

    @Override
    public Outcome restore(String address, int port) {
        // added first: deleting what is not there is an error
        String element = " inet " + table + " " + element(address, port) + "\n";
        return nft(frame() + "add element" + element + "delete element" + element);
    }

    @Override
    public Outcome restoreAll() {
        return nft("table inet " + table + "\ndelete table inet " + table + "\n");
    }

    private static String element(String address, int port) {
        return (address.indexOf(':') >= 0 ? "cut6" : "cut4") + " { " + address + " . " + port + " }";
    }

    private Outcome nft(String script) {
        return NftScript.run(command, script);
    }
}
