package dev.understudy.agent.act;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;

/// The database server on this host: one instance a database group. Thread-safe. [#observe] takes at most one
/// second; [#execute] as long as its command's own time-out says and runs on a worker thread of the caller.
public interface DatabaseControl extends AutoCloseable {

    /// What can be seen of the server now; never blocks behind a commit that waits or an operator's lock.
    Observation.Database observe();

    /// Carries out the database's part of a command: [Command.CutReceiver], [Command.CatchUp], [Command.Stage],
    /// [Command.Follow], [Command.OpenWrites], [Command.BlockWrites], [Command.UnblockWrites],
    /// [Command.ReachPosition], and [Command.Release], which fences at once, without waiting for a command that
    /// runs, and keeps that one from opening the server again. `lease` is asked before `read_only=0`. Other
    /// commands are Refused
    /// `unsupported`.
    Outcome execute(Command command, LeaseCheck lease);

    /// Keeps the group's heartbeat row: under a live lease the row is written once a second, without one it is read
    /// as replication brought it. To be called again and again, by one thread that does nothing else: a row whose
    /// commit waits for a replica's acknowledgement is waited for as long as that takes. Never writes on a server
    /// that is read-only.
    ///
    /// @param epoch of the lease of the primary role, 0 for none
    /// @param lease asked before the row is written
    void beat(long epoch, LeaseCheck lease);

    @Override
    void close();
}
