package dev.understudy.core.evidence;

import dev.understudy.core.Consenting;
import dev.understudy.core.HostView;
import dev.understudy.core.Now;
import dev.understudy.core.Operations;
import dev.understudy.core.ResourceState;
import dev.understudy.core.State;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What the controller can say at this moment about hosts and what they see. A host that was not heard for three
/// heartbeats is silent: unknown, never down.
public record Evidence(State state, Now now) {

    /// After a move the eyes of others need this long to see the new holder.
    private static final Duration SETTLING = Duration.ofSeconds(2);

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

    /// How long nothing has been heard of a host; since this controller leads, if it never was.
    public Duration silentFor(String host) {
        Moment last = view(host).map(HostView::heard).orElse(state.startedAt());
        return now.mono().since(last.latest(state.startedAt()));
    }

    /// How many of the cluster's hosts are heard now.
    public long freshHosts() {
        return spec().hosts().stream().filter(h -> fresh(h.name())).count();
    }

    /// The controller hears fewer than half of the hosts: the likeliest explanation is that it is itself cut off. A
    /// host in maintenance is not missed.
    public boolean blind() {
        long missed = spec().hosts().stream()
                .filter(h -> !fresh(h.name()) && maintenance(h.name()).isEmpty())
                .count();
        return missed > freshHosts();
    }

    public Optional<Observation.Balancer> balancer(String host, String group) {
        return observation(host, "balancer/" + group, Observation.Balancer.class);
    }

    public Optional<Observation.Database> database(String host, String group) {
        return observation(host, "database/" + group, Observation.Database.class);
    }

    /// How a member's server is set up; empty while that was not told (by an agent of an earlier version never).
    public Optional<Observation.Settings> settings(String host, String group) {
        return observation(host, "settings/" + group, Observation.Settings.class);
    }

    /// The newest backup on the host; empty while that was not told (by an agent of an earlier version never).
    public Optional<Observation.Backup> backup(String host, String group) {
        return observation(host, "backup/" + group, Observation.Backup.class);
    }

    /// How much data the member has, and the copy that is being made of or for them.
    public Optional<Observation.Data> data(String host, String group) {
        return observation(host, "data/" + group, Observation.Data.class);
    }

    /// The server of a member on which an address depends.
    ///
    /// @param name for people
    /// @param key of its observation
    public record Server(String name, String key, ServiceState service, Health health) {}

    /// What stands behind a virtual address on a member: HAProxy, or the database server for a reader address; empty
    /// while nothing is known of it.
    public Optional<Server> serverBehind(String host, ResourceId address) {
        String group = address.group();
        return readsOf(group).isPresent()
                ? database(host, group).map(d -> new Server("the database", d.key(), d.service(), d.health()))
                : balancer(host, group).map(b -> new Server("HAProxy", b.key(), b.service(), b.health()));
    }

    /// The group, if it is a database group: its addresses are for reads.
    public Optional<ClusterSpec.DatabaseGroup> readsOf(String group) {
        return spec().group(group)
                .filter(ClusterSpec.DatabaseGroup.class::isInstance)
                .map(ClusterSpec.DatabaseGroup.class::cast);
    }

    public static String readingKey(String group, String member) {
        return group + "/" + member;
    }

    /// How long the member has been of that grade as holder of the reader address; empty if it is of another one.
    public Optional<Duration> gradedFor(String group, String member, Reading.Grade grade) {
        return Optional.ofNullable(state.readings().get(readingKey(group, member)))
                .filter(g -> g.grade() == grade)
                .map(g -> now.mono().since(g.since()));
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

    /// The host is heard and says that it has promised a holder of the resource not to be promoted, a moment ago: a
    /// standing consent says nothing of whether the holder lives.
    public boolean promised(String host, ResourceId resource) {
        return fresh(host)
                && lease(host, resource).map(l -> l.promised() && !l.stands()).orElse(false);
    }

    /// The epoch to whose holder the host says that it has left a standing consent, and has not spoken with it
    /// since; 0 for none, and for a host that is not heard.
    public long standsFor(String host, ResourceId resource) {
        Long epoch =
                fresh(host) ? lease(host, resource).map(LeaseReport::standing).orElse(null) : null;
        return epoch == null ? 0 : epoch;
    }

    /// What members have to say of standing consents, a clause each.
    public List<String> standing(ResourceState resource) {
        return members(resource.id()).stream()
                .filter(m -> standsFor(m, resource.id()) > 0)
                .map(m -> "%s gave standing consent to epoch %d and has not spoken with %s since"
                        .formatted(m, standsFor(m, resource.id()), resource.holder()))
                .toList();
    }

    private List<String> members(ResourceId resource) {
        return spec().group(resource.group()).map(ClusterSpec.Group::members).orElse(List.of());
    }

    /// The host is heard and will consent to no holder of that epoch any more (S5).
    public boolean closed(String host, ResourceId resource, long epoch) {
        return fresh(host) && lease(host, resource).map(l -> l.epoch() > epoch).orElse(false);
    }

    /// Members that are heard and bound by a promise to the holder.
    public List<String> promising(ResourceId resource) {
        return members(resource).stream().filter(m -> promised(m, resource)).toList();
    }

    /// The members that can close the epoch of the resource's holder and are heard. One that is bound by a standing
    /// consent closes nothing.
    public List<String> heardClosers(ResourceState resource) {
        return state.journaled().circle(resource).map(Consenting::closers).orElse(List.of()).stream()
                .filter(this::fresh)
                .filter(m -> standsFor(m, resource.id()) == 0)
                .toList();
    }

    /// The holder cannot live on consent: it was never given a circle, or one that it must ask, and on whose
    /// standing consent it does not count, has closed its epoch and every promise that is known of has run out (S5,
    /// S6).
    public boolean consentOver(ResourceState resource) {
        return state.journaled().circle(resource).isEmpty()
                || (heardClosers(resource).stream().anyMatch(m -> closed(m, resource.id(), resource.epoch()))
                        && promising(resource.id()).isEmpty());
    }

    /// Every epoch of the resource up to this one was given up by the host that held it.
    public boolean releasedByItsHolder(ResourceId resource, long epoch) {
        return state.hosts().values().stream()
                        .map(v -> v.leases().get(resource))
                        .anyMatch(l -> l != null && l.released() >= epoch)
                || vouched(resource, epoch);
    }

    /// An operator has vouched that the host which held that epoch is off.
    public boolean vouched(ResourceId resource, long epoch) {
        return state.journaled().vouched().getOrDefault(resource, 0L) >= epoch;
    }

    /// Whoever held that epoch holds it no more, and no standing consent that is reported now was needed to know
    /// that: it was given up or vouched for, or the journal has moved on. The journal moves on when an epoch is
    /// over; a member that had closed it could not have left a standing consent to it, and one that had left one
    /// was no closer.
    public boolean over(ResourceId resource, long epoch) {
        ResourceState known = state.journaled().resources().get(resource);
        return releasedByItsHolder(resource, epoch)
                || (known != null && (known.epoch() > epoch || (known.epoch() == epoch && known.fenced())));
    }

    /// The holder of the resource's epoch certainly holds it no more: nobody does, it said so, or its leases are
    /// over and it cannot live on consent.
    public boolean gone(ResourceState resource) {
        String holder = resource.holder();
        return holder == null
                || released(holder, resource.id(), resource.epoch())
                || vouched(resource.id(), resource.epoch())
                || (lapsed(resource.id()) && consentOver(resource));
    }

    /// What the other hosts that are heard see of a host, by observer. An agent whose own ticks are late trusts
    /// itself less: it is no witness. Neither is one that still says that a silent host answers, as long as it may
    /// only not have noticed yet.
    public Map<String, Observation.Reach> eyesOn(String host) {
        Map<String, Observation.Reach> eyes = new TreeMap<>();
        boolean silent = !fresh(host);
        for (String observer : witnesses()) {
            observation(observer, "peer/" + host, Observation.Peer.class)
                    .filter(_ -> !observer.equals(host))
                    .filter(seen -> !silent
                            || seen.reach() != Observation.Reach.ANSWERS
                            || silentFor(host).compareTo(noticesWithin(observer, host)) > 0)
                    .ifPresent(seen -> eyes.put(observer, seen.reach()));
        }
        return eyes;
    }

    private Duration noticesWithin(String observer, String host) {
        boolean near = spec().groups().stream()
                .anyMatch(g -> g.members().contains(observer) && g.members().contains(host));
        return state.timing().noticesSilenceWithin(near);
    }

    /// What the other hosts see of a resource through its address, by observer: only those that have reached it
    /// since its holder has it. A host that never could, or that lost it before the last move, is no witness: what
    /// it sees is not the holder's doing.
    public Map<String, Observation.Reach> pathsTo(ResourceId resource, String holder) {
        Map<String, Observation.Reach> paths = new TreeMap<>();
        for (String observer : witnesses()) {
            observation(observer, "path/" + resource, Observation.Path.class)
                    .filter(seen -> !observer.equals(holder)
                            && (seen.reach() == Observation.Reach.ANSWERS || lostSinceHeld(observer, resource)))
                    .ifPresent(seen -> paths.put(observer, seen.reach()));
        }
        return paths;
    }

    private boolean lostSinceHeld(String observer, ResourceId resource) {
        Duration lostFor = inStateFor(observer, "path/" + resource);
        return lostFor.plus(SETTLING).compareTo(inPhase(resource)) < 0
                && view(observer).map(v -> v.everReached().contains(resource)).orElse(false);
    }

    /// Whether the host says that it is cut off from the network of the resource's clients: no carrier, or its
    /// gateway is silent; empty if it cannot say.
    public Optional<Boolean> cutFromClients(String host, ResourceId resource) {
        Optional<Boolean> gateway = observation(host, "gateway/" + resource, Observation.Gateway.class)
                .map(g -> g.reach() == Observation.Reach.SILENT);
        boolean noCarrier = address(host, resource).map(a -> !a.carrier()).orElse(false);
        return noCarrier ? Optional.of(true) : gateway;
    }

    /// The hosts whose word counts now: heard, and with their own ticks in time.
    private List<String> witnesses() {
        long limit = state.timing().heartbeat().toMillis() * 2;
        return spec().hosts().stream()
                .map(ClusterSpec.Host::name)
                .filter(this::fresh)
                .filter(h -> view(h).map(v -> v.lateMillis() <= limit).orElse(false))
                .toList();
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

    /// How long every lease for the resource has been over; negative while one may live.
    public Duration sinceLapse(ResourceId resource) {
        return now.mono().since(state.leases().lapseOf(resource));
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

    /// The host's agent says that it was detached from the resource.
    public boolean detached(String host, ResourceId resource) {
        return observation(host, "attachment/" + resource, Observation.Attachment.class)
                .map(Observation.Attachment::detached)
                .orElse(false);
    }

    /// What may be done with a group now: its mode in the file, lowered to `observe` while it is detached and from
    /// `automatic` to `manual` while it is paused.
    public Mode mode(String group) {
        if (operations().detached().contains(group) || operations().attaching().contains(group)) {
            return Mode.OBSERVE;
        }
        Mode mode = spec().group(group).map(ClusterSpec.Group::mode).orElse(Mode.OBSERVE);
        return mode == Mode.AUTOMATIC && operations().pause(group, now.wall()).isPresent() ? Mode.MANUAL : mode;
    }

    /// Why nothing is moved by itself, for people: `mode is MANUAL`, `paused until … by …`.
    public String restraint(String group) {
        return operations().detached().contains(group)
                ? "it is detached"
                : operations()
                        .pause(group, now.wall())
                        .map(Operations.Pause::describe)
                        .orElse("mode is " + mode(group));
    }

    /// The work that an operator does on the host, if any.
    public Optional<Operations.Maintenance> maintenance(String host) {
        return operations().maintenance(host, now.wall());
    }

    /// What is wrong with the host's clock, while the alarm stands: the host is not made holder of anything.
    public Optional<String> clockAlarm(String host) {
        return view(host).map(v -> v.clock().alarm());
    }

    public Operations operations() {
        return state.journaled().operations();
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
                ReplicationLag.of(this, resource.group(), host)
                        .filter(lag -> lag.length().isPositive())
                        .ifPresent(lag -> line.append(", ").append(lag.describe()));
            }
        });
        lease(host, resource)
                .ifPresent(l -> line.append(
                        "; lease epoch=%d released=%d held=%d".formatted(l.epoch(), l.released(), l.held())));
        long standing = standsFor(host, resource);
        line.append(standing > 0 ? " standing consent to epoch " + standing : "");
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
