package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The replicated journal: one leader a term; only it commits, all entries of a decision at once or none. A
/// controller that was deposed, or is cut off from the others, does not commit; it may not know yet.
final class SharedJournal {

    private final Site site;
    private Journaled journaled = Journaled.empty();
    private long term;
    private @Nullable SimController leader;

    SharedJournal(Site site) {
        this.site = site;
    }

    Journaled journaled() {
        return journaled;
    }

    long term() {
        return term;
    }

    @Nullable
    SimController leader() {
        return leader;
    }

    boolean leads(SimController controller, long inTerm) {
        return leader == controller && term == inTerm && !controller.quorumLost();
    }

    /// Somebody leads from now on, in a new term.
    long elect(SimController next) {
        leader = next;
        return ++term;
    }

    boolean commit(SimController by, long inTerm, List<JournalEntry> entries) {
        if (!leads(by, inTerm)) {
            return false;
        }
        for (JournalEntry entry : entries) {
            Journaled before = journaled;
            journaled = journaled.apply(entry);
            site.tell(() -> by.name + " term " + inTerm + ": " + entry.event().describe());
            site.committed(by, before, entry);
        }
        return true;
    }

    /// An older copy of the journal is put in its place (a restored backup).
    void restore(Journaled older) {
        journaled = older;
    }
}
