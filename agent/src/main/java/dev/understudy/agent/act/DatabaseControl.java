package dev.understudy.agent.act;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.wire.metrics.Family;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The database server on this host: one instance a database group. Thread-safe. [#observe] takes at most one
/// second; [#execute] as long as its command's own time-out says and runs on a worker thread of the caller.
public interface DatabaseControl extends AutoCloseable {

    /// What can be seen of the server now; never blocks behind a commit that waits or an operator's lock.
    Observation.Database observe();

    /// How the server is set up, as it was read last by [#observe]; empty while it has not been.
    ///
    /// @param wait at most so long for the first reading
    default Optional<Observation.Settings> settings(Duration wait) {
        return Optional.empty();
    }

    /// The server's data and the copy of them that is being made, a second old at most; null where nothing is known.
    default Observation.@Nullable Data data() {
        return null;
    }

    /// Carries out the database's part of a command: [Command.CutReceiver], [Command.CatchUp], [Command.Stage],
    /// [Command.Follow], [Command.OpenWrites], [Command.BlockWrites], [Command.UnblockWrites],
    /// [Command.ReachPosition], [Command.ShutOut], [Command.LetIn], [Command.Detach] (nobody is shut out any more),
    /// [Command.AdoptCopy]; beside whatever else runs [Command.OfferCopy], [Command.ReceiveCopy] (which takes as
    /// long as it takes) and [Command.EndCopy]; and [Command.Release], which fences at once, without waiting for
    /// a command that runs, and keeps that one from opening the server again. `lease` is asked before
    /// `read_only=0`. Other commands are Refused `unsupported`.
    Outcome execute(Command command, LeaseCheck lease);

    /// Keeps the group's heartbeat row: under a live lease the row is written once a second, without one it is read
    /// as replication brought it. To be called again and again, by one thread that does nothing else: a row whose
    /// commit waits for a replica's acknowledgement is waited for as long as that takes. Never writes on a server
    /// that is read-only.
    ///
    /// @param epoch of the lease of the primary role, 0 for none
    /// @param lease asked before the row is written
    void beat(long epoch, LeaseCheck lease);

    /// What the server counts itself, for Prometheus. Takes at most about a second, and nothing else waits for it.
    default List<Family> figures() {
        return List.of();
    }

    @Override
    void close();
}
