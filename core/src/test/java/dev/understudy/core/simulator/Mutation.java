package dev.understudy.core.simulator;

/// One safety rule taken out, or one invariant broken on purpose: `MutationTest` shows that the simulator notices.
enum Mutation {
    /// the agent counts a lease from receiving the acknowledgement
    S1_COUNTS_FROM_RECEIVING,
    /// the agent counts a take from receiving the order
    S2_TAKE_COUNTS_FROM_ARRIVAL,
    /// the agent carries out orders of older terms and epochs
    S2_OBEYS_STALE_ORDERS,
    /// a restarted agent begins without its floors, and is not mute
    S3_FORGETS_FLOORS,
    /// a restarted agent has forgotten what it promised
    S3_FORGETS_PROMISES,
    /// a new leader does not wait for the leases of its predecessor
    S4_NEW_LEADER_DOES_NOT_WAIT,
    /// a leader grants without a proof of its authority
    S4_GRANTS_WITHOUT_AUTHORITY,
    /// a member consents although it has closed the epoch
    S5_CONSENTS_THOUGH_CLOSED,
    /// a restarted member has forgotten the standing consent that it left
    S5_FORGETS_ITS_STANDING_CONSENT,
    /// a restarted member is free of its standing consent as soon as it has told so
    S5_TAKES_ITS_STANDING_CONSENT_BACK_ALONE,
    /// a member lets itself be promoted under a live promise, and nobody is told that it promised
    S6_TOUCHES_UNDER_A_PROMISE,
    /// the holder takes one member's consent for everybody's
    S7_ONE_CONSENT_FOR_ALL,
    /// after a gap the agent acts without looking at its lease
    S8_NO_CHECK_AFTER_A_GAP,
    /// a restarted agent adopts a live element whatever its epoch
    S9_ADOPTS_WHATEVER_LIVES,
    /// the word of a release comes before the kernel's element is gone
    S9_CONFIRMS_BEFORE_IT_LETS_GO,
    /// a renewal revives an element that has ended
    S10_RENEWAL_REVIVES,
    /// elements get a time-out that is counted from writing them
    S10_RELATIVE_TIME_OUT,
    /// the database's port is not gated
    S11_PORT_WITHOUT_GATE,
    /// a member that acknowledges is not in the journaled set
    S14_AN_ACKER_IS_LEFT_OUT,
    /// a member leaves the ackers, and the primary goes on hearing it
    S14_LEAVES_WITHOUT_BEING_BLOCKED,
    /// a member leaves the ackers though nobody else has what it alone acknowledged
    S14_LEAVES_BEFORE_ANOTHER_HAS_IT,
    /// a better placed candidate counts as complete before it has fetched everything
    S14_PROMOTED_BEFORE_ALL_IS_FETCHED,
    /// a better placed candidate says that it has what its donor told of, and fetches nothing
    S14_SAYS_WHAT_ITS_DONOR_HAS,
    /// a primary does not tell that it answered commits without an acknowledgement
    S14_UNACKNOWLEDGED_COMMITS_ARE_HIDDEN,
    /// a member does not tell that its server was restarted, and so may have lost its relay log
    S15_RESTART_IS_NOT_TOLD,
    /// a restarted primary comes up writable and is believed
    S16_RESTART_IS_BELIEVED,
    /// a former primary follows without comparing its history
    S17_BELIEVES_ITSELF_CLEAN,
    /// cutting off a primary purges what was received and not applied
    S18_PURGES_WHAT_IS_NOT_APPLIED,
    /// a primary opens without semi-sync although the journal says that members acknowledge
    S20_ALONE_UNJOURNALED,
    /// an order to stop waiting for acknowledgements is carried out after a later one to wait for them
    S20_A_LATE_WORD_IS_OBEYED,
    /// a restored journal is believed, whatever the agents have seen
    S22_OLD_JOURNAL_IS_BELIEVED,
    /// an order to block writes is carried out after the move that it belongs to was undone
    UNDONE_MOVES_BLOCK,
    /// a host that is silent is reported as dead
    SILENCE_IS_TAKEN_FOR_DEATH,
    /// a change is journaled without the row that allows it
    ACTS_WITHOUT_A_ROW,
    /// a primary that was stopped cleanly is given no time
    CLEAN_STOP_IS_NOT_WAITED_FOR,
    /// after the faults nobody carries orders out
    ORDERS_ARE_IGNORED_IN_THE_CALM,
    /// a reader address stays with a replica that is too far behind
    READER_STAYS_WITH_THE_UNFIT,
    /// a replica tells the heartbeat row that it has received as the one that it has applied
    READER_LAG_IS_HIDDEN,
    /// a reader address goes to a replica that is close behind just now
    READER_GOES_AT_ONCE,
    /// a setting that blocks promotion is told and not looked at
    LINT_IS_NOT_LOOKED_AT,
    /// a member is copied to while it may acknowledge
    REBUILD_BEGINS_WITH_AN_ACKER,
    /// a member that is copied to is a member as any other
    REBUILD_WITHOUT_QUARANTINE,
    /// the primary is always the donor
    REBUILD_LOADS_THE_PRIMARY,
    /// a receiver waits for a donor that is gone
    REBUILD_WAITS_FOR_A_DEAD_DONOR,
    /// a member that is to be rebuilt leaves though nobody else could acknowledge
    REBUILD_STOPS_WRITES,
    /// the receiver of a copy takes a broken stream for its end
    REBUILD_ADOPTS_HALF_A_COPY,
    /// a member that is to be rebuilt is no acker any more by the journal alone, whatever it alone has
    REBUILD_DROPS_WHAT_IT_ALONE_HAS,
    /// the clock of one host runs faster than leases allow for
    A_CLOCK_IS_TOO_FAST,
    /// the clock of one host runs slower than leases allow for
    A_CLOCK_IS_TOO_SLOW
}
