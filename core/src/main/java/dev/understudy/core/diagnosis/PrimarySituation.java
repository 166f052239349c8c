package dev.understudy.core.diagnosis;

/// What can be the matter with a primary role.
public enum PrimarySituation {
    /// the controller hears too few hosts to judge anybody: it suspects itself
    BLIND,
    /// an agent has seen a higher epoch than the journal knows: the journal is not the latest (S22)
    JOURNAL_TOO_OLD,
    /// a new leader still waits: for leases of its predecessor to lapse, or for members to be heard
    WARMING_UP,
    /// nobody has been primary under Understudy, and exactly one member is writable: it is adopted as found
    PRIMARY_FOUND,
    /// nobody has been primary, and several members are writable
    SEVERAL_FOUND,
    /// nobody has been primary, none is writable, and the members are not of one history
    HISTORIES_APART,
    /// nobody has been primary, none is writable and every member answers
    NONE_FOUND,
    /// the holder answers, is writable and holds its lease
    SERVING,
    /// the holder's agent is heard; the server lives but cannot be judged (it hangs, locks, has no connection left)
    UNSURE,
    /// somebody set the holder read-only; the same server runs: alive, never a failover
    READ_ONLY,
    /// the holder's server was stopped cleanly and may come back
    STOPPED_CLEANLY,
    /// the holder's server was stopped cleanly and has not come back in time
    STOPPED_TOO_LONG,
    /// another run of the server answers on the holder: it is no holder until it is elected (S16)
    RESTARTED,
    /// the holder is not heard; its lease may be alive
    HOLDER_SILENT,
    /// the holder's own agent saw the server die
    SERVICE_DOWN,
    /// the holder's agent has given the role up by itself
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
    /// the holder's server lives and answers nobody
    HUNG,
    /// the holder serves by its own word and its clients do not reach it
    ISOLATED,
    /// no connection is left on the holder: it is alive
    EXHAUSTED,
    /// the holder's commits wait for an acknowledgement
    SEMI_SYNC_BLOCKED,
    /// a lock, backup or DDL holds up the holder's writes: it is alive
    WRITES_BLOCKED,
    /// the holder's data has no space left
    DISK_FULL,
    /// the holder's disk does not finish writes
    DISK_STALLED,
    /// the holder's file system went read-only
    READ_ONLY_DISK,
    /// something ought to be done and the group's mode forbids it
    HELD_BACK,
    /// something ought to be done, and every member that could take over failed as primary lately (anti-flap)
    RECENT_FAILOVER,
    /// an operator asks for a move that is possible
    MOVE_REQUESTED,
    /// an operator asks to replace the primary without its help
    FAILOVER_REQUESTED,
    /// the order of this phase has no answer yet
    STEP_PENDING,
    /// the order of this phase is done
    STEP_DONE,
    /// the order of this phase failed or was refused
    STEP_FAILED,
    /// the phase has lasted longer than its deadline
    OVERDUE,
    /// in the middle of a planned move the holder itself failed
    HOLDER_GONE,
    /// the old holder may still act
    NOT_FENCED_YET,
    /// the old holder cannot act any more
    FENCED,
    /// the old holder cannot act any more and the target has its exact last position
    FENCED_AT_POSITION,
    /// a candidate that has everything
    CANDIDATE_FOUND,
    /// a candidate that has everything, and a better placed one that lacks only transactions
    PREFERRED_LACKS,
    /// the member from which a better placed candidate fetches is lost
    DONOR_LOST,
    /// nobody can be promoted without losing acknowledged writes
    NO_CANDIDATE,
    /// there is nobody that could be attached as a follower
    NOBODY_TO_ATTACH,
    /// the target's agent holds the lease of the new epoch and the server is writable
    OPENED,
    /// what stopped the plan has changed: members answer again
    MEMBERS_ANSWER,
    /// still stopped
    STILL_BLOCKED,
    /// an operator asks to try again
    RETRY_REQUESTED,
    /// an operator accepts the loss of what members that do not answer alone acknowledged
    LOSS_ACCEPTED
}
