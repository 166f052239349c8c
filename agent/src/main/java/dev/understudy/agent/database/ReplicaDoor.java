package dev.understudy.agent.database;

import dev.understudy.protocol.Outcome;
import java.util.Optional;
import java.util.Set;

/// Shuts out replicas at this host's own server port, in the kernel (S14). It outlives this agent. Thread-safe,
/// idempotent, bounded by two seconds.
public interface ReplicaDoor {

    /// Packets between that host and this one's server port are answered with a TCP reset from now on.
    Outcome shut(String address);

    /// That host may connect again.
    Outcome open(String address);

    /// Everybody may connect again.
    Outcome openAll();

    /// Who is shut out, as the kernel says; empty if it does not.
    Optional<Set<String>> shutOut();
}
