package dev.understudy.core.diagnosis;

import java.time.Duration;

/// How long a phase may last before it is overdue. A limit on everything: no phase but the steady ones waits for
/// ever.
public final class Deadlines {

    /// A service whose process lives but that answers nobody for this long is taken for hung. Longer than any
    /// reload.
    public static final Duration HUNG = Duration.ofSeconds(4);
    /// A holder that serves by its own word but that nobody reaches for this long is taken for isolated.
    public static final Duration UNREACHED = Duration.ofSeconds(3);
    /// A reader address leaves a replica that has been unfit for this long.
    public static final Duration READER_LEAVES = Duration.ofSeconds(5);
    /// A reader address goes to a replica that has been close behind for this long.
    public static final Duration READER_RETURNS = Duration.ofSeconds(30);
    /// A member that is not heard for this long leaves the holder's circle (S7).
    public static final Duration UNHEARD = Duration.ofSeconds(5);
    /// A database member that does not answer for this long leaves the ackers in an orderly way (S14). It comes back by
    /// itself, so it costs little; and as long as it is in, another failure stops the site.
    public static final Duration LEAVING = Duration.ofSeconds(10);
    /// From an order to take an address until its holder says that it has it.
    public static final Duration TAKING = Duration.ofSeconds(3);
    /// From an order to start a service again where it died until it serves; after that it is a failover.
    public static final Duration RESTARTING = Duration.ofSeconds(5);
    /// A new leader that hears nobody for less than this is not blind, it has just started.
    public static final Duration HEARING = Duration.ofSeconds(5);
    /// A new leader gives every member this long to be heard before it chooses a first holder without it.
    public static final Duration WARMING = Duration.ofSeconds(10);
    /// Blocking writes on a primary that is to be moved, beside the wait for long transactions; the agent's own budget
    /// is half of it.
    public static final Duration BLOCKING = Duration.ofSeconds(2);
    /// The target of a planned move applies up to the primary's position.
    public static final Duration REACHING = Duration.ofSeconds(3);
    /// Opening the primary again after a planned move that did not work.
    public static final Duration UNBLOCKING = Duration.ofSeconds(5);
    /// Positions of every acker.
    public static final Duration CUTTING = Duration.ofSeconds(10);
    /// A better placed target fetches what it lacks from the most advanced member; after that the latter is promoted.
    /// The site is down meanwhile, and the choice would not save a single row.
    public static final Duration FETCHING = Duration.ofSeconds(3);
    /// The target applies what it has received.
    public static final Duration CATCHING_UP = Duration.ofSeconds(10);
    /// The target stops being a replica.
    public static final Duration STAGING = Duration.ofSeconds(5);
    /// A first follower is attached; after that the primary opens alone.
    public static final Duration ATTACHING = Duration.ofSeconds(8);
    /// The target opens.
    public static final Duration OPENING = Duration.ofSeconds(5);
    /// A member's way back to following.
    public static final Duration FOLLOWING = Duration.ofSeconds(30);
    /// A plan that stopped for no missing member is tried again after this long.
    public static final Duration BLOCKED = Duration.ofSeconds(60);
    /// Between attempts at what did not work and can be tried again.
    public static final Duration RETRY = Duration.ofSeconds(3);
    /// An order without an answer is repeated, with the same id.
    public static final Duration REPEAT = Duration.ofSeconds(1);

    /// A server that has run for so long has been seen by everybody: what its primary tells is from after its start.
    public static final Duration SETTLED = Duration.ofSeconds(2);

    private Deadlines() {}
}
