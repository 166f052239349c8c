package dev.understudy.agent.lease;

import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.function.Consumer;

/// What the lease thread has done for it. Both methods are called on the lease thread and return at once.
public interface HolderActs {

    /// The lease's deadline moved: the kernel's element and the address's lifetime follow. When the kernel's element
    /// was over already, the implementation calls [LeaseKeeper#fence].
    void renewed(Lease lease);

    /// Gives the resource up on this host: a running command for it is cancelled, the kernel's element and the
    /// address are removed, the database is fenced. `done` is called once, from any thread, with [Outcome.Done]
    /// only when all of it is so.
    ///
    /// @param drain how long established connections may go on at the address (S13); zero: not at all
    void giveUp(ResourceId resource, long epoch, Duration drain, Consumer<Outcome> done);
}
