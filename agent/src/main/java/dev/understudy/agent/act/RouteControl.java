package dev.understudy.agent.act;

import dev.understudy.protocol.Outcome;

/// The routes of the balancer on this host: one instance a balancer group. Thread-safe; calls take a few seconds at
/// most.
@FunctionalInterface
public interface RouteControl {

    /// Sets the server's state and reads it back. Done also when it was so already; Failed when the balancer does
    /// not answer or knows no such server.
    ///
    /// @param state `ready`, `drain` or `maint`
    Outcome setServerState(String backend, String server, String state);
}
