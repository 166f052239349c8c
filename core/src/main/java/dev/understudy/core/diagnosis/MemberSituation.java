package dev.understudy.core.diagnosis;

/// What can be the matter with a member of a database group that is not the primary.
public enum MemberSituation {
    /// it follows the primary
    FOLLOWING,
    /// it answers, is read-only and does not follow the primary
    ASTRAY,
    /// it is on its way: an order to follow is under way, or failed a moment ago
    ON_ITS_WAY,
    /// it is writable though it is not the primary
    WRITABLE,
    /// its applier stopped at an error
    APPLIER_BROKEN,
    /// it refused to follow: it has transactions that the primary lacks
    DIVERGED,
    /// it was found diverged earlier
    QUARANTINED,
    /// its data are being replaced by a copy of another member's
    BEING_REBUILT,
    /// its server died, and may be started again
    RESTART_DUE,
    /// it is in maintenance: left to its operator
    IN_MAINTENANCE,
    /// it has not answered for so long, or not while in maintenance, that it leaves the ackers
    LOST,
    /// the specification has it in the group no more
    REMOVED,
    /// it is not heard, or its server is not there or does not answer
    AWAY
}
