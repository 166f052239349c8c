package dev.understudy.core.readiness;

/// Why a failover would not work now, or not by itself.
///
/// @param because for people, a whole clause
public record Blocker(Reason reason, String because) {

    /// What can be in the way; the names are labels of metrics.
    public enum Reason {
        /// this controller does not lead: no decision can be written
        NO_QUORUM,
        /// the controller hears too few hosts and suspects itself
        BLIND,
        /// agents know of a later epoch than the journal
        JOURNAL_TOO_OLD,
        /// the group is in mode observe or manual, paused or detached
        HELD_BACK,
        /// nobody holds it
        NO_HOLDER,
        /// a move is under way
        MOVING,
        /// the holder does not say that it holds it under a live lease
        LEASE_AT_RISK,
        /// nobody is heard who could end what the holder may live on without a controller (S5)
        NOBODY_TO_CLOSE,
        /// the primary commits without any replica's acknowledgement
        ALONE,
        /// semi-synchronous replication is off at the primary, or no replica is connected with it
        SEMI_SYNC,
        /// no member is known to have every acknowledged write (S14)
        NOBODY_PROMOTABLE,
        /// a member that may have acknowledged a write does not answer, or may have lost it (S14, S15)
        ACKER_UNSURE,
        /// every member that could take over is too far behind
        LAG,
        /// no member could take over
        NO_CANDIDATE,
        /// every member that could take over failed as holder lately
        RECENT_FAILOVER
    }
}
