package dev.understudy.core.policy;

import static dev.understudy.core.ResourceState.PrimaryPhase.*;
import static dev.understudy.core.diagnosis.PrimarySituation.*;

import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.diagnosis.PrimarySituation;
import dev.understudy.core.policy.PolicyTable.Row;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is done about a primary role.
public final class PrimaryPolicy {

    public enum Action {
        /// nothing
        NONE,
        /// tell it once
        NOTE,
        /// the found primary is to be opened under a lease, moving nothing
        ADOPT,
        /// begin a plan whose first step needs no fence: nobody was primary
        ELECT,
        /// begin a planned move: block writes on the holder
        BLOCK,
        /// the target is to reach the position at which writes stopped
        REACH,
        /// undo: open the primary again
        UNBLOCK,
        /// the undo is complete
        RESUME,
        /// no more grants; the holder is to be fenced
        FENCE,
        /// the planned move goes on: the holder gives the role up
        HAND_OVER,
        /// cut the old primary off at every acker
        CUT,
        /// name the target; it applies what it has received
        CHOOSE,
        /// name the better placed candidate, and the most advanced one as its donor
        FETCH,
        /// the target has what it lacked; it applies it
        FETCHED,
        /// the target is out; choose again among those that have told their positions
        CHOOSE_AGAIN,
        /// the target stops being a replica
        STAGE,
        /// attach a follower
        ATTACH,
        /// raise the epoch, open the target with an acknowledging follower
        OPEN,
        /// raise the epoch, open the target alone: journaled before it is done (S20)
        OPEN_ALONE,
        /// the target is the holder
        CONFIRM,
        /// go on would risk loss: wait and page
        STOP
    }

    // spotless:off
    public static final PolicyTable<PrimaryPhase, PrimarySituation, Action> TABLE = new PolicyTable<>(
            "Primary roles", PrimaryPhase.class, PrimarySituation.class,
            Map.ofEntries(
                    Map.entry(VACANT, EnumSet.of(BLIND, JOURNAL_TOO_OLD, HELD_BACK, WARMING_UP, PRIMARY_FOUND, SEVERAL_FOUND, HISTORIES_APART, NONE_FOUND, MOVE_REQUESTED)),
                    Map.entry(HELD, EnumSet.of(BLIND, WARMING_UP, JOURNAL_TOO_OLD, HELD_BACK, SERVING, UNSURE, READ_ONLY, STOPPED_CLEANLY, STOPPED_TOO_LONG, RESTARTED, HOLDER_SILENT, SERVICE_DOWN, HOLDER_RELEASED, HOLDER_LAPSED, HOST_DOWN, HOST_FROZEN, AGENT_DOWN, ASYMMETRIC, HELD_BY_CONSENT, CANNOT_CLOSE, HUNG, ISOLATED, EXHAUSTED, SEMI_SYNC_BLOCKED, WRITES_BLOCKED, DISK_FULL, DISK_STALLED, READ_ONLY_DISK, NO_CANDIDATE, RECENT_FAILOVER, MOVE_REQUESTED, FAILOVER_REQUESTED)),
                    Map.entry(BLOCKING, EnumSet.of(HOLDER_GONE, STEP_PENDING, STEP_DONE, STEP_FAILED, OVERDUE)),
                    Map.entry(REACHING, EnumSet.of(HOLDER_GONE, STEP_PENDING, STEP_DONE, STEP_FAILED, OVERDUE)),
                    Map.entry(UNBLOCKING, EnumSet.of(HOLDER_GONE, STEP_PENDING, STEP_DONE, STEP_FAILED, OVERDUE)),
                    Map.entry(FENCING, EnumSet.of(NOT_FENCED_YET, FENCED, FENCED_AT_POSITION)),
                    Map.entry(CUTTING, EnumSet.of(STEP_PENDING, OVERDUE, CANDIDATE_FOUND, PREFERRED_LACKS, NO_CANDIDATE)),
                    Map.entry(FETCHING, EnumSet.of(STEP_PENDING, STEP_DONE, STEP_FAILED, OVERDUE, DONOR_LOST)),
                    Map.entry(CATCHING_UP, EnumSet.of(STEP_PENDING, STEP_DONE, STEP_FAILED, OVERDUE)),
                    Map.entry(STAGING, EnumSet.of(STEP_PENDING, STEP_DONE, STEP_FAILED, OVERDUE)),
                    Map.entry(ATTACHING, EnumSet.of(STEP_PENDING, STEP_DONE, STEP_FAILED, NOBODY_TO_ATTACH, OVERDUE)),
                    Map.entry(OPENING, EnumSet.of(STEP_PENDING, OPENED, STEP_FAILED, OVERDUE)),
                    Map.entry(BLOCKED, EnumSet.of(STILL_BLOCKED, MEMBERS_ANSWER, RETRY_REQUESTED, LOSS_ACCEPTED))),
            List.of(
                    row("DB-01", VACANT,      Set.of(PRIMARY_FOUND),          OPENING,     Action.ADOPT,        "one member is the primary already: it is adopted as found"),
                    row("DB-02", VACANT,      Set.of(NONE_FOUND),             CUTTING,     Action.ELECT,        "nobody is primary and every member answers: the most advanced is elected (S25)"),
                    row("DB-03", VACANT,      Set.of(SEVERAL_FOUND),          null,        Action.NOTE,         "several members are writable: only a person can say which history is the right one"),
                    row("DB-04", VACANT,      Set.of(WARMING_UP),             null,        Action.NONE,         "a first primary is chosen only when every member answers"),
                    row("DB-05", VACANT,      Set.of(BLIND),                  null,        Action.NONE,         "a controller that hears too few hosts decides nothing"),
                    row("DB-06", VACANT,      Set.of(HELD_BACK),              null,        Action.NOTE,         "the first primary is left to the operator"),
                    row("DB-07", VACANT,      Set.of(JOURNAL_TOO_OLD),        null,        Action.NOTE,         "a journal that is older than what agents have seen decides nothing until an operator has looked (S22)"),
                    row("DB-08", VACANT,      Set.of(MOVE_REQUESTED),         CUTTING,     Action.ELECT,        "an operator asked for a first primary: the most advanced member is elected, the wanted one when equal (S25)"),
                    row("DB-09", VACANT,      Set.of(HISTORIES_APART),        null,        Action.NOTE,         "nobody is primary and the members are not of one history: only a person can say which is the right one"),

                    row("DB-10", HELD,        Set.of(SERVING),                null,        Action.NONE,         "the primary serves"),
                    row("DB-11", HELD,        Set.of(UNSURE),                 null,        Action.NONE,         "the primary lives; what is not certain is no reason to move"),
                    row("DB-12", HELD,        Set.of(HOLDER_SILENT),          null,        Action.NONE,         "silence is unknown, not down: the lease decides"),
                    row("DB-13", HELD,        Set.of(BLIND),                  null,        Action.NOTE,         "a controller that hears too few hosts suspects itself and moves nothing"),
                    row("DB-14", HELD,        Set.of(HELD_BACK),              null,        Action.NOTE,         "a failover would be due; it is left to the operator"),
                    row("DB-15", HELD,        Set.of(READ_ONLY),              null,        Action.NOTE,         "a person set the living primary read-only: never a failover"),
                    row("DB-16", HELD,        Set.of(STOPPED_CLEANLY),        null,        Action.NOTE,         "a primary that was stopped cleanly is given time to come back"),
                    row("DB-17", HELD,        Set.of(JOURNAL_TOO_OLD),        null,        Action.NOTE,         "a journal that is older than what agents have seen decides nothing until an operator has looked (S22)"),
                    row("DB-18", HELD,        Set.of(WARMING_UP),             null,        Action.NONE,         "a controller that has just started judges nobody"),
                    row("DB-19", HELD,        Set.of(RECENT_FAILOVER),        null,        Action.NOTE,         "a failover would be due; every member that could take over failed as primary lately (anti-flap)"),
                    row("DB-20", HELD,        Set.of(SERVICE_DOWN),           FENCING,     Action.FENCE,        "the primary's own agent saw the server die"),
                    row("DB-21", HELD,        Set.of(HOLDER_LAPSED),          FENCING,     Action.FENCE,        "the primary's lease is over: it has fenced itself"),
                    row("DB-22", HELD,        Set.of(HOLDER_RELEASED),        FENCING,     Action.FENCE,        "the primary's agent gave the role up"),
                    row("DB-23", HELD,        Set.of(RESTARTED),              FENCING,     Action.FENCE,        "a restarted server is no holder: it is elected again against every acker, and wins when equal (S16)"),
                    row("DB-24", HELD,        Set.of(STOPPED_TOO_LONG),       FENCING,     Action.FENCE,        "a primary that was stopped cleanly has not come back in time"),
                    row("DB-25", HELD,        Set.of(MOVE_REQUESTED),         BLOCKING,    Action.BLOCK,        "an operator asked for a planned move"),
                    row("DB-26", HELD,        Set.of(HOST_DOWN),              FENCING,     Action.FENCE,        "nobody reaches the primary's host and its lease is over"),
                    row("DB-27", HELD,        Set.of(HOST_FROZEN),            FENCING,     Action.FENCE,        "the primary's host is frozen and its lease is over"),
                    row("DB-28", HELD,        Set.of(AGENT_DOWN),             FENCING,     Action.FENCE,        "the primary's agent is gone and its lease is over: the kernel has shut its door"),
                    row("DB-29", HELD,        Set.of(ASYMMETRIC),             FENCING,     Action.FENCE,        "part of the network reaches the primary, and its lease is over all the same"),
                    row("DB-83", HELD,        Set.of(HUNG),                   FENCING,     Action.FENCE,        "the primary's server is hung: it is fenced and replaced"),
                    row("DB-84", HELD,        Set.of(ISOLATED),               FENCING,     Action.FENCE,        "its clients do not reach the primary and would reach another member"),
                    row("DB-85", HELD,        Set.of(DISK_FULL),              FENCING,     Action.FENCE,        "the primary cannot keep another write"),
                    row("DB-86", HELD,        Set.of(DISK_STALLED),           FENCING,     Action.FENCE,        "the primary's writes do not return"),
                    row("DB-87", HELD,        Set.of(READ_ONLY_DISK),         FENCING,     Action.FENCE,        "the primary cannot write to its disk"),
                    row("DB-90", HELD,        Set.of(HELD_BY_CONSENT),        null,        Action.NOTE,         "the primary lives on the consent of the others: only this controller does not see it"),
                    row("DB-91", HELD,        Set.of(CANNOT_CLOSE),           null,        Action.NOTE,         "the primary may live without a controller and nobody here can end that: wait for it, or vouch that its host is off"),
                    row("DB-92", HELD,        Set.of(EXHAUSTED),              null,        Action.NOTE,         "a server without a free connection is alive: never a failover"),
                    row("DB-93", HELD,        Set.of(SEMI_SYNC_BLOCKED),      null,        Action.NOTE,         "commits wait for a replica: moving would not bring one"),
                    row("DB-94", HELD,        Set.of(WRITES_BLOCKED),         null,        Action.NOTE,         "an operator's lock, a backup or DDL: alive, never a failover"),
                    row("DB-95", HELD,        Set.of(NO_CANDIDATE),           null,        Action.NOTE,         "a move would be due; no other member could do better"),
                    row("DB-96", HELD,        Set.of(FAILOVER_REQUESTED),     FENCING,     Action.FENCE,        "an operator asked to replace the primary without its help"),

                    row("DB-30", BLOCKING,    Set.of(STEP_PENDING),           null,        Action.NONE,         "writes are being blocked"),
                    row("DB-31", BLOCKING,    Set.of(STEP_DONE),              REACHING,    Action.REACH,        "writes are blocked at an exact position: the target must reach it"),
                    row("DB-32", BLOCKING,    Set.of(STEP_FAILED, OVERDUE),   UNBLOCKING,  Action.UNBLOCK,      "writes could not be blocked within the budget: the move is undone"),
                    row("DB-33", BLOCKING,    Set.of(HOLDER_GONE),            FENCING,     Action.FENCE,        "the primary failed in the middle of the planned move"),
                    row("DB-34", REACHING,    Set.of(STEP_PENDING),           null,        Action.NONE,         "the target applies the last transactions"),
                    row("DB-35", REACHING,    Set.of(STEP_DONE),              FENCING,     Action.HAND_OVER,    "the target has everything: the primary gives the role up"),
                    row("DB-36", REACHING,    Set.of(STEP_FAILED, OVERDUE),   UNBLOCKING,  Action.UNBLOCK,      "the target did not reach the position in time: the move is undone"),
                    row("DB-37", REACHING,    Set.of(HOLDER_GONE),            FENCING,     Action.FENCE,        "the primary failed in the middle of the planned move"),
                    row("DB-38", UNBLOCKING,  Set.of(STEP_PENDING),           null,        Action.NONE,         "the primary is being opened again"),
                    row("DB-39", UNBLOCKING,  Set.of(STEP_DONE),              HELD,        Action.RESUME,       "the move was undone; the primary serves as before"),
                    row("DB-40", UNBLOCKING,  Set.of(STEP_FAILED, OVERDUE),   FENCING,     Action.FENCE,        "the primary could not be opened again: it is replaced, never left read-only"),
                    row("DB-41", UNBLOCKING,  Set.of(HOLDER_GONE),            FENCING,     Action.FENCE,        "the primary failed in the middle of the planned move"),

                    row("DB-50", FENCING,     Set.of(NOT_FENCED_YET),         null,        Action.NONE,         "the old primary may still act: wait for its word or for the end of its lease"),
                    row("DB-51", FENCING,     Set.of(FENCED),                 CUTTING,     Action.CUT,          "the old primary cannot act any more: it is cut off at every acker (S19)"),
                    row("DB-52", FENCING,     Set.of(FENCED_AT_POSITION),     STAGING,     Action.STAGE,        "the old primary handed over and the target has everything"),

                    row("DB-55", CUTTING,     Set.of(STEP_PENDING),           null,        Action.NONE,         "every acker has to tell its position (S14)"),
                    row("DB-56", CUTTING,     Set.of(CANDIDATE_FOUND),        CATCHING_UP, Action.CHOOSE,       "the candidate that has received everything applies it"),
                    row("DB-57", CUTTING,     Set.of(NO_CANDIDATE, OVERDUE),  BLOCKED,     Action.STOP,         "promoting now could lose acknowledged writes"),

                    row("DB-58", CUTTING,     Set.of(PREFERRED_LACKS),        FETCHING,    Action.FETCH,        "a better placed candidate fetches what it lacks from the most advanced one"),
                    row("DB-45", FETCHING,    Set.of(STEP_PENDING),           null,        Action.NONE,         "the better placed candidate fetches what it lacks"),
                    row("DB-46", FETCHING,    Set.of(STEP_DONE),              CATCHING_UP, Action.FETCHED,      "the better placed candidate has everything and hears nobody any more: it goes on as any candidate"),
                    row("DB-47", FETCHING,    Set.of(STEP_FAILED, OVERDUE, DONOR_LOST), CUTTING, Action.CHOOSE_AGAIN, "the site does not wait for a preference: the most advanced one, without another fetch in this plan"),

                    row("DB-60", CATCHING_UP, Set.of(STEP_PENDING),           null,        Action.NONE,         "the candidate applies what it has received"),
                    row("DB-61", CATCHING_UP, Set.of(STEP_DONE),              STAGING,     Action.STAGE,        "the candidate has applied everything"),
                    row("DB-62", CATCHING_UP, Set.of(STEP_FAILED, OVERDUE),   CUTTING,     Action.CHOOSE_AGAIN, "the candidate could not apply everything: the next one with the same transactions"),

                    row("DB-65", STAGING,     Set.of(STEP_PENDING),           null,        Action.NONE,         "the candidate stops being a replica"),
                    row("DB-66", STAGING,     Set.of(STEP_DONE),              ATTACHING,   Action.ATTACH,       "a follower is attached before writes are opened (S20)"),
                    row("DB-67", STAGING,     Set.of(STEP_FAILED, OVERDUE),   CUTTING,     Action.CHOOSE_AGAIN, "the candidate could not be prepared: the next one"),

                    row("DB-70", ATTACHING,   Set.of(STEP_PENDING),           null,        Action.NONE,         "a follower is being attached"),
                    row("DB-71", ATTACHING,   Set.of(STEP_DONE),              OPENING,     Action.OPEN,         "a follower acknowledges: the candidate opens under a new epoch"),
                    row("DB-72", ATTACHING,   Set.of(NOBODY_TO_ATTACH, OVERDUE), OPENING,  Action.OPEN_ALONE,   "no follower can be had: the candidate opens alone, and nothing is promotable until one is back"),
                    row("DB-73", ATTACHING,   Set.of(STEP_FAILED),            CUTTING,     Action.CHOOSE_AGAIN, "the candidate is not heard any more: the next one"),

                    row("DB-75", OPENING,     Set.of(STEP_PENDING),           null,        Action.NONE,         "the candidate opens"),
                    row("DB-76", OPENING,     Set.of(OPENED),                 HELD,        Action.CONFIRM,      "the new primary is writable under its lease"),
                    row("DB-77", OPENING,     Set.of(STEP_FAILED, OVERDUE),   FENCING,     Action.FENCE,        "the candidate did not open and may hold: it is fenced"),

                    row("DB-80", BLOCKED,     Set.of(STILL_BLOCKED),          null,        Action.NOTE,         "waiting for the members that are missing, or for the operator"),
                    row("DB-81", BLOCKED,     Set.of(MEMBERS_ANSWER),         CUTTING,     Action.CUT,          "every required member answers again"),
                    row("DB-82", BLOCKED,     Set.of(RETRY_REQUESTED),        CUTTING,     Action.CUT,          "the operator asked to try again"),
                    row("DB-88", BLOCKED,     Set.of(LOSS_ACCEPTED),          CUTTING,     Action.CUT,          "never by itself: an operator takes the loss upon himself, and the plan goes on without these members")));
    // spotless:on

    private PrimaryPolicy() {}

    private static Row<PrimaryPhase, PrimarySituation, Action> row(
            String id,
            PrimaryPhase phase,
            Set<PrimarySituation> situations,
            @Nullable PrimaryPhase next,
            Action action,
            String because) {
        return new Row<>(id, phase, situations, next, action, because);
    }
}
