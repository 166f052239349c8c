package dev.understudy.controller.loop;

import dev.understudy.core.OperatorRequest;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ControllerMessage.AskDiverged;

/// What waits for the loop.
sealed interface Mail {

    /// A message that a connection received; dropped if another connection of the host has taken its place.
    record FromAgent(AgentConnection connection, AgentMessage message) implements Mail {}

    record Closed(AgentConnection connection) implements Mail {}

    record Asked(String requestId, String who, OperatorRequest request) implements Mail {}

    /// A question for one host's agent that decides nothing.
    record Question(String host, AskDiverged question) implements Mail {}

    /// Decide nothing more.
    record Stop() implements Mail {}

    record Leadership(long term, boolean leading) implements Mail {}
}
