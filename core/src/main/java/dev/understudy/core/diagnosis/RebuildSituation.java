package dev.understudy.core.diagnosis;

/// What a rebuild of a member can be found in.
public enum RebuildSituation {
    /// no primary is steady, or the one there does not say that it is: nothing is begun
    HELD_UP,
    /// the member may still acknowledge
    STILL_ACKER,
    /// it is no acker, and a donor is there
    DONOR_CHOSEN,
    /// it is no acker, and nobody's data can be copied now
    NO_DONOR,
    /// what was ordered is being done
    UNDER_WAY,
    /// the copy is complete
    COPIED,
    /// the server answers with the new data
    ADOPTED,
    /// the member follows the primary
    FOLLOWS,
    /// it did not work, and can be tried again
    FAILED,
    /// it did not work, and has been tried often enough
    FAILED_AGAIN,
    /// what came of the copy is gone
    CLEARED,
    /// the specification has the member, or the group, no more
    GONE
}
