package dev.understudy.core.evidence;

import dev.understudy.core.HostView;
import dev.understudy.core.Now;
import dev.understudy.core.State;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What the controller can say at this moment about hosts and what they see. A host that was not heard for three
/// heartbeats is silent: unknown, never down.
public record Evidence(State state, Now now) {

    public ClusterSpec spec() {
        return state.spec();
    }

    public Optional<HostView> view(String host) {
        return Optional.ofNullable(state.hosts().get(host));
    }

    /// Heard within the last three heartbeats, and a heartbeat of this connection has arrived.
    public boolean fresh(String host) {
        return view(host)
                .filter(v -> v.seq() > 0 && v.connected())
                .filter(v ->
                        now.mono().since(v.heard()).compareTo(state.timing().silence()) < 0)
                .isPresent();
    }

    /// How many of the cluster's hosts are heard now.
    public long freshHosts() {
        return spec().hosts().stream().filter(h -> fresh(h.name())).count();
    }

    /// The controller hears fewer than half of the hosts: the likeliest explanation is that it is itself cut off.
    public boolean blind() {
        return freshHosts() * 2 < spec().hosts().size();
    }

    public Optional<Observation.Balancer> balancer(String host, String group) {
        return observation(host, "balancer/" + group, Observation.Balancer.class);
    }

    public Optional<Observation.Database> database(String host, String group) {
        return observation(host, "database/" + group, Observation.Database.class);
    }

    public Optional<Observation.Address> address(String host, ResourceId resource) {
        return observation(host, "address/" + resource, Observation.Address.class);
    }

    /// How long the observation with that key has been in its present state; zero if there is none.
    public Duration inStateFor(String host, String key) {
        return view(host)
                .map(v -> v.since().get(key))
                .map(at -> now.mono().since(at))
                .orElse(Duration.ZERO);
    }

    public Optional<LeaseReport> lease(String host, ResourceId resource) {
        return view(host).map(v -> v.leases().get(resource));
    }

    /// The host's agent says that it holds the resource under a live lease of that epoch.
    public boolean holds(String host, ResourceId resource, long epoch) {
        return lease(host, resource).map(l -> l.held() == epoch).orElse(false);
    }

    /// The host's agent has said that it released everything up to that epoch.
    public boolean released(String host, ResourceId resource, long epoch) {
        return lease(host, resource).map(l -> l.released() >= epoch).orElse(false);
    }

    /// Some host has heard of a higher epoch of the resource than the journal knows of: a backup of the journal was
    /// restored, or another journal was in force meanwhile (S22).
    public boolean newerThan(ResourceId resource, long epoch) {
        return state.hosts().values().stream()
                .map(v -> v.leases().get(resource))
                .anyMatch(l -> l != null && l.epoch() > epoch);
    }

    /// Every lease that was ever granted for the resource is over.
    public boolean lapsed(ResourceId resource) {
        return state.leases().lapsed(resource, now.mono());
    }

    /// How long the resource has been in its phase.
    public Duration inPhase(ResourceId resource) {
        Moment since = state.phaseSince().getOrDefault(resource, state.startedAt());
        return now.mono().since(since);
    }

    /// How long this controller has been leading.
    public Duration leading() {
        return now.mono().since(state.startedAt());
    }

    /// A line for each observer that has something to say about the resource's members, for events.
    public List<String> lines(ResourceId resource) {
        List<String> lines = new ArrayList<>();
        lines.add("controller: hears %d of %d hosts"
                .formatted(freshHosts(), spec().hosts().size()));
        spec().group(resource.group()).ifPresent(group -> {
            for (String member : group.members()) {
                lines.add(member + ": " + line(member, resource));
            }
        });
        return lines;
    }

    private String line(String host, ResourceId resource) {
        Optional<HostView> view = view(host);
        if (view.isEmpty()) {
            return "never heard";
        }
        StringBuilder line = new StringBuilder();
        line.append(fresh(host) ? "heard" : "silent for")
                .append(' ')
                .append(now.mono().since(view.get().heard()).toMillis())
                .append(" ms");
        line.append(fresh(host) ? " ago" : "");
        balancer(host, resource.group())
                .ifPresent(b -> line.append("; HAProxy ").append(words(b.service(), b.health(), b.detail())));
        database(host, resource.group()).ifPresent(d -> {
            line.append("; database ").append(words(d.service(), d.health(), d.detail()));
            if (d.readOnly() != null) {
                line.append(d.readOnly() ? ", read-only" : ", writable");
            }
            if (!d.binlogPosition().isEmpty()) {
                line.append(", binlog ").append(d.binlogPosition());
            }
            Observation.Replica replica = d.replica();
            if (replica != null) {
                line.append(", follows ").append(replica.source());
                line.append(" receiver=").append(replica.receiver());
                line.append(" applier=").append(replica.applier());
                line.append(" received ").append(replica.receivedPosition());
            }
        });
        lease(host, resource)
                .ifPresent(l -> line.append(
                        "; lease epoch=%d released=%d held=%d".formatted(l.epoch(), l.released(), l.held())));
        return line.toString();
    }

    private static String words(ServiceState service, Health health, String detail) {
        return "process " + service + ", answers " + health + (detail.isEmpty() ? "" : " (" + detail + ")");
    }

    private <T extends Observation> Optional<T> observation(String host, String key, Class<T> type) {
        return view(host)
                .map(v -> v.observations().get(key))
                .filter(type::isInstance)
                .map(type::cast);
    }
}
