package dev.understudy.core.policy;

import dev.understudy.core.diagnosis.MemberSituation;
import dev.understudy.core.policy.PolicyTable.Row;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What is done about a database member that is not the primary, while the primary is held.
public final class MemberPolicy {

    /// Members have no phases of their own: everything is read from what is seen.
    public enum Standing {
        BESIDE_A_PRIMARY
    }

    public enum Action {
        NONE,
        NOTE,
        /// journal it as an acker, then order it to follow
        FOLLOW,
        /// order it to fence itself
        FENCE,
        /// journal the attempt and order it to start its server again
        RESTART,
        /// journal the quarantine and page
        QUARANTINE,
        /// it leaves the promotable members, then, shut out at the primary, the ackers
        PART
    }

    // spotless:off
    public static final PolicyTable<Standing, MemberSituation, Action> TABLE = new PolicyTable<>(
            "Members beside a primary", Standing.class, MemberSituation.class,
            Map.of(Standing.BESIDE_A_PRIMARY, EnumSet.allOf(MemberSituation.class)),
            List.of(
                    row("DM-01", MemberSituation.FOLLOWING,      Action.NONE,       "it follows the primary"),
                    row("DM-02", MemberSituation.ASTRAY,         Action.FOLLOW,     "it is read-only and does not follow: it is told to, and refuses by itself if it has diverged"),
                    row("DM-03", MemberSituation.ON_ITS_WAY,     Action.NONE,       "its answer is waited for, or a failed attempt is a moment ago"),
                    row("DM-04", MemberSituation.WRITABLE,       Action.FENCE,      "only the holder of the epoch may be writable"),
                    row("DM-05", MemberSituation.APPLIER_BROKEN, Action.NOTE,       "its applier stopped at an error: only a person can say what to do"),
                    row("DM-06", MemberSituation.DIVERGED,       Action.QUARANTINE, "it has transactions that the primary lacks: it is left as it is and reported"),
                    row("DM-07", MemberSituation.QUARANTINED,    Action.PART,       "a quarantined member is not touched; it leaves the ackers"),
                    row("DM-08", MemberSituation.AWAY,           Action.NONE,       "it does not answer: nothing can be done from here"),
                    row("DM-09", MemberSituation.IN_MAINTENANCE, Action.NONE,       "a host in maintenance is left to its operator"),
                    row("DM-10", MemberSituation.RESTART_DUE,    Action.RESTART,    "its server died and the file allows a restart: it comes back read-only and follows"),
                    row("DM-11", MemberSituation.LOST,           Action.PART,       "it leaves the promotable members; and the ackers when the primary hears it no more and another has everything (S14)"),
                    row("DM-12", MemberSituation.REMOVED,        Action.PART,       "it leaves the promotable members; and the ackers when the primary hears it no more and another has everything (S14)"),
                    row("DM-13", MemberSituation.BEING_REBUILT,  Action.PART,       "it leaves the ackers before its data are touched (S14)")));
    // spotless:on

    private MemberPolicy() {}

    private static Row<Standing, MemberSituation, Action> row(
            String id, MemberSituation situation, Action action, String because) {
        return new Row<>(id, Standing.BESIDE_A_PRIMARY, Set.of(situation), null, action, because);
    }
}
