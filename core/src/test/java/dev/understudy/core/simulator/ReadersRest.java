package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.Plan;
import dev.understudy.core.diagnosis.AddressSituation;
import dev.understudy.core.diagnosis.Deadlines;
import java.util.Set;

/// A reader address that could stay where it is goes to a replica only if that has been close behind for long.
final class ReadersRest implements Invariant {

    private static final Set<String> BETTER_ELSEWHERE =
            Set.of(AddressSituation.READER_BEHIND.name(), AddressSituation.READER_AT_PRIMARY.name());

    /// Clocks differ, and the end of being unfit is seen at once, its beginning late.
    private static final long TOLERANCE = 3 * Agenda.SECOND;

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        if (!(entry instanceof ResourceChanged changed)
                || !changed.next().id().equals(Site.READER)
                || !BETTER_ELSEWHERE.contains(entry.event().situation())) {
            return;
        }
        Plan plan = changed.next().plan();
        String to = plan == null ? null : plan.to();
        if (to == null || to.equals(site.journaledHolder(Site.PRIMARY))) {
            return;
        }
        long rested = site.standing.sinceUnfit(to);
        if (rested < Deadlines.READER_RETURNS.toNanos() - TOLERANCE) {
            throw new Violation(
                    ReadersRest.class,
                    "%s was unfit %d ms ago: %s"
                            .formatted(to, rested / Agenda.MILLI, entry.event().describe()));
        }
    }
}
