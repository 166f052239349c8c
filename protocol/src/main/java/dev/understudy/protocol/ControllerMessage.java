package dev.understudy.protocol;

import java.util.List;

/// What a controller sends to an agent.
public sealed interface ControllerMessage {

    /// The answer to a hello: the cluster as it is declared now. Sent again when the spec changes.
    record Welcome(String cluster, long term, long specVersion, ClusterSpec spec) implements ControllerMessage {}

    /// The connection is refused (other cluster, unknown host, other version): the agent logs it and retries slowly.
    record Refusal(String reason) implements ControllerMessage {}

    /// The answer to one numbered heartbeat; renews leases that are alive (S1) and nothing else.
    record Acknowledgement(long seq, long term, List<Grant> grants) implements ControllerMessage {
        public Acknowledgement {
            grants = List.copyOf(grants);
        }
    }

    /// A command. It answers the heartbeat `answers`: a lease that the command takes is counted from the sending of
    /// that heartbeat (S2) and lasts `ttlMillis`.
    record Order(long answers, long term, long ttlMillis, Command command) implements ControllerMessage {}

    /// The right to hold a resource for `ttlMillis` from the sending of the acknowledged heartbeat.
    record Grant(ResourceId resource, long epoch, long ttlMillis) {}
}
