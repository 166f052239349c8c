package dev.understudy.core;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;

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
    /// @param millis the length of every grant until the restart is over; 0: back to the profile's ttl
    record LeaseExtended(ResourceId resource, long holderEpoch, long millis, Event event) implements JournalEntry {}

    /// Something to tell: also that nothing was done, and why.
    record Noted(Event event) implements JournalEntry {}
}
