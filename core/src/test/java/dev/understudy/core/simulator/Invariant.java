package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ResourceId;

/// What must never be. Each method looks at one kind of moment, and throws a [Violation] when the promise is broken;
/// those that do not matter to an invariant are left as they are.
interface Invariant {

    /// After every event.
    default void after(Site site) {}

    /// Ten times a second, when [Standing] has looked.
    default void looked(Site site) {}

    /// Data of a host's database were put aside for a copy, or removed because it follows with the copy.
    default void thrownAway(Site site, SimHost host, java.util.List<Row> rows) {}

    /// An entry has been committed; the journal holds it already.
    default void committed(Site site, SimController by, Journaled before, JournalEntry entry) {}

    /// A host's agent has accepted an order.
    default void accepted(SimHost host, Order order) {}

    /// A host is about to do what an order says.
    default void acting(SimHost host, Order order, SimAgent agent) {}

    /// A host's agent has recorded a release.
    default void released(SimHost host, ResourceId resource, long upTo) {}

    /// A database became writable.
    default void opened(Site site, SimDatabase database) {}

    /// A client has heard that its row is committed.
    default void acknowledged(Site site, Row row, SimHost host) {}

    /// A client read from a server that could acknowledge its writes; the rows were acknowledged before.
    default void read(Site site, SimDatabase database, java.util.List<Row> rows) {}

    /// A service ended or was stopped.
    default void serviceDown(Site site, SimHost host) {}

    /// A service that was down runs again.
    default void serviceUp(Site site, SimHost host) {}

    /// The run is over: the faults were off for as long as [Converges] allows.
    default void ended(Site site) {}
}
