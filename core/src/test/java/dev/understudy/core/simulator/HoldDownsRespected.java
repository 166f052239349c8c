package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.Operations.Failover;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ServiceState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What has to be waited for is waited for: a primary that was stopped cleanly gets its time to come back, and a
/// resource that moves again and again is not moved back to a member that failed.
final class HoldDownsRespected implements Invariant {

    /// Clocks differ, and news takes a moment.
    private static final double TOLERANCE = 0.95;

    private static final long UNSEEN = 20 * Agenda.SECOND;

    private final Map<String, Long> stoppedAt = new HashMap<>();

    @Override
    public void serviceDown(Site site, SimHost host) {
        // a start and a stop again that no agent could tell of do not count: a frozen host
        long before = stoppedAt.getOrDefault(host.name, -UNSEEN);
        if (host.service() == ServiceState.STOPPED && site.agenda.now() - before > UNSEEN) {
            stoppedAt.put(host.name, site.agenda.now());
        }
    }

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        if (!(entry instanceof ResourceChanged changed)) {
            return;
        }
        ResourceState next = changed.next();
        ResourceState old = before.resources().get(next.id());
        if (old != null && old.steady()) {
            cleanStop(site, old, entry);
        } else if (old != null && next.steady()) {
            antiFlap(before, old, next, entry);
        }
    }

    private void cleanStop(Site site, ResourceState old, JournalEntry entry) {
        long stopped = site.agenda.now() - stoppedAt.getOrDefault(String.valueOf(old.holder()), 0L);
        if (entry.event().situation().equals("STOPPED_TOO_LONG")
                && stopped < Site.CLEAN_STOP_WAIT.toNanos() * TOLERANCE) {
            throw new Violation(
                    HoldDownsRespected.class,
                    "%s was stopped %d ms ago only: %s"
                            .formatted(
                                    old.holder(),
                                    stopped / Agenda.MILLI,
                                    entry.event().describe()));
        }
    }

    /// A run is shorter than the window of the rule: every failover of it counts. A primary is elected by what it
    /// has received, whoever failed before: this is about addresses.
    private static void antiFlap(Journaled before, ResourceState old, ResourceState next, JournalEntry entry) {
        Plan plan = old.plan();
        List<Failover> recent = before.operations().failovers().getOrDefault(next.id(), List.of());
        boolean back = plan != null
                && next.id().equals(Site.ADDRESS)
                && plan.rejected().isEmpty() // a second choice within a plan is not held back
                && plan.kind() == Plan.Kind.FAILOVER
                && !String.valueOf(next.holder()).equals(plan.from())
                && recent.stream().anyMatch(f -> f.from().equals(next.holder()));
        if (back && recent.size() >= Recovery.MOST_FAILOVERS) {
            throw new Violation(
                    HoldDownsRespected.class,
                    "the resource goes back to a member that failed, after %d failovers: %s"
                            .formatted(recent.size(), entry.event().describe()));
        }
    }
}
