package dev.understudy.core.policy;

import static dev.understudy.core.ResourceState.AddressPhase.HELD;
import static dev.understudy.core.ResourceState.AddressPhase.RELEASING;
import static dev.understudy.core.ResourceState.AddressPhase.TAKING;
import static dev.understudy.core.ResourceState.AddressPhase.VACANT;
import static dev.understudy.core.diagnosis.AddressSituation.ADDRESS_FOUND;
import static dev.understudy.core.diagnosis.AddressSituation.AGENT_DOWN;
import static dev.understudy.core.diagnosis.AddressSituation.ASYMMETRIC;
import static dev.understudy.core.diagnosis.AddressSituation.BLIND;
import static dev.understudy.core.diagnosis.AddressSituation.CANDIDATE_READY;
import static dev.understudy.core.diagnosis.AddressSituation.CANNOT_CLOSE;
import static dev.understudy.core.diagnosis.AddressSituation.FAILOVER_REQUESTED;
import static dev.understudy.core.diagnosis.AddressSituation.FOUND_AMISS;
import static dev.understudy.core.diagnosis.AddressSituation.FREE;
import static dev.understudy.core.diagnosis.AddressSituation.FREE_WITHOUT_CANDIDATE;
import static dev.understudy.core.diagnosis.AddressSituation.HELD_BACK;
import static dev.understudy.core.diagnosis.AddressSituation.HELD_BY_CONSENT;
import static dev.understudy.core.diagnosis.AddressSituation.HOLDER_LAPSED;
import static dev.understudy.core.diagnosis.AddressSituation.HOLDER_RELEASED;
import static dev.understudy.core.diagnosis.AddressSituation.HOLDER_SILENT;
import static dev.understudy.core.diagnosis.AddressSituation.HOST_DOWN;
import static dev.understudy.core.diagnosis.AddressSituation.HOST_FROZEN;
import static dev.understudy.core.diagnosis.AddressSituation.HUNG;
import static dev.understudy.core.diagnosis.AddressSituation.ISOLATED;
import static dev.understudy.core.diagnosis.AddressSituation.JOURNAL_TOO_OLD;
import static dev.understudy.core.diagnosis.AddressSituation.MOVE_REQUESTED;
import static dev.understudy.core.diagnosis.AddressSituation.NOT_FREE_YET;
import static dev.understudy.core.diagnosis.AddressSituation.NO_CANDIDATE;
import static dev.understudy.core.diagnosis.AddressSituation.OVERDUE;
import static dev.understudy.core.diagnosis.AddressSituation.READER_AT_PRIMARY;
import static dev.understudy.core.diagnosis.AddressSituation.READER_BEHIND;
import static dev.understudy.core.diagnosis.AddressSituation.RECENT_FAILOVER;
import static dev.understudy.core.diagnosis.AddressSituation.RESTARTED;
import static dev.understudy.core.diagnosis.AddressSituation.RESTARTING;
import static dev.understudy.core.diagnosis.AddressSituation.RESTART_DUE;
import static dev.understudy.core.diagnosis.AddressSituation.SERVICE_DOWN;
import static dev.understudy.core.diagnosis.AddressSituation.SERVING;
import static dev.understudy.core.diagnosis.AddressSituation.TAKEN;
import static dev.understudy.core.diagnosis.AddressSituation.TAKE_FAILED;
import static dev.understudy.core.diagnosis.AddressSituation.TAKE_PENDING;
import static dev.understudy.core.diagnosis.AddressSituation.UNSURE;
import static dev.understudy.core.diagnosis.AddressSituation.WARMING_UP;

import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.diagnosis.AddressSituation;
import dev.understudy.core.policy.PolicyTable.Row;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is done about a virtual address.
public final class AddressPolicy {

    public enum Action {
        /// nothing
        NONE,
        /// tell it once
        NOTE,
        /// begin a plan: no more grants to the holder, ask it to release
        FREE_IT,
        /// begin a planned move to the best candidate: the holder lives and hands over
        HAND_OVER,
        /// raise the epoch and tell the best candidate to take it
        GIVE,
        /// the target is the holder
        CONFIRM,
        /// planned move: the target is the holder of the journaled next epoch
        CONFIRM_MOVE,
        /// the target may hold it: free it from the target
        RETRACT,
        /// planned move: the target may hold it under the journaled next epoch: free it from the target
        RETRACT_MOVE,
        /// journal the attempt and order the holder to start its service again
        RESTART,
        /// begin a plan that gives the address to the holder again
        GIVE_BACK,
        /// nobody holds it
        VACATE
    }

    // spotless:off
    public static final PolicyTable<AddressPhase, AddressSituation, Action> TABLE = new PolicyTable<>(
            "Virtual addresses", AddressPhase.class, AddressSituation.class,
            Map.of(
                    VACANT, EnumSet.of(BLIND, JOURNAL_TOO_OLD, WARMING_UP, HELD_BACK, NO_CANDIDATE, CANDIDATE_READY, ADDRESS_FOUND, FOUND_AMISS, MOVE_REQUESTED),
                    HELD, EnumSet.of(BLIND, WARMING_UP, JOURNAL_TOO_OLD, SERVING, UNSURE, HOLDER_SILENT, SERVICE_DOWN, RESTART_DUE, RESTARTING, RESTARTED, HOLDER_RELEASED, HOLDER_LAPSED, HOST_DOWN, HOST_FROZEN, AGENT_DOWN, ASYMMETRIC, HELD_BY_CONSENT, CANNOT_CLOSE, HUNG, ISOLATED, READER_BEHIND, READER_AT_PRIMARY, HELD_BACK, RECENT_FAILOVER, NO_CANDIDATE, MOVE_REQUESTED, FAILOVER_REQUESTED),
                    RELEASING, EnumSet.of(NOT_FREE_YET, FREE, FREE_WITHOUT_CANDIDATE, TAKE_PENDING, TAKEN, TAKE_FAILED, OVERDUE),
                    TAKING, EnumSet.of(TAKE_PENDING, TAKEN, TAKE_FAILED, OVERDUE)),
            List.of(
                    row("LB-01", VACANT,    Set.of(CANDIDATE_READY),        TAKING,    Action.GIVE,    "nobody holds the address and a member serves: it gets the address"),
                    row("LB-02", VACANT,    Set.of(NO_CANDIDATE),           null,      Action.NOTE,    "nobody holds the address and no member could serve it"),
                    row("LB-03", VACANT,    Set.of(WARMING_UP),             null,      Action.NONE,    "old leases and members are waited for before anybody is chosen"),
                    row("LB-04", VACANT,    Set.of(BLIND),                  null,      Action.NONE,    "a controller that hears too few hosts decides nothing"),
                    row("LB-05", VACANT,    Set.of(HELD_BACK),              null,      Action.NOTE,    "the first holder is left to the operator"),
                    row("LB-06", VACANT,    Set.of(JOURNAL_TOO_OLD),        null,      Action.NOTE,    "a journal that is older than what agents have seen decides nothing until an operator has looked (S22)"),
                    row("LB-07", VACANT,    Set.of(ADDRESS_FOUND),          TAKING,    Action.GIVE,    "one member has the address already and serves: it is adopted as found"),
                    row("LB-08", VACANT,    Set.of(FOUND_AMISS),            null,      Action.NOTE,    "the address is where it cannot be adopted: only a person can say who may keep it"),
                    row("LB-09", VACANT,    Set.of(MOVE_REQUESTED),         TAKING,    Action.GIVE,    "an operator chose the first holder"),

                    row("LB-10", HELD,      Set.of(SERVING),                null,      Action.NONE,    "the holder serves"),
                    row("LB-11", HELD,      Set.of(UNSURE),                 null,      Action.NONE,    "the holder lives; what is not certain is no reason to move"),
                    row("LB-12", HELD,      Set.of(HOLDER_SILENT),          null,      Action.NONE,    "silence is unknown, not down: the lease decides"),
                    row("LB-13", HELD,      Set.of(BLIND),                  null,      Action.NOTE,    "a controller that hears too few hosts suspects itself and moves nothing"),
                    row("LB-14", HELD,      Set.of(HELD_BACK),              null,      Action.NOTE,    "a move would be due; it is left to the operator"),
                    row("LB-15", HELD,      Set.of(NO_CANDIDATE),           null,      Action.NOTE,    "a move would be due; no other member could serve the address"),
                    row("LB-16", HELD,      Set.of(JOURNAL_TOO_OLD),        null,      Action.NOTE,    "a journal that is older than what agents have seen decides nothing until an operator has looked (S22)"),
                    row("LB-17", HELD,      Set.of(WARMING_UP),             null,      Action.NONE,    "a controller that has just started judges nobody"),
                    row("LB-18", HELD,      Set.of(HELD_BY_CONSENT),        null,      Action.NOTE,    "the holder lives on the consent of the others: only this controller does not see it"),
                    row("LB-19", HELD,      Set.of(CANNOT_CLOSE),           null,      Action.NOTE,    "the holder may live without a controller and nobody here can end that: wait for it, or vouch that its host is off"),
                    row("LB-20", HELD,      Set.of(SERVICE_DOWN),           RELEASING, Action.FREE_IT, "the holder's own agent saw its service die: the address is freed"),
                    row("LB-21", HELD,      Set.of(HOLDER_RELEASED),        RELEASING, Action.FREE_IT, "the holder gave the address up: it goes to another member"),
                    row("LB-22", HELD,      Set.of(HOLDER_LAPSED),          RELEASING, Action.FREE_IT, "the holder's lease is over: it has fenced itself"),
                    row("LB-23", HELD,      Set.of(MOVE_REQUESTED),         RELEASING, Action.FREE_IT, "an operator asked for a planned move"),
                    row("LB-24", HELD,      Set.of(HOST_DOWN),              RELEASING, Action.FREE_IT, "nobody reaches the holder's host and its lease is over"),
                    row("LB-25", HELD,      Set.of(HOST_FROZEN),            RELEASING, Action.FREE_IT, "the holder's host is frozen and its lease is over"),
                    row("LB-26", HELD,      Set.of(AGENT_DOWN),             RELEASING, Action.FREE_IT, "the holder's agent is gone and its lease is over: the kernel has shut the address"),
                    row("LB-27", HELD,      Set.of(ASYMMETRIC),             RELEASING, Action.FREE_IT, "part of the network reaches the holder, and its lease is over all the same"),
                    row("LB-28", HELD,      Set.of(HUNG),                   RELEASING, Action.FREE_IT, "the holder's service is hung: the address goes to a member that answers"),
                    row("LB-29", HELD,      Set.of(ISOLATED),               RELEASING, Action.FREE_IT, "clients do not reach the holder and would reach another member"),
                    row("LB-50", HELD,      Set.of(RECENT_FAILOVER),        null,      Action.NOTE,    "a move would be due; every member that could take over failed as holder lately (anti-flap)"),
                    row("LB-51", HELD,      Set.of(RESTART_DUE),            null,      Action.RESTART, "the holder's service died and the file allows a restart: it is started again where it died before anything is moved"),
                    row("LB-52", HELD,      Set.of(RESTARTING),             null,      Action.NONE,    "the service is being started again where it died"),
                    row("LB-53", HELD,      Set.of(RESTARTED),              RELEASING, Action.GIVE_BACK, "the service was started again where it died: the holder gets the address again"),
                    row("LB-54", HELD,      Set.of(FAILOVER_REQUESTED),     RELEASING, Action.FREE_IT, "an operator asked to replace the holder without its help"),
                    row("LB-55", HELD,      Set.of(READER_BEHIND),          RELEASING, Action.HAND_OVER, "what the holder would tell is too old: reads go to a replica that is close behind, else to the primary"),
                    row("LB-56", HELD,      Set.of(READER_AT_PRIMARY),      RELEASING, Action.HAND_OVER, "a replica has been close behind for long: reads go to it and leave the primary alone"),

                    row("LB-30", RELEASING, Set.of(NOT_FREE_YET),           null,      Action.NONE,    "the old holder may still hold: wait for its word or for the end of its lease"),
                    row("LB-31", RELEASING, Set.of(FREE),                   TAKING,    Action.GIVE,    "the old holder cannot hold any more: the best candidate takes over"),
                    row("LB-32", RELEASING, Set.of(FREE_WITHOUT_CANDIDATE), VACANT,    Action.VACATE,  "the old holder cannot hold any more and nobody else could"),
                    row("LB-33", RELEASING, Set.of(TAKE_PENDING),           null,      Action.NONE,    "the old holder has handed over; the target of the planned move is taking the address"),
                    row("LB-34", RELEASING, Set.of(TAKEN),                  HELD,      Action.CONFIRM_MOVE, "the target of the planned move holds the address under the new epoch"),
                    row("LB-35", RELEASING, Set.of(TAKE_FAILED, OVERDUE),   RELEASING, Action.RETRACT_MOVE, "the target of the planned move did not take the address and may hold: it is freed again"),

                    row("LB-40", TAKING,    Set.of(TAKE_PENDING),           null,      Action.NONE,    "the target's answer is waited for"),
                    row("LB-41", TAKING,    Set.of(TAKEN),                  HELD,      Action.CONFIRM, "the target holds the address under the new epoch"),
                    row("LB-42", TAKING,    Set.of(TAKE_FAILED),            RELEASING, Action.RETRACT, "the target did not take the address: it is freed again"),
                    row("LB-43", TAKING,    Set.of(OVERDUE),                RELEASING, Action.RETRACT, "the target has not answered in time and may hold: it is freed again")));
    // spotless:on

    private AddressPolicy() {}

    private static Row<AddressPhase, AddressSituation, Action> row(
            String id,
            AddressPhase phase,
            Set<AddressSituation> situations,
            @Nullable AddressPhase next,
            Action action,
            String because) {
        return new Row<>(id, phase, situations, next, action, because);
    }
}
