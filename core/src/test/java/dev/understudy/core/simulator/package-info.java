/// A whole site over virtual time: the real core and the real lease holders, and models of everything around them.
/// One 64-bit seed decides all that happens; the same seed tells the same story.
///
/// Read in this order: [Simulation] (one run: faults, then calm, then the verdict), [Site] (what there is), [Faults]
/// (what goes wrong), [Invariant] and its classes (what must never be), [Mutation] (proof that they can fire).
///
/// | real | modelled here |
/// | --- | --- |
/// | `Core`, its tables, `Journaled` | [SimController] (the loop, the authority window), [SharedJournal] (terms,
/// commits) |
/// | `LeaseHolder`, `LeaseGrantor` | [SimAgent], [SimLink], [SimCommands] (the agent's shell), [Kernel] (elements),
/// [Disk] |
/// | | [SimDatabase] (binary and relay log, semi-sync), [Machine] (freeze, power, drifting clock), [Network], [Clients]
/// |
///
/// [SimCopies] are the copies of a rebuild, as the agents give, receive and adopt them.
/// [Standing] says of each database in truth what the agents only report: whether it is fit for reads, and since when.
///
/// Harsher than the world: messages between agents and controllers are datagrams that are lost, repeated and
/// overtake each other. Not modelled: a suspended virtual machine whose clock misses the time (documented
/// residual), clients on a database host's unix socket (documented), errors of appliers, a hung database, drains,
/// detaching, and acknowledged rows of a primary that ran alone, truncated by its own restart (nobody else ever had
/// them).
///
/// A new fault: a method in [Faults] that strikes and plans its own end, one line in its table of weights, and, if
/// it leaves something broken, its repair in `Faults.end`. A new invariant: a class that implements [Invariant],
/// one line in `Invariant.all`, and a [Mutation] in `MutationTest` that makes it fire.
@NullMarked
package dev.understudy.core.simulator;

import org.jspecify.annotations.NullMarked;
