package dev.understudy.protocol;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A list of MariaDB GTIDs (`domain-server-sequence`), as `gtid_binlog_pos` (one a domain) or `gtid_binlog_state`
/// (one a domain and server) print it.
///
/// Sequence numbers alone do not show divergence: two servers may have given the same number of one domain to
/// different transactions. [#reached] compares positions within one history (one server's progress, or replicas
/// of one primary); whether another server *has* a transaction is asked of its binary log (S17).
public record GtidList(List<Gtid> gtids) {

    public record Gtid(long domain, long server, long sequence) {
        @Override
        public String toString() {
            return domain + "-" + server + "-" + sequence;
        }
    }

    public GtidList {
        gtids = List.copyOf(gtids);
    }

    /// @throws IllegalArgumentException if the text is not a GTID list; the empty text is the empty list
    public static GtidList parse(String text) {
        List<Gtid> gtids = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String gtid = part.strip();
            if (gtid.isEmpty()) {
                continue;
            }
            String[] fields = gtid.split("-", -1);
            if (fields.length != 3) {
                throw new IllegalArgumentException("not a GTID list: '" + text + "'");
            }
            try {
                gtids.add(new Gtid(
                        Long.parseLong(fields[0]), Long.parseLong(fields[1]), Long.parseUnsignedLong(fields[2])));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("not a GTID list: '" + text + "'", e);
            }
        }
        return new GtidList(gtids);
    }

    public boolean isEmpty() {
        return gtids.isEmpty();
    }

    /// Whether this position, of a server that applies `target`'s events in order, is at or past it in each domain.
    /// The same sequence number with another server id is another transaction: not reached.
    public boolean reached(GtidList target) {
        Map<Long, Gtid> mine = byDomain(gtids);
        for (Gtid wanted : byDomain(target.gtids).values()) {
            Gtid have = mine.get(wanted.domain());
            if (have == null
                    || have.sequence() < wanted.sequence()
                    || (have.sequence() == wanted.sequence() && have.server() != wanted.server())) {
                return false;
            }
        }
        return true;
    }

    /// The later of both in each domain.
    public GtidList merge(GtidList other) {
        Map<Long, Gtid> later = byDomain(gtids);
        for (Gtid gtid : other.gtids) {
            later.merge(gtid.domain(), gtid, (a, b) -> b.sequence() > a.sequence() ? b : a);
        }
        return new GtidList(new ArrayList<>(later.values()));
    }

    /// All of both.
    public GtidList and(GtidList other) {
        List<Gtid> all = new ArrayList<>(gtids);
        other.gtids.stream().filter(g -> !gtids.contains(g)).forEach(all::add);
        return new GtidList(all);
    }

    /// Those of this binary log state that are above what `other`'s state has of the same domain and server:
    /// transactions that the other server's binary log never had.
    public GtidList beyond(GtidList other) {
        List<Gtid> extra = new ArrayList<>();
        for (Gtid mine : gtids) {
            boolean known = other.gtids.stream()
                    .anyMatch(g -> g.domain() == mine.domain()
                            && g.server() == mine.server()
                            && g.sequence() >= mine.sequence());
            if (!known) {
                extra.add(mine);
            }
        }
        return new GtidList(extra);
    }

    /// This binary log state of another server as it was at the position, or before: the position last in each
    /// domain, before it the newest of each other server. What is after the position, and domains that the position
    /// does not have, are left out.
    public GtidList upTo(GtidList position) {
        Map<Long, Gtid> ends = byDomain(position.gtids);
        List<Gtid> state = new ArrayList<>();
        for (Gtid gtid : gtids) {
            Gtid end = ends.get(gtid.domain());
            if (end != null && gtid.server() != end.server() && gtid.sequence() < end.sequence()) {
                state.add(gtid);
            }
        }
        state.addAll(ends.values());
        return new GtidList(state);
    }

    private static Map<Long, Gtid> byDomain(Collection<Gtid> gtids) {
        Map<Long, Gtid> latest = new TreeMap<>();
        for (Gtid gtid : gtids) {
            latest.merge(gtid.domain(), gtid, (a, b) -> b.sequence() >= a.sequence() ? b : a);
        }
        return latest;
    }

    /// As the server writes it: commas, no spaces.
    @Override
    public String toString() {
        return String.join(",", gtids.stream().map(Gtid::toString).toList());
    }
}
