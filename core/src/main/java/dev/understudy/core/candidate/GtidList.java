package dev.understudy.core.candidate;

import java.util.Map;
import java.util.TreeMap;

/// A MariaDB GTID list, `domain-server-sequence` for each replication domain, as `gtid_binlog_pos` prints it.
///
/// Positions of replicas of one primary are prefixes of one history, so within a domain the higher sequence number
/// contains the lower; an equal number from another server is another history. A higher number from another server
/// proves nothing by itself: presence is tested in the binary log before a member follows (S17).
///
/// @param domains last GTID by domain id
public record GtidList(Map<Long, Gtid> domains) {

    public record Gtid(long server, long sequence) {}

    public GtidList {
        domains = Map.copyOf(domains);
    }

    /// @throws IllegalArgumentException if the text is no GTID list; the empty text is the empty list
    public static GtidList parse(String text) {
        Map<Long, Gtid> domains = new TreeMap<>();
        for (String part : text.strip().split(",", -1)) {
            if (part.isBlank()) {
                continue;
            }
            String[] numbers = part.strip().split("-", -1);
            if (numbers.length != 3) {
                throw new IllegalArgumentException("not a GTID list: '" + text + "'");
            }
            try {
                domains.put(
                        Long.parseLong(numbers[0]), new Gtid(Long.parseLong(numbers[1]), Long.parseLong(numbers[2])));
            } catch (NumberFormatException notANumber) {
                throw new IllegalArgumentException("not a GTID list: '" + text + "'", notANumber);
            }
        }
        return new GtidList(domains);
    }

    /// Whether this history reaches at least as far as the other in each of its domains, without an equal sequence
    /// number from another server.
    public boolean contains(GtidList other) {
        return other.domains.entrySet().stream().allMatch(entry -> {
            Gtid mine = domains.get(entry.getKey());
            Gtid theirs = entry.getValue();
            return mine != null
                    && (mine.sequence() > theirs.sequence()
                            || (mine.sequence() == theirs.sequence() && mine.server() == theirs.server()));
        });
    }

    /// The further of two positions of one member in each domain (received and own binary log, say).
    public GtidList furthest(GtidList other) {
        Map<Long, Gtid> merged = new TreeMap<>(domains);
        other.domains.forEach(
                (domain, gtid) -> merged.merge(domain, gtid, (a, b) -> a.sequence() >= b.sequence() ? a : b));
        return new GtidList(merged);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(domains)
                .forEach((domain, gtid) -> text.append(text.isEmpty() ? "" : ",")
                        .append(domain)
                        .append('-')
                        .append(gtid.server())
                        .append('-')
                        .append(gtid.sequence()));
        return text.toString();
    }
}
