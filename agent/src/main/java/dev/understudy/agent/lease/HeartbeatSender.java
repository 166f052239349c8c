package dev.understudy.agent.lease;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import java.util.List;

/// Sends heartbeats to every connected controller. Called on the lease thread, never blocks.
public interface HeartbeatSender {

    /// Whether some controller listens, so that a heartbeat is worth its number.
    boolean connected();

    void heartbeat(long seq, List<LeaseReport> leases, long lateMillis);

    void restartNotice(long seq, long millis);
}
