package dev.understudy.core;

import dev.understudy.protocol.AgentMessage;
import java.time.Duration;

/// Whatever can change the controller's mind.
public sealed interface Input {

    /// A message from the agent of a host; the shell has checked that it may speak for that host.
    record AgentReport(String host, AgentMessage message) implements Input {}

    /// The connection to a host's agent ended. No evidence of anything about the host itself.
    record LinkLost(String host) implements Input {}

    /// Something that a person asked for.
    record Operator(String requestId, String who, OperatorRequest request) implements Input {}

    /// This process began or ceased to lead, in the given Raft term.
    record LeadershipChanged(long term, boolean leading) implements Input {}

    /// The loop itself was not running for a while (S8): nobody may be judged by a silence that was the controller's
    /// own, nor by a part of what waits in its mailbox. What follows is only noted, until the next [Tick]: it comes
    /// when the mailbox is empty.
    record LoopWasLate(Duration late) implements Input {}

    /// Time passed.
    record Tick() implements Input {}
}
