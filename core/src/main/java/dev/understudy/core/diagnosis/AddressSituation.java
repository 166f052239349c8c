package dev.understudy.core.diagnosis;

/// What can be the matter with a virtual address.
public enum AddressSituation {
    /// the controller has just started, or hears too few hosts to judge anybody: it suspects itself
    BLIND,
    /// an agent has seen a higher epoch than the journal knows: the journal is not the latest (S22)
    JOURNAL_TOO_OLD,
    /// a new leader still waits: for leases of its predecessor to lapse, or for members to be heard
    WARMING_UP,
    /// the holder is heard, serves and holds its lease
    SERVING,
    /// the holder is heard but it is not clear whether it serves
    UNSURE,
    /// the holder is not heard; its lease may be alive
    HOLDER_SILENT,
    /// the holder's own agent says that HAProxy is dead
    SERVICE_DOWN,
    /// the holder's HAProxy died, and may be started again where it died
    RESTART_DUE,
    /// the holder's HAProxy died and was ordered to be started again a moment ago
    RESTARTING,
    /// the holder's HAProxy was started again where it died, and serves
    RESTARTED,
    /// the holder's agent has given the address up by itself
    HOLDER_RELEASED,
    /// the holder's agent is heard, does not hold, and every lease is over
    HOLDER_LAPSED,
    /// nobody reaches the holder's host, and its lease is over
    HOST_DOWN,
    /// the holder's kernel accepts connections and nothing answers them; its lease is over
    HOST_FROZEN,
    /// the holder's host answers, its agent does not run; its lease is over
    AGENT_DOWN,
    /// other hosts reach the holder, this controller does not, and its lease is over
    ASYMMETRIC,
    /// this controller does not hear the holder, and members that consent to it do: it lives and serves
    HELD_BY_CONSENT,
    /// the holder may live on consent, and no member is heard that could close its epoch
    CANNOT_CLOSE,
    /// the holder's HAProxy lives and answers nobody
    HUNG,
    /// the holder serves by its own word and clients do not reach it
    ISOLATED,
    /// a reader address is on a replica that has lagged too much, or not followed, for a while, and somebody else is
    /// better
    READER_BEHIND,
    /// a reader address is on the primary, and a replica has been close behind for long
    READER_AT_PRIMARY,
    /// something ought to be done and the group's mode forbids it
    HELD_BACK,
    /// something ought to be done, and every member that could take over failed as holder lately (anti-flap)
    RECENT_FAILOVER,
    /// something ought to be done and no other member could take the address
    NO_CANDIDATE,
    /// an operator asks for a move that is possible
    MOVE_REQUESTED,
    /// an operator asks to replace the holder without its help
    FAILOVER_REQUESTED,
    /// nobody has held it, and exactly one member, which serves, has the address: it is adopted as found
    ADDRESS_FOUND,
    /// nobody has held it, and several members have the address, or one that does not serve
    FOUND_AMISS,
    /// nobody holds it and a member could
    CANDIDATE_READY,
    /// the old holder may still hold
    NOT_FREE_YET,
    /// the old holder certainly holds no more, and a member could take over
    FREE,
    /// the old holder certainly holds no more, and no member could take over
    FREE_WITHOUT_CANDIDATE,
    /// the target has not answered yet
    TAKE_PENDING,
    /// the target's agent says that it holds the lease of the new epoch
    TAKEN,
    /// the target refused, failed, or lost its service meanwhile
    TAKE_FAILED,
    /// the phase has lasted longer than its deadline
    OVERDUE
}
