package dev.understudy.core.simulator;

import java.util.List;

/// Whoever becomes writable has every row that was acknowledged before, the very rows, not others under their
/// GTIDs; so has whoever a client reads from, and so has the primary at the end. The operator may accept a loss;
/// nobody else.
final class NoAcknowledgedWriteLost implements Invariant {

    @Override
    public void opened(Site site, SimDatabase database) {
        if (site.host(database.host.name).agentRuns()) {
            check(site, database, site.clients.acknowledged(), "opens");
        }
    }

    @Override
    public void read(Site site, SimDatabase database, List<Row> rows) {
        check(site, database, rows, "answers a reader");
    }

    @Override
    public void ended(Site site) {
        String holder = site.journaledHolder(Site.PRIMARY);
        if (holder != null && site.database(holder).canAcknowledge()) {
            check(site, site.database(holder), site.clients.acknowledged(), "is primary at the end");
        }
    }

    private static void check(Site site, SimDatabase database, List<Row> rows, String what) {
        for (Row row : rows) {
            if (!database.contains(row) && !site.clients.isDestroyed(row)) {
                List<String> where = site.hosts().stream()
                        .filter(h -> h.database != null && h.database.contains(row))
                        .map(h -> h.name)
                        .toList();
                throw new Violation(
                        NoAcknowledgedWriteLost.class,
                        "%s %s at %s without row %d (%s), which was acknowledged and is in the binary logs of %s"
                                .formatted(database.host.name, what, database.position(), row.id(), row.gtid(), where));
            }
        }
    }
}
