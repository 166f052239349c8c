package dev.understudy.core.simulator;

import dev.understudy.core.Event;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.ResourceState;
import dev.understudy.core.policy.AddressPolicy;
import dev.understudy.core.policy.PolicyTable;
import dev.understudy.core.policy.PrimaryPolicy;
import dev.understudy.protocol.LeaseHolder.Floor;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Each change of phase or holder in the journal carries the row of the table that allows it from that phase in
/// that situation; and what begins an unplanned move is true: a service that is called dead was down while it held,
/// a lease that is called over is over in the kernel, a release is on the holder's disk.
final class NoFailoverWithoutDiagnosis implements Invariant {

    private static final Map<String, PolicyTable.Row<?, ?, ?>> ROWS = new HashMap<>();

    static {
        AddressPolicy.TABLE.rows().forEach(row -> ROWS.put(row.id(), row));
        PrimaryPolicy.TABLE.rows().forEach(row -> ROWS.put(row.id(), row));
    }

    private final Map<ResourceId, Long> heldSince = new TreeMap<>();
    /// when each host's service was last seen down
    private final Map<String, Long> downAt = new HashMap<>();

    @Override
    public void serviceDown(Site site, SimHost host) {
        downAt.put(host.name, site.agenda.now());
    }

    @Override
    public void serviceUp(Site site, SimHost host) {
        downAt.put(host.name, site.agenda.now()); // until now
    }

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        if (!(entry instanceof ResourceChanged changed)) {
            return;
        }
        ResourceState next = changed.next();
        ResourceState old = before.resources().get(next.id());
        if (old == null) {
            return;
        }
        boolean moved = !next.phaseName().equals(old.phaseName()) || !Objects.equals(next.holder(), old.holder());
        if (moved) {
            check(site, old, next, entry.event());
        }
        if (moved && next.steady()) {
            heldSince.put(next.id(), site.agenda.now());
        }
    }

    private void check(Site site, ResourceState old, ResourceState next, Event event) {
        PolicyTable.Row<?, ?, ?> row = ROWS.get(event.row());
        if (row == null) {
            throw violated(event, "no row allows it");
        }
        boolean allowed = row.phase().name().equals(old.phaseName())
                && row.situations().stream().anyMatch(s -> s.name().equals(event.situation()))
                && row.next() != null
                && row.next().name().equals(next.phaseName());
        if (!allowed) {
            throw violated(event, "the row says something else: " + row);
        }
        String holder = old.holder();
        if (!old.steady() || holder == null) {
            return;
        }
        SimHost host = site.host(holder);
        switch (event.situation()) {
            case "SERVICE_DOWN" -> {
                long since = heldSince.getOrDefault(old.id(), 0L) - 3 * Agenda.SECOND;
                if (host.service() == ServiceState.RUNNING && downAt.getOrDefault(holder, Long.MIN_VALUE) < since) {
                    throw violated(event, "the service of " + holder + " never was down");
                }
            }
            case "HOLDER_LAPSED" -> {
                Kernel.Element element = host.kernel.element(old.id());
                if (element != null && element.epoch() == old.epoch()) {
                    throw violated(event, "the lease of " + holder + " is alive in its kernel");
                }
            }
            case "HOLDER_RELEASED" -> {
                if (host.disk.floor(old.id()).map(Floor::released).orElse(0L) < old.epoch()) {
                    throw violated(event, holder + " has not released it");
                }
            }
            default -> {}
        }
    }

    private static Violation violated(Event event, String why) {
        return new Violation(NoFailoverWithoutDiagnosis.class, event.describe() + ": " + why);
    }
}
