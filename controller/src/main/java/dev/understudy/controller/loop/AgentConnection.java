package dev.understudy.controller.loop;

import dev.understudy.protocol.ControllerMessage;

/// The connection of one host's agent, as the loop uses it. None of these blocks; thread-safe.
public interface AgentConnection {

    String host();

    /// Queues the message; a connection that does not take its messages away is closed.
    void send(ControllerMessage message);

    void close(String reason);
}
