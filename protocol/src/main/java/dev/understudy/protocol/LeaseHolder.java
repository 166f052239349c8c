package dev.understudy.protocol;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The agent's half of the lease protocol. The controller's half is [LeaseGrantor].
///
/// A lease's deadline is counted from the sending of the heartbeat that was acknowledged (S1), so it always ends
/// before the controller believes it over. A renewal never revives a lease that has expired: only a new epoch does.
/// Orders with an older term or epoch are refused (S2).
///
/// Not thread-safe: confined to the agent's lease thread. Time comes in as a value. What [#floors()] returns must
/// be on disk before anything that follows from it is answered (S3).
public final class LeaseHolder {

    /// How many sent heartbeats are remembered; an acknowledgement of an older one is ignored.
    public static final int REMEMBERED_HEARTBEATS = 512;

    private final TreeMap<Long, Moment> sent = new TreeMap<>();
    private final Map<ResourceId, Standing> standings = new TreeMap<>();
    private long highestTerm;

    /// Where this host stands with one resource.
    private record Standing(
            long epoch, long released, @Nullable Lease lease) {
        Standing seen(long newEpoch) {
            return new Standing(Math.max(epoch, newEpoch), released, lease);
        }
    }

    /// A lease that this host has been given. It is live strictly before its deadline.
    public record Lease(ResourceId resource, long epoch, Moment deadline) {
        public boolean liveAt(Moment now) {
            return now.isBefore(deadline);
        }
    }

    /// The durable part: what an agent must remember over a restart of itself or its host.
    public record Floors(long highestTerm, List<Floor> resources) {
        public Floors {
            resources = List.copyOf(resources);
        }
    }

    public record Floor(ResourceId resource, long epoch, long released) {}

    /// What became of an order.
    public sealed interface Verdict {
        /// Do it. `deadline` is the end of the lease that the command takes, or the order's own end of validity.
        record Accepted(Moment deadline) implements Verdict {}

        record Rejected(Outcome.Refused outcome) implements Verdict {}
    }

    public LeaseHolder(Floors floors) {
        highestTerm = floors.highestTerm();
        for (Floor floor : floors.resources()) {
            standings.put(floor.resource(), new Standing(floor.epoch(), floor.released(), null));
        }
    }

    /// A heartbeat is about to be sent. Call before the bytes leave the process.
    public void heartbeatSent(long seq, Moment now) {
        sent.put(seq, now);
        while (sent.size() > REMEMBERED_HEARTBEATS) {
            sent.pollFirstEntry();
        }
    }

    /// The connection's incarnation changed: acknowledgements of earlier heartbeats must not be counted.
    public void forgetHeartbeats() {
        sent.clear();
    }

    /// An acknowledgement arrived: returns the leases that it renewed, with their new deadlines.
    public List<Lease> acknowledged(long seq, long term, Collection<Grant> grants, Moment now) {
        Moment sentAt = sent.get(seq);
        if (sentAt == null || term < highestTerm) {
            return List.of();
        }
        highestTerm = Math.max(highestTerm, term);
        List<Lease> renewed = new ArrayList<>();
        for (Grant grant : grants) {
            Standing standing = standing(grant.resource());
            Lease lease = standing.lease();
            if (lease == null || lease.epoch() != grant.epoch() || !lease.liveAt(now)) {
                continue; // never revive, never jump epochs
            }
            Moment deadline = sentAt.plus(Duration.ofMillis(grant.ttlMillis()));
            Lease next =
                    new Lease(grant.resource(), grant.epoch(), lease.deadline().latest(deadline));
            standings.put(grant.resource(), new Standing(standing.epoch(), standing.released(), next));
            renewed.add(next);
        }
        return renewed;
    }

    /// An order arrived: checks term, epoch and, for a take, that its lease would be live. Raises the epoch floor.
    public Verdict ordered(Order order, Moment now) {
        Command command = order.command();
        Standing standing = standing(command.resource());
        if (order.term() < highestTerm) {
            return reject("stale", "term " + order.term() + " is older than " + highestTerm);
        }
        if (command.epoch() < standing.epoch()) {
            return reject("stale", "epoch " + command.epoch() + " is older than " + standing.epoch());
        }
        if (command.takesLease() && command.epoch() <= standing.released()) {
            return reject("stale", "epoch " + command.epoch() + " is released");
        }
        Moment sentAt = sent.get(order.answers());
        if (sentAt == null) {
            return reject("lease", "heartbeat " + order.answers() + " is not known");
        }
        Moment deadline = sentAt.plus(Duration.ofMillis(order.ttlMillis()));
        if (command.takesLease() && !now.isBefore(deadline)) {
            return reject("lease", "the order came after its lease was over");
        }
        highestTerm = Math.max(highestTerm, order.term());
        standings.put(command.resource(), standing.seen(command.epoch()));
        return new Verdict.Accepted(deadline);
    }

    /// The lease of an accepted take starts. Check [#live] again before each act.
    public void take(ResourceId resource, long epoch, Moment deadline) {
        Standing standing = standing(resource);
        Lease lease = standing.lease();
        if (epoch < standing.epoch() || epoch <= standing.released()) {
            throw new IllegalStateException(
                    "take of " + resource + " at epoch " + epoch + " below the floor " + standing);
        }
        if (lease != null && lease.epoch() == epoch) {
            deadline = lease.deadline().latest(deadline); // a repeated order
        }
        standings.put(resource, new Standing(epoch, standing.released(), new Lease(resource, epoch, deadline)));
    }

    /// A restarted agent found its lease alive in the kernel (S9): the deadline is what the kernel enforces.
    public void adopt(ResourceId resource, long epoch, Moment deadline) {
        take(resource, epoch, deadline);
    }

    /// This host gave the resource up: everything up to the epoch is released.
    public void released(ResourceId resource, long epoch) {
        Standing standing = standing(resource);
        Lease lease = standing.lease();
        standings.put(
                resource,
                new Standing(
                        Math.max(standing.epoch(), epoch),
                        Math.max(standing.released(), epoch),
                        lease != null && lease.epoch() <= epoch ? null : lease));
    }

    /// The leases that are over: the caller fences each and then calls [#released]. Also to be called first after
    /// any gap in the agent's ticks (S8).
    public List<Lease> expired(Moment now) {
        return leases().stream().filter(lease -> !lease.liveAt(now)).toList();
    }

    /// Whether the lease of this epoch is live now.
    public boolean live(ResourceId resource, long epoch, Moment now) {
        Lease lease = standing(resource).lease();
        return lease != null && lease.epoch() == epoch && lease.liveAt(now);
    }

    public Optional<Lease> lease(ResourceId resource) {
        return Optional.ofNullable(standing(resource).lease());
    }

    /// Every lease that was taken and not released, live or not.
    public List<Lease> leases() {
        List<Lease> leases = new ArrayList<>();
        for (Standing standing : standings.values()) {
            if (standing.lease() != null) {
                leases.add(standing.lease());
            }
        }
        return leases;
    }

    public Floors floors() {
        List<Floor> floors = new ArrayList<>();
        standings.forEach((resource, s) -> floors.add(new Floor(resource, s.epoch(), s.released())));
        return new Floors(highestTerm, floors);
    }

    /// What the next heartbeat says.
    public List<LeaseReport> report(Moment now) {
        List<LeaseReport> reports = new ArrayList<>();
        standings.forEach((resource, s) -> {
            Lease lease = s.lease();
            long held = lease != null && lease.liveAt(now) ? lease.epoch() : 0;
            reports.add(new LeaseReport(resource, s.epoch(), s.released(), held));
        });
        return reports;
    }

    private Standing standing(ResourceId resource) {
        return standings.getOrDefault(resource, new Standing(0, 0, null));
    }

    private static Verdict reject(String code, String reason) {
        return new Verdict.Rejected(new Outcome.Refused(code, reason));
    }
}
