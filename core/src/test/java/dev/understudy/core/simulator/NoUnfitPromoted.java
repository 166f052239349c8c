package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.Plan;
import dev.understudy.core.policy.PrimaryPolicy;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Severity;
import java.util.Set;
import java.util.stream.Collectors;

/// No member is chosen for promotion whose agent has told the controller of a setting that blocks it, except the one
/// that was the primary until now.
final class NoUnfitPromoted implements Invariant {

    private static final Set<String> CHOOSING = PrimaryPolicy.TABLE.rows().stream()
            .filter(row -> row.action() == PrimaryPolicy.Action.CHOOSE || row.action() == PrimaryPolicy.Action.BLOCK)
            .map(row -> row.id())
            .collect(Collectors.toUnmodifiableSet());

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        if (!(entry instanceof ResourceChanged changed)
                || !CHOOSING.contains(entry.event().row())
                || !changed.next().id().equals(Site.PRIMARY)) {
            return;
        }
        Plan plan = changed.next().plan();
        String to = plan == null ? null : plan.to();
        if (plan == null || to == null || to.equals(plan.from())) {
            return;
        }
        Observation.Settings told = by.told(to);
        if (told != null && told.findings().stream().anyMatch(f -> f.severity() == Severity.BLOCKS)) {
            throw new Violation(
                    NoUnfitPromoted.class,
                    "%s has told of %s: %s"
                            .formatted(to, told.findings(), entry.event().describe()));
        }
    }
}
