package dev.understudy.core.simulator;

import dev.understudy.core.Event;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ResourceId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// With the faults off, every resource gets a holder that serves, and every other database follows the primary with
/// the same rows, within a bound; unless the journal says that a person is needed.
final class Converges implements Invariant {

    /// Situations in which the tables say that nothing is done without a person.
    private static final List<String> HELD_BACK = List.of("JOURNAL_TOO_OLD", "RECENT_FAILOVER");

    static final long WITHIN = 90 * Agenda.SECOND;

    @Override
    public void ended(Site site) {
        String missing = missing(site);
        String person = person(site);
        boolean excused = person != null && (!missingAddress(site) || HELD_BACK.contains(person));
        if (missing != null && !excused) {
            throw new Violation(Converges.class, "after " + WITHIN / Agenda.SECOND + " s without faults: " + missing);
        }
    }

    private static boolean missingAddress(Site site) {
        String missing = missing(site);
        return missing != null && missing.startsWith(Site.ADDRESS.toString());
    }

    /// Why a person is needed, by the journal; null for no reason.
    static @Nullable String person(Site site) {
        PrimaryState primary = site.primary();
        if (primary == null) {
            return null;
        }
        boolean quarantined = primary.quarantined().stream()
                .anyMatch(q -> !site.journal.journaled().operations().isRebuilt(Site.PRIMARY.group(), q.host()));
        if (quarantined) {
            return "quarantine";
        }
        Plan plan = primary.plan();
        boolean stopped = plan != null
                && site.journal.journaled().events().stream()
                        .anyMatch(e -> e.plan().equals(plan.id()) && e.to().equals(PrimaryPhase.BLOCKED.name()));
        if (stopped) {
            return "blocked";
        }
        return HELD_BACK.stream()
                .filter(situation -> Site.RESOURCES.stream().anyMatch(r -> situation.equals(lastNote(site, r))))
                .findFirst()
                .orElse(null);
    }

    private static String lastNote(Site site, ResourceId resource) {
        return site.journal.journaled().events().reversed().stream()
                .filter(e -> resource.equals(e.resource()) && !e.row().startsWith("DM"))
                .filter(e -> !e.row().isEmpty())
                .map(Event::situation)
                .findFirst()
                .orElse("");
    }

    /// What is not as it should be; null when all is well.
    static @Nullable String missing(Site site) {
        for (ResourceId resource : Site.RESOURCES) {
            ResourceState state = site.journal.journaled().resources().get(resource);
            String holder = state == null ? null : state.holder();
            if (state == null || !state.steady() || holder == null) {
                return resource + " is " + (state == null ? "unknown" : state.phaseName());
            }
            Kernel.Element element = site.host(holder).kernel.element(resource);
            if (element == null || element.epoch() != state.epoch()) {
                return resource + ": " + holder + " has no live element of epoch " + state.epoch();
            }
        }
        PrimaryState primary = site.primary();
        if (primary == null) {
            return "no primary";
        }
        SimDatabase database = site.database(String.valueOf(primary.holder()));
        if (!database.canAcknowledge()) {
            return database.host.name + " is not writable";
        }
        if (primary.alone()) {
            return database.host.name + " runs alone";
        }
        if (site.journal.journaled().operations().rebuild(Site.PRIMARY.group()).isPresent()) {
            return "a member is being rebuilt";
        }
        for (String member : site.journaledMembers()) {
            SimDatabase other = site.database(member);
            if (other != database && !follows(other, database)) {
                return member + " does not follow " + database.host.name + " with the same rows";
            }
        }
        return misread(site, database);
    }

    /// Reads are with a replica that is close behind.
    private static @Nullable String misread(Site site, SimDatabase primary) {
        String reader = String.valueOf(site.journaledHolder(Site.READER));
        if (!site.standing.isFit(site.database(reader), 0)) {
            return reader + " is too far behind for reads";
        }
        boolean better = site.journaledMembers().stream()
                .anyMatch(m -> !m.equals(reader) && site.standing.isFit(site.database(m), 0));
        return reader.equals(primary.host.name) && better ? "the primary serves reads" : null;
    }

    private static boolean follows(SimDatabase replica, SimDatabase primary) {
        if (replica.replica.source() != primary
                || replica.replica.receiver() != SimReplica.Receiver.YES
                || !replica.replica.applier()
                || !replica.readOnly()) {
            return false;
        }
        for (Row row : replica.binlog()) {
            if (!primary.contains(row)) {
                return false;
            }
        }
        return primary.binlog().size() - replica.binlog().size() < 20;
    }
}
