package dev.understudy.core;

import dev.understudy.core.notice.NoticeChange;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;
import org.jspecify.annotations.Nullable;

/// What is written down, in order, before anything that follows from it leaves the controller. Applying entries is
/// the only way in which [Journaled] changes.
public sealed interface JournalEntry {

    Event event();

    /// A new cluster specification is in force.
    record SpecApplied(long version, ClusterSpec spec, String text, Event event) implements JournalEntry {}

    /// A resource entered another phase, or facts that its safety rests on changed.
    record ResourceChanged(ResourceState next, Event event) implements JournalEntry {}

    /// The holder's lease outlives a planned restart (S9).
    ///
    /// @param next null when no longer lease is alive
    record LeaseExtended(
            ResourceId resource, long holderEpoch, @Nullable LongLease next, Event event) implements JournalEntry {}

    /// The members on whose consent the holder may live changed (S5, S7).
    record CircleChanged(ResourceId resource, Consenting next, Event event) implements JournalEntry {}

    /// An operator vouches that the host which holds this epoch is off: the epoch counts as released by it (S5).
    record Vouched(ResourceId resource, long epoch, Event event) implements JournalEntry {}

    /// What operators have said that stays in force changed: a pause, maintenance, a detached group.
    record Operated(Operations next, Event event) implements JournalEntry {}

    /// What people were told, are to be told, or have acknowledged changed.
    record Noticed(NoticeChange change, Event event) implements JournalEntry {}

    /// Something to tell: also that nothing was done, and why.
    record Noted(Event event) implements JournalEntry {}
}
