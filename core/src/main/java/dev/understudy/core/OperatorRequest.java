package dev.understudy.core;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;
import org.jspecify.annotations.Nullable;

/// What an operator can ask for. Each is answered at once ([Answer]): accepted, or refused with a reason.
public sealed interface OperatorRequest {

    /// A planned move of a resource, to the named host or to the best candidate.
    record Switchover(ResourceId resource, @Nullable String to) implements OperatorRequest {}

    /// A checked cluster specification and the text that it was read from.
    record Apply(ClusterSpec spec, String text) implements OperatorRequest {}

    /// This controller is about to be stopped and started again: every holder gets a lease that outlives it (S9).
    record PlannedStop() implements OperatorRequest {}

    /// Try a plan that stopped and paged once more.
    record Retry(ResourceId resource) implements OperatorRequest {}
}
