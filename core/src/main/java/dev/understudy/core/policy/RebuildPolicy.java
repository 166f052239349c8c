package dev.understudy.core.policy;

import static dev.understudy.core.diagnosis.RebuildSituation.ADOPTED;
import static dev.understudy.core.diagnosis.RebuildSituation.CLEARED;
import static dev.understudy.core.diagnosis.RebuildSituation.COPIED;
import static dev.understudy.core.diagnosis.RebuildSituation.DONOR_CHOSEN;
import static dev.understudy.core.diagnosis.RebuildSituation.FAILED;
import static dev.understudy.core.diagnosis.RebuildSituation.FAILED_AGAIN;
import static dev.understudy.core.diagnosis.RebuildSituation.FOLLOWS;
import static dev.understudy.core.diagnosis.RebuildSituation.GONE;
import static dev.understudy.core.diagnosis.RebuildSituation.HELD_UP;
import static dev.understudy.core.diagnosis.RebuildSituation.NO_DONOR;
import static dev.understudy.core.diagnosis.RebuildSituation.STILL_ACKER;
import static dev.understudy.core.diagnosis.RebuildSituation.UNDER_WAY;

import dev.understudy.core.Rebuild.Phase;
import dev.understudy.core.diagnosis.RebuildSituation;
import dev.understudy.core.policy.PolicyTable.Row;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// How a member's data are replaced by a copy of another member's. An operator asks for it; nothing here begins by
/// itself.
public final class RebuildPolicy {

    public enum Action {
        NONE,
        NOTE,
        /// the donor of this attempt is journaled
        CHOOSE,
        /// the next attempt, with another token and perhaps another donor
        AGAIN,
        /// the quarantine ends: the member is told to follow as any other
        LET_FOLLOW,
        /// it has ended well, or was ended
        END,
        /// it has ended, and the member is what it was before
        GIVE_UP,
        /// it has ended, and the member stays quarantined
        KEEP_AWAY
    }

    // spotless:off
    public static final PolicyTable<Phase, RebuildSituation, Action> TABLE = new PolicyTable<>(
            "Rebuild of a member", Phase.class, RebuildSituation.class,
            Map.of(
                    Phase.LEAVING, EnumSet.of(HELD_UP, STILL_ACKER, DONOR_CHOSEN, NO_DONOR, GONE),
                    Phase.COPYING, EnumSet.of(UNDER_WAY, COPIED, FAILED, FAILED_AGAIN, GONE),
                    Phase.ADOPTING, EnumSet.of(HELD_UP, UNDER_WAY, ADOPTED, FAILED, FAILED_AGAIN, GONE),
                    Phase.FOLLOWING, EnumSet.of(UNDER_WAY, FOLLOWS, FAILED_AGAIN, GONE),
                    Phase.CANCELLING, EnumSet.of(UNDER_WAY, CLEARED, GONE)),
            List.of(
                    row("RB-01", Phase.LEAVING,    Set.of(HELD_UP),      null,            Action.NOTE,       "a rebuild waits for a steady primary"),
                    row("RB-02", Phase.LEAVING,    Set.of(STILL_ACKER),  null,            Action.NONE,       "whoever may acknowledge keeps its data (S14): it leaves the ackers first"),
                    row("RB-03", Phase.LEAVING,    Set.of(DONOR_CHOSEN), Phase.COPYING,   Action.CHOOSE,     "a copy of the donor's data is made beside its own"),
                    row("RB-04", Phase.LEAVING,    Set.of(NO_DONOR),     null,            Action.NOTE,       "a donor is waited for; the member's own data are untouched"),
                    row("RB-05", Phase.LEAVING,    Set.of(GONE),         Phase.OVER,      Action.GIVE_UP,    "there is nothing to rebuild any more"),
                    row("RB-11", Phase.COPYING,    Set.of(UNDER_WAY),    null,            Action.NONE,       "a copy takes as long as it takes; its progress is told"),
                    row("RB-12", Phase.COPYING,    Set.of(COPIED),       Phase.ADOPTING,  Action.NONE,       "its server is stopped, the copy takes the place of its data, the old ones stay beside it"),
                    row("RB-13", Phase.COPYING,    Set.of(FAILED),       Phase.LEAVING,   Action.AGAIN,      "what came of it is removed, and the copy is begun again from nothing"),
                    row("RB-14", Phase.COPYING,    Set.of(FAILED_AGAIN), Phase.OVER,      Action.GIVE_UP,    "it is not tried again; the member's own data are untouched"),
                    row("RB-15", Phase.COPYING,    Set.of(GONE),         Phase.OVER,      Action.GIVE_UP,    "there is nothing to rebuild any more"),
                    row("RB-21", Phase.ADOPTING,   Set.of(HELD_UP),      null,            Action.NONE,       "the server is not stopped while the primary is being moved"),
                    row("RB-22", Phase.ADOPTING,   Set.of(UNDER_WAY),    null,            Action.NONE,       "its data are being replaced"),
                    row("RB-23", Phase.ADOPTING,   Set.of(ADOPTED),      Phase.FOLLOWING, Action.LET_FOLLOW, "it is quarantined no more and is told to follow"),
                    row("RB-24", Phase.ADOPTING,   Set.of(FAILED),       Phase.LEAVING,   Action.AGAIN,      "another copy is made"),
                    row("RB-25", Phase.ADOPTING,   Set.of(FAILED_AGAIN), Phase.OVER,      Action.KEEP_AWAY,  "it is not tried again, and it stays quarantined: which data it has now is not certain"),
                    row("RB-26", Phase.ADOPTING,   Set.of(GONE),         Phase.OVER,      Action.GIVE_UP,    "there is nothing to rebuild any more"),
                    row("RB-31", Phase.FOLLOWING,  Set.of(UNDER_WAY),    null,            Action.NONE,       "it is told to follow as any member"),
                    row("RB-32", Phase.FOLLOWING,  Set.of(FOLLOWS),      Phase.OVER,      Action.END,        "it is rebuilt; its agent removes the old data"),
                    row("RB-33", Phase.FOLLOWING,  Set.of(FAILED_AGAIN), Phase.OVER,      Action.GIVE_UP,    "its new data are in place: look why it does not follow"),
                    row("RB-34", Phase.FOLLOWING,  Set.of(GONE),         Phase.OVER,      Action.GIVE_UP,    "there is nothing to rebuild any more"),
                    row("RB-41", Phase.CANCELLING, Set.of(UNDER_WAY),    null,            Action.NONE,       "its agent ends the copy and removes what came of it"),
                    row("RB-42", Phase.CANCELLING, Set.of(CLEARED),      Phase.OVER,      Action.GIVE_UP,    "an operator cancelled it; what came of a copy is removed"),
                    row("RB-43", Phase.CANCELLING, Set.of(GONE),         Phase.OVER,      Action.GIVE_UP,    "there is nothing to rebuild any more")));
    // spotless:on

    private RebuildPolicy() {}

    private static Row<Phase, RebuildSituation, Action> row(
            String id,
            Phase phase,
            Set<RebuildSituation> situations,
            @Nullable Phase next,
            Action action,
            String because) {
        return new Row<>(id, phase, situations, next, action, because);
    }
}
