package dev.understudy.core.simulator;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.LeaseHolder.Floor;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One run of an agent: the real [LeaseHolder] in a shell that does what the agent's lease thread does. Before each
/// task the expired leases are fenced (S8); a release is the kernel's element, the floor on disk, the word (S9);
/// what is told of epochs and releases is what is on disk (S3); without floors it is mute.
final class SimAgent {

    private static final int TICKS_A_HEARTBEAT = 4;
    private static final long RETRY = 1000;
    private static final long BEAT = 1000;

    final SimHost host;
    final Life life = new Life();
    final LeaseHolder holder;
    final SimCommands commands;
    final SimConsents consents;
    private final Site site;
    private final Dice dice;
    private final String incarnation;
    private final List<SimLink> links = new ArrayList<>();
    private final Map<ResourceId, Release> releases = new TreeMap<>();
    private final Map<ResourceId, Long> taken;
    private final Map<ResourceId, Long> inKernel = new TreeMap<>();
    private TimingProfile timing = TimingProfile.STANDARD;
    private @Nullable ClusterSpec spec;
    private Set<ResourceId> reported = Set.of();
    private final Map<ResourceId, Long> isolated = new TreeMap<>();
    private final Moment startedAt;
    private Moment muteUntil;
    private Moment lastAcknowledged;
    private boolean diskFailing;
    private boolean beating;
    private long seq;
    private long ticks;

    /// A resource that is being given up.
    private static final class Release {
        long upTo;
        boolean running;
        final List<Consumer<Outcome>> listeners = new ArrayList<>();
    }

    SimAgent(Site site, SimHost host, String incarnation) {
        this.site = site;
        this.host = host;
        this.incarnation = incarnation;
        dice = new Dice(site.seed, incarnation);
        boolean forgets = site.has(Mutation.S3_FORGETS_FLOORS);
        holder = new LeaseHolder(forgets ? new Floors(0, List.of()) : remembered(host.disk.floors()));
        taken = new TreeMap<>(forgets ? Map.of() : host.disk.taken());
        commands = new SimCommands(site, this);
        consents = new SimConsents(site, this);
        startedAt = now();
        muteUntil = startedAt;
        lastAcknowledged = startedAt;
    }

    private Floors remembered(Floors floors) {
        boolean promises = !site.has(Mutation.S3_FORGETS_PROMISES);
        boolean standing = !site.has(Mutation.S5_FORGETS_ITS_STANDING_CONSENT);
        return new Floors(
                floors.highestTerm(),
                floors.resources().stream()
                        .map(f -> new Floor(
                                f.resource(),
                                f.epoch(),
                                f.released(),
                                promises ? f.promised() : 0,
                                f.circle(),
                                promises && standing ? f.standing() : null))
                        .toList());
    }

    Moment now() {
        return host.machine.now();
    }

    TimingProfile timing() {
        return timing;
    }

    /// Adopts what is alive in the kernel under the recorded epoch, gives up whatever else was not released (S9);
    /// only then does anyone hear of this host.
    void start() {
        ClusterSpec cached = host.disk.spec();
        if (cached != null) {
            adopt();
            apply(cached);
        }
        for (Map.Entry<ResourceId, Long> entry : taken.entrySet()) {
            long released = host.disk.floor(entry.getKey()).map(Floor::released).orElse(0L);
            if (entry.getValue() > released && heldNow(entry.getKey()) == null) {
                release(entry.getKey(), entry.getValue(), _ -> {});
            }
        }
        for (SimController controller : site.controllers) {
            SimLink link = new SimLink(site, this, controller);
            links.add(link);
            link.connect();
        }
        tick();
        if (host.database != null) {
            writeBeat(host.database);
        }
    }

    /// Each second, under the lease of the primary role.
    private void writeBeat(SimDatabase database) {
        if (heldNow(Site.PRIMARY) != null) {
            database.beat();
        }
        host.machine.later(BEAT, life, () -> writeBeat(database));
    }

    /// Every lease under which this host holds something.
    List<Lease> heldNow() {
        return host.resources().stream()
                .map(this::heldNow)
                .filter(Objects::nonNull)
                .toList();
    }

    private void adopt() {
        boolean blindly = site.has(Mutation.S9_ADOPTS_WHATEVER_LIVES);
        taken.forEach((resource, epoch) -> {
            Kernel.Element element = host.kernel.element(resource);
            long floor = host.disk.floor(resource).map(Floor::epoch).orElse(0L);
            if (element != null && blindly) {
                holder.adopt(resource, Math.max(floor, epoch), now().plus(timing.ttl()));
                host.kernel.open(resource, Math.max(floor, epoch), now().plus(timing.ttl()));
                inKernel.put(resource, Math.max(floor, epoch));
            } else if (element != null && element.epoch() == epoch && epoch == floor && unreleased(resource, epoch)) {
                holder.adopt(resource, epoch, element.deadline());
                inKernel.put(resource, epoch);
                site.tell(() -> host.name + ": adopted " + resource + " epoch " + epoch);
            }
        });
    }

    private boolean unreleased(ResourceId resource, long epoch) {
        return host.disk.floor(resource).map(f -> f.released() < epoch).orElse(true);
    }

    Hello hello() {
        return new Hello(
                AgentMessage.VERSION,
                host.disk.fresh() ? "" : "shop",
                host.name,
                host.machine.bootId(),
                incarnation,
                host.disk.floors().highestTerm());
    }

    void apply(ClusterSpec next) {
        if (next.equals(spec)) {
            return;
        }
        spec = next;
        timing = next.timing();
        host.disk.save(next);
        reported = Set.copyOf(next.resources().stream()
                .filter(r -> next.group(r.group())
                        .map(g -> g.members().contains(host.name))
                        .orElse(false))
                .toList());
        for (Lease lease : holder.leases()) {
            if (!reported.contains(lease.resource())) {
                release(lease.resource(), lease.epoch(), _ -> {});
            }
        }
        if (!beating) {
            if (host.disk.fresh()) {
                muteUntil = startedAt.plus(timing.lapseAfter(timing.ttl()));
            }
            consents.restored(startedAt.plus(timing.lapseAfter(timing.ttl())));
            beating = true;
        }
        persist();
    }

    boolean member(ResourceId resource) {
        return reported.contains(resource);
    }

    boolean mute() {
        return now().isBefore(muteUntil);
    }

    /// The process does this, after the check for expired leases.
    void task(Runnable what) {
        host.machine.run(life, () -> {
            fenceExpired();
            what.run();
        });
    }

    void thawed() {
        site.tell(() -> host.name + ": thawed");
    }

    private void tick() {
        fenceExpired();
        if (diskFailing) {
            persist();
        }
        if (consents.someRanOut()) {
            beat();
        }
        if (ticks++ % TICKS_A_HEARTBEAT == 0) {
            links.forEach(link -> link.watch(timing.heartbeat()));
            beat();
        }
        host.machine.later(timing.heartbeat().dividedBy(TICKS_A_HEARTBEAT), life, this::tick);
    }

    void beat() {
        if (!beating || mute()) {
            return;
        }
        long number = ++seq;
        holder.heartbeatSent(number, now());
        if (links.stream().anyMatch(SimLink::ready)) {
            List<LeaseReport> report = report();
            List<Observation> seen = host.observe();
            links.stream()
                    .filter(SimLink::ready)
                    .forEach(link -> link.send(new Heartbeat(number, report, seen, 0, link.reading())));
        }
        consents.ask(number);
        keepIsolated();
    }

    /// `when_isolated: keep`.
    private void keepIsolated() {
        ClusterSpec now = spec;
        if (now == null || now.keptWhenIsolated().isEmpty() || hearsAController()) {
            return;
        }
        for (Lease lease :
                holder.keep(timing.ttl(), now(), r -> now.keptWhenIsolated().contains(r) && !releases.containsKey(r))) {
            isolated.put(lease.resource(), lease.epoch());
            renewed(lease);
        }
    }

    /// Somebody has spoken of a resource that is kept: it is renewed again, or given up.
    void heardAgain(ResourceId resource, boolean granted) {
        Long epoch = isolated.remove(resource);
        if (epoch != null && !granted) {
            fence(resource, epoch);
        }
    }

    /// Whether a controller was heard within the last three heartbeats.
    boolean hearsAController() {
        return links.stream().anyMatch(SimLink::ready)
                && now().since(lastAcknowledged).compareTo(timing.silence()) < 0;
    }

    /// A planned restart: asks for leases that outlive it.
    void restartNotice(long millis) {
        long number = ++seq;
        holder.heartbeatSent(number, now());
        links.stream().filter(SimLink::ready).forEach(l -> l.send(new AgentMessage.RestartNotice(number, millis)));
    }

    private List<LeaseReport> report() {
        return holder.report(now()).stream()
                .filter(r -> reported.contains(r.resource()))
                .map(r -> {
                    long held = releases.containsKey(r.resource()) ? 0 : r.held();
                    return host.disk
                            .floor(r.resource())
                            .map(f -> new LeaseReport(
                                    r.resource(),
                                    f.epoch(),
                                    f.released(),
                                    held,
                                    r.promised(),
                                    f.circle() == null ? 0 : f.circle().version(),
                                    r.standing()))
                            .orElseGet(() -> new LeaseReport(r.resource(), 0, 0, held, r.promised(), 0, r.standing()));
                })
                .toList();
    }

    void acknowledged(Acknowledgement ack) {
        lastAcknowledged = now();
        if (site.has(Mutation.S1_COUNTS_FROM_RECEIVING)) {
            holder.heartbeatSent(ack.seq(), now());
        }
        List<Lease> renewed = holder.acknowledged(
                ack.seq(),
                ack.term(),
                ack.grants().stream()
                        .filter(g -> !releases.containsKey(g.resource()))
                        .toList(),
                now());
        persist();
        Set.copyOf(isolated.keySet())
                .forEach(r -> heardAgain(
                        r, renewed.stream().anyMatch(l -> l.resource().equals(r))));
        renewed.forEach(this::renewed);
    }

    /// The kernel's element follows, a moment later.
    void renewed(Lease lease) {
        Duration left = lease.deadline().since(now());
        host.machine.later(Duration.ofNanos(dice.millis(0, 12)), life, () -> {
            if (inKernel.getOrDefault(lease.resource(), 0L) != lease.epoch()) {
                return;
            }
            Moment deadline = site.relativeTimeOuts() ? now().plus(left) : lease.deadline();
            if (!host.kernel.extend(lease.resource(), lease.epoch(), deadline)) {
                task(() -> fence(lease.resource(), lease.epoch()));
            }
        });
    }

    Verdict admit(Order order) {
        ResourceId resource = order.command().resource();
        if (order.command().takesLease() && releases.containsKey(resource)) {
            return new Verdict.Rejected(new Outcome.Refused("busy", resource + " is being released here"));
        }
        Verdict verdict = holder.ordered(Tampered.order(site, order, holder, now()), now());
        if (site.has(Mutation.S2_OBEYS_STALE_ORDERS) && verdict instanceof Verdict.Rejected) {
            return new Verdict.Accepted(now().plus(timing.ttl()));
        }
        if (verdict instanceof Verdict.Accepted accepted) {
            if (order.command().takesLease()) {
                taken.merge(resource, order.command().epoch(), Math::max);
            }
            if (!persist() && !site.has(Mutation.S3_FORGETS_FLOORS)) {
                return new Verdict.Rejected(new Outcome.Refused("disk", "the floors cannot be written"));
            }
            if (order.command().takesLease()) {
                holder.take(resource, order.command().epoch(), accepted.deadline());
            }
        }
        return verdict;
    }

    /// The live lease under which this host holds the resource; none while it is being given up.
    @Nullable
    Lease heldNow(ResourceId resource) {
        return holder.lease(resource)
                .filter(l -> !releases.containsKey(resource))
                .filter(l -> l.liveAt(now()) || site.has(Mutation.S8_NO_CHECK_AFTER_A_GAP))
                .orElse(null);
    }

    boolean releasing(ResourceId resource) {
        return releases.containsKey(resource);
    }

    void inKernel(ResourceId resource, long epoch) {
        inKernel.put(resource, epoch);
    }

    /// A crash gives up whatever depends on the service; a clean stop of a database keeps the lease of its primary
    /// role.
    void serviceEnded() {
        for (ResourceId resource : host.resources()) {
            boolean ended = host.service() == ServiceState.ENDED;
            Lease lease = heldNow(resource);
            if (lease != null
                    && (ended || (host.service() == ServiceState.STOPPED && !resource.isPrimary()))
                    && !(resource.isPrimary() && site.has(Mutation.S16_RESTART_IS_BELIEVED))) {
                fence(resource, lease.epoch());
            }
        }
        beat();
    }

    void serviceStarted() {
        beat();
    }

    private void fenceExpired() {
        if (site.has(Mutation.S8_NO_CHECK_AFTER_A_GAP)) {
            return;
        }
        for (Lease lease : holder.expired(now())) {
            if (!releases.containsKey(lease.resource())) {
                fence(lease.resource(), lease.epoch());
            }
        }
    }

    void fence(ResourceId resource, long epoch) {
        if (holder.lease(resource).filter(l -> l.epoch() == epoch).isPresent() && !releases.containsKey(resource)) {
            site.tell(() -> host.name + ": fences itself, " + resource + " epoch " + epoch);
            release(resource, epoch, _ -> {});
        }
    }

    void release(ResourceId resource, long upTo, Consumer<Outcome> done) {
        Release release = releases.computeIfAbsent(resource, _ -> new Release());
        release.upTo = Math.max(release.upTo, upTo);
        release.listeners.add(done);
        if (!release.running) {
            giveUp(resource, release);
        }
    }

    private void giveUp(ResourceId resource, Release release) {
        release.running = true;
        long slow = 0;
        if (site.has(Mutation.S9_CONFIRMS_BEFORE_IT_LETS_GO)) {
            holder.released(resource, release.upTo);
            persist();
            beat();
            slow = 600;
        }
        host.machine.later(slow + dice.between(1, 5), life, () -> {
            host.kernel.remove(resource);
            inKernel.remove(resource);
            host.machine.later(dice.between(1, 20), life, () -> {
                if (host.database != null && resource.isPrimary()) {
                    commands.interrupt(resource);
                    host.database.fence();
                }
                task(() -> released(resource, release));
            });
        });
    }

    private void released(ResourceId resource, Release release) {
        release.running = false;
        holder.released(resource, release.upTo);
        boolean written = persist();
        if (written) {
            site.witness.released(host, resource, release.upTo);
            releases.remove(resource);
        } else {
            host.machine.later(
                    RETRY,
                    life,
                    () -> task(() -> {
                        if (releases.get(resource) == release && !release.running) {
                            giveUp(resource, release);
                        }
                    }));
        }
        Outcome outcome = written ? Outcome.Done.withoutFacts() : new Outcome.Failed("the floor was not written");
        List<Consumer<Outcome>> listeners = List.copyOf(release.listeners);
        release.listeners.clear();
        listeners.forEach(listener -> listener.accept(outcome));
        beat();
    }

    boolean persist() {
        boolean written = host.disk.write(holder.floors(), taken);
        diskFailing = !written;
        return written;
    }
}
