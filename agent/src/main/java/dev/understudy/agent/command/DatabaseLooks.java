package dev.understudy.agent.command;

import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;

/// Hears what was seen of this host's database servers. Any thread; both methods return at once.
public interface DatabaseLooks {

    /// A look is about to begin.
    ///
    /// @return what to give to [#looked] when it has ended
    long beforeLook(ResourceId primary);

    /// What the look saw.
    void looked(ResourceId primary, long before, Observation.Database seen);
}
