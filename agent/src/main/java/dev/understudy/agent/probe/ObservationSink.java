package dev.understudy.agent.probe;

import dev.understudy.protocol.Observation;

/// Where probes put what they see. Thread-safe, never blocks.
public interface ObservationSink {

    /// Replaces the earlier observation with the same key; the next heartbeat carries it if it changed.
    void publish(Observation observation);

    /// Like [#publish], and a heartbeat goes out at once: for news that can matter now, such as a service that
    /// ended.
    void publishNow(Observation observation);
}
