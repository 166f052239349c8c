package dev.understudy.agent.database;

import dev.understudy.protocol.Outcome;

/// Cuts this host off from a primary that is being replaced, in the kernel (S19): its receiver then stops at once
/// even on a frozen primary, and nothing more is received from it or acknowledged to it. Thread-safe, idempotent,
/// bounded by two seconds.
public interface SourceCut {

    /// Packets between this host and the primary's server port are answered with a TCP reset from now on.
    Outcome cut(String address, int port);

    /// This address may be talked to again.
    Outcome restore(String address, int port);

    /// No address is cut off any more.
    Outcome restoreAll();
}
