package dev.understudy.core;

import dev.understudy.core.Event.Candidate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A move under way. Journaled whole at each step, so that another leader, or this one after a crash, goes on with
/// it.
///
/// @param id `P` and the number of the event that began it
/// @param from who held the resource when it began, null if nobody
/// @param to the target, null until it is chosen
/// @param wanted the operator's choice, null for none
/// @param epoch the epoch of every command of this plan, above the one that it ends
/// @param position databases: the GTID list that the target must have applied; empty until known
/// @param reached databases: the target has applied exactly `position` while writes were blocked
/// @param step rises with each phase that the plan enters; part of its orders' ids, so that an order of an earlier pass
///     through a phase is never taken for one of this pass
/// @param rejected members that failed in this plan and are not tried again in it
/// @param givenUp databases: members without whose word it goes on, because an operator accepts the loss of what they
/// alone acknowledged; null for nobody
/// @param fetch databases: the fetch that this plan has tried, the only one in it; null for none
public record Plan(
        String id,
        Kind kind,
        String cause,
        @Nullable String from,
        @Nullable String to,
        @Nullable String wanted,
        long epoch,
        String position,
        boolean reached,
        int step,
        List<Candidate> rejected,
        @Nullable List<String> givenUp,
        @Nullable Fetch fetch) {

    /// A plan that gives nobody up.
    public Plan(
            String id,
            Kind kind,
            String cause,
            @Nullable String from,
            @Nullable String to,
            @Nullable String wanted,
            long epoch,
            String position,
            boolean reached,
            int step,
            List<Candidate> rejected) {
        this(id, kind, cause, from, to, wanted, epoch, position, reached, step, rejected, null, null);
    }

    /// A better placed candidate fetches what it lacks from the most advanced one before it is promoted.
    ///
    /// @param by the one that fetches
    /// @param from the one that has everything
    public record Fetch(String by, String from) {}

    public enum Kind {
        /// unplanned
        FAILOVER,
        /// unplanned, and asked for by an operator
        ORDERED,
        /// asked for by an operator, or of a reader address that is better elsewhere: the holder lives
        SWITCHOVER,
        /// nobody held it
        FIRST,
        /// the primary's server was restarted in place and has to be elected anew (S16)
        RESTART
    }

    public Plan {
        rejected = List.copyOf(rejected);
        givenUp = givenUp == null ? null : List.copyOf(givenUp);
    }

    public Plan givingUp(List<String> members) {
        return new Plan(id, kind, cause, from, to, wanted, epoch, position, reached, step, rejected, members, fetch);
    }

    public boolean givesUp(@Nullable String member) {
        return member != null && givenUp != null && givenUp.contains(member);
    }

    public Plan target(String host) {
        return new Plan(id, kind, cause, from, host, wanted, epoch, position, reached, step, rejected, givenUp, fetch);
    }

    /// `by` becomes the target and fetches from `donor` up to the position.
    public Plan fetching(String by, String donor, String upTo) {
        return new Plan(
                id, kind, cause, from, by, wanted, epoch, upTo, reached, step, rejected, givenUp, new Fetch(by, donor));
    }

    public Plan at(String newPosition, boolean isReached) {
        return new Plan(
                id, kind, cause, from, to, wanted, epoch, newPosition, isReached, step, rejected, givenUp, fetch);
    }

    public Plan reject(Candidate candidate) {
        List<Candidate> more = new java.util.ArrayList<>(rejected);
        more.add(candidate);
        return new Plan(id, kind, cause, from, null, wanted, epoch, position, reached, step, more, givenUp, fetch);
    }

    /// The plan as it enters its next phase.
    public Plan next() {
        return new Plan(
                id, kind, cause, from, to, wanted, epoch, position, reached, step + 1, rejected, givenUp, fetch);
    }

    /// The members on whose account it stopped; replaces those that failed.
    public Plan stoppedBy(List<Candidate> missing) {
        return new Plan(id, kind, cause, from, to, wanted, epoch, position, reached, step, missing, givenUp, fetch);
    }

    public boolean isRejected(String host) {
        return rejected.stream().anyMatch(c -> c.host().equals(host));
    }
}
