package dev.understudy.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

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
    ///
    /// @param released the leader knows that every epoch of the resource up to this one was released by its holder
    /// (or vouched for by a fence): promises to those holders are void. 0 if it knows of none. To a host that is
    /// bound by a standing consent, which has no end of its own, it says so too when other members have closed them
    /// and the leases are over.
    record Order(long answers, long term, long ttlMillis, long released, Command command) implements ControllerMessage {
        /// An order of a leader that knows of no release.
        public Order(long answers, long term, long ttlMillis, Command command) {
            this(answers, term, ttlMillis, 0, command);
        }
    }

    /// A person wants to see what was decoded of transactions that only this host's server of the group has. Touches
    /// nothing.
    record AskDiverged(String id, String group) implements ControllerMessage {}

    /// The right to hold a resource for `ttlMillis` from the sending of the acknowledged heartbeat.
    ///
    /// @param circle on whose consent the holder lives when no controller is in reach; null: on nobody's
    record Grant(
            ResourceId resource,
            long epoch,
            long ttlMillis,
            @Nullable Circle circle) {
        /// A grant without a circle.
        public Grant(ResourceId resource, long epoch, long ttlMillis) {
            this(resource, epoch, ttlMillis, null);
        }
    }
}
