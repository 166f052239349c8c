package dev.understudy.agent.link;

import dev.understudy.agent.lease.HeartbeatSender;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import java.time.Duration;
import java.util.List;

/// The links to all controllers: every heartbeat goes to each of them, so that a new leader already knows the
/// present.
public final class Links implements HeartbeatSender, AutoCloseable {

    private final List<ControllerLink> links;
    private final Runnable sentMeter;

    /// @param sentMeter called for each heartbeat sent
    public Links(List<ControllerLink> links, Runnable sentMeter) {
        this.links = List.copyOf(links);
        this.sentMeter = sentMeter;
    }

    public void start() {
        links.forEach(ControllerLink::start);
    }

    public List<ControllerLink> all() {
        return links;
    }

    public void heartbeatInterval(Duration interval) {
        links.forEach(link -> link.heartbeatInterval(interval));
    }

    @Override
    public boolean connected() {
        return links.stream().anyMatch(ControllerLink::ready);
    }

    @Override
    public void heartbeat(long seq, List<LeaseReport> leases, long lateMillis) {
        links.forEach(link -> link.heartbeat(seq, leases, lateMillis));
        sentMeter.run();
    }

    @Override
    public void restartNotice(long seq, long millis) {
        links.forEach(link -> link.restartNotice(seq, millis));
    }

    @Override
    public void close() {
        links.forEach(ControllerLink::close);
    }
}
