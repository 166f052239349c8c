package dev.understudy.core.simulator;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Data that are put aside, and later removed, for a copy are never the only ones with a row that a client was told is
/// safe.
final class NoOnlyCopyThrownAway implements Invariant {

    @Override
    public void thrownAway(Site site, SimHost host, List<Row> rows) {
        Set<Row> gone = new HashSet<>(rows);
        for (Row row : site.clients.acknowledged()) {
            boolean elsewhere = !gone.contains(row)
                    || site.clients.isDestroyed(row)
                    || site.hosts().stream()
                            .anyMatch(h -> h.database != null && (h.database.contains(row) || h.hasInRelayLog(row)));
            if (!elsewhere) {
                throw new Violation(
                        NoOnlyCopyThrownAway.class,
                        "only %s has row %d (%s), which was acknowledged, in the data that are put aside"
                                .formatted(host.name, row.id(), row.gtid()));
            }
        }
    }
}
