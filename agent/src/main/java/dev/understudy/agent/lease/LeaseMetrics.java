package dev.understudy.agent.lease;

import java.time.Duration;

/// What the lease thread counts. Called on the lease thread.
public interface LeaseMetrics {

    LeaseMetrics NONE = new LeaseMetrics() {
        @Override
        public void acknowledged(Duration roundTrip) {}

        @Override
        public void late(Duration tickLate) {}

        @Override
        public void fenced() {}

        @Override
        public void dropped() {}
    };

    void acknowledged(Duration roundTrip);

    void late(Duration tickLate);

    /// A lease was fenced by this agent itself.
    void fenced();

    /// A message from a controller did not fit into the queue.
    void dropped();
}
