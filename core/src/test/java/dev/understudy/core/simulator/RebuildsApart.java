package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.Membership.Stage;
import dev.understudy.core.Operations;
import dev.understudy.core.Plan;
import dev.understudy.core.Rebuild;
import dev.understudy.core.Rebuild.Phase;
import dev.understudy.core.ResourceState.PrimaryState;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A member whose data are being replaced takes no part: it is no acker, not promotable, quarantined, not chosen and
/// never the holder; and the primary is its donor only if no replica would do, or an operator named it.
final class RebuildsApart implements Invariant {

    /// What was connected is known to be so for about as long.
    private static final long CONNECTED = 10 * Agenda.SECOND;

    private @Nullable JournalEntry latest;

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        Operations operations = site.journal.journaled().operations();
        Rebuild rebuild = operations.rebuild(Site.PRIMARY.group()).orElse(null);
        PrimaryState primary = site.primary();
        if (rebuild == null || primary == null) {
            return;
        }
        latest = entry;
        if (entry instanceof ResourceChanged changed
                && changed.next().equals(primary)
                && primary.steady()
                && !primary.alone()
                && primary.members().isAt(rebuild.host(), Stage.LEAVING)
                && before.resources().get(Site.PRIMARY) instanceof PrimaryState old
                && !old.members().isShutOut(rebuild.host())) {
            leaves(site, primary, rebuild, entry);
        }
        String donor = before.operations()
                .rebuild(Site.PRIMARY.group())
                .map(Rebuild::donor)
                .orElse(null);
        if (rebuild.donor() != null && !Objects.equals(donor, rebuild.donor())) {
            donor(site, by, primary, rebuild, entry);
        }
    }

    /// What is decided at once is committed at once: between its entries nothing can happen.
    @Override
    public void after(Site site) {
        JournalEntry entry = latest;
        if (entry == null) {
            return;
        }
        latest = null;
        Rebuild rebuild = site.journal
                .journaled()
                .operations()
                .rebuild(Site.PRIMARY.group())
                .orElse(null);
        PrimaryState primary = site.primary();
        if (primary != null
                && rebuild != null
                && (rebuild.phase() == Phase.COPYING || rebuild.phase() == Phase.ADOPTING)) {
            apart(site, primary, rebuild, entry);
        }
    }

    private static void apart(Site site, PrimaryState primary, Rebuild rebuild, JournalEntry entry) {
        String host = rebuild.host();
        Plan plan = primary.plan();
        String wrong = primary.ackers().contains(host)
                ? "is an acker"
                : primary.members().promotable().contains(host)
                        ? "is promotable"
                        : host.equals(primary.holder()) || (plan != null && host.equals(plan.to()))
                                ? "is or becomes the holder"
                                : site.journaledMembers().contains(host) && !primary.isQuarantined(host)
                                        ? "is not quarantined"
                                        : "";
        if (!wrong.isEmpty()) {
            throw violated(host + " " + wrong + " while it is being rebuilt", entry);
        }
    }

    private static void leaves(Site site, PrimaryState primary, Rebuild rebuild, JournalEntry entry) {
        boolean another = primary.ackers().stream()
                .anyMatch(acker -> !acker.equals(rebuild.host()) && site.standing.sinceConnected(acker) < CONNECTED);
        if (!another && rebuild.phase() == Phase.LEAVING) {
            throw violated(rebuild.host() + " leaves, and nobody else could acknowledge", entry);
        }
    }

    private static void donor(Site site, SimController by, PrimaryState primary, Rebuild rebuild, JournalEntry entry) {
        String donor = String.valueOf(rebuild.donor());
        if (donor.equals(rebuild.host()) || primary.isQuarantined(donor)) {
            throw violated(donor + " is no donor", entry);
        }
        if (rebuild.wanted() != null || !donor.equals(primary.holder())) {
            return;
        }
        for (String other : site.journaledMembers()) {
            boolean would = !other.equals(rebuild.host())
                    && !other.equals(donor)
                    && site.standing.fitFor(other) > 8 * Agenda.SECOND
                    && site.host(other).agentRuns()
                    && !site.network.isBad()
                    && site.network.openBothWays(other, by.name)
                    && site.journal.journaled().operations().maintenance().isEmpty()
                    && primary.completeIn(other)
                            .filter(site.database(other).run()::equals)
                            .isPresent();
            if (would) {
                throw violated("the primary is the donor though " + other + " would do", entry);
            }
        }
    }

    private static Violation violated(String what, JournalEntry entry) {
        return new Violation(RebuildsApart.class, what + ": " + entry.event().describe());
    }
}
