package dev.understudy.agent.lease;

import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Owns the [LeaseHolder] and the [FloorStore] on one platform thread, the lease thread. It ticks at `heartbeat /
/// 4` in absolute time; each tick, and each message before it is looked at, is preceded by the check for expired
/// leases, so that after any gap nothing is done under a lease that is over (S8). It never waits for the network,
/// the kernel or the database ([HolderActs], [HeartbeatSender]); it does wait for the disk (S3).
///
/// Order of a release (S9): [HolderActs#giveUp] is done, the floor is on disk, an immediate heartbeat says so. What
/// a heartbeat says of epochs and releases is what is on disk.
public final class LeaseKeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
    private static final int QUEUE = 4096;
    private static final int TICKS_A_HEARTBEAT = 4;
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Duration LONG_GAP = Duration.ofMillis(100);

    private final Supplier<Moment> clock;
    private final FloorStore store;
    private final HolderActs acts;
    private final HeartbeatSender sender;
    private final LeaseHolder holder;
    private final BlockingQueue<Runnable> queue = new ArrayBlockingQueue<>(QUEUE);
    private final Thread thread;

    private final Map<ResourceId, Lease> live = new ConcurrentHashMap<>(); // read by any thread
    private volatile LeaseMetrics metrics = LeaseMetrics.NONE;
    private volatile boolean stopped;
    private volatile Moment lastTick;

    // The rest is confined to the lease thread (set up before it starts).
    private final Map<ResourceId, Release> releases = new HashMap<>();
    private final Map<ResourceId, Long> taken = new HashMap<>();
    private final TreeMap<Long, Moment> sent = new TreeMap<>();
    private String cluster;
    private volatile TimingProfile timing = TimingProfile.STANDARD;
    private Set<ResourceId> reported = Set.of();
    private final Moment startedAt;
    private Moment muteUntil;
    private Moment nextTick;
    private long tick;
    private long seq;
    private long lateMillis;
    private boolean beating;
    private boolean diskFailing;
    private @Nullable LongGrant awaited;

    /// A resource that is being given up.
    private static final class Release {
        long upTo;
        String because;
        boolean running;
        Moment retryAt;
        final List<Consumer<Outcome>> listeners = new ArrayList<>();

        Release(long upTo, String because, Moment now) {
            this.upTo = upTo;
            this.because = because;
            this.retryAt = now;
        }
    }

    private record LongGrant(long millis, CompletableFuture<Boolean> granted) {}

    public LeaseKeeper(Supplier<Moment> clock, FloorStore store, HolderActs acts, HeartbeatSender sender) {
        this.clock = clock;
        this.store = store;
        this.acts = acts;
        this.sender = sender;
        DurableRecord record = store.record();
        holder = new LeaseHolder(record.floors());
        cluster = record.cluster();
        record.resources().forEach(e -> taken.put(e.resource(), e.taken()));
        startedAt = clock.get();
        muteUntil = startedAt;
        nextTick = startedAt;
        lastTick = startedAt;
        thread = Thread.ofPlatform().name("lease").daemon(false).unstarted(this::run);
    }

    public void metrics(LeaseMetrics meters) {
        metrics = meters;
    }

    /// Adopts a lease that a restarted agent found alive in the kernel (S9). Before [#start].
    public void adopt(ResourceId resource, long epoch, Duration remaining) {
        holder.adopt(resource, epoch, clock.get().plus(remaining));
        publish();
    }

    public void start() {
        nextTick = clock.get();
        thread.start();
    }

    /// From now on these timings hold, and heartbeats speak of these resources. A fresh agent with no floors is mute
    /// until every lease that a forgotten run of it may have had is over (S3).
    public void configure(String clusterName, TimingProfile profile, Set<ResourceId> resources) {
        enqueue(() -> {
            timing = profile;
            reported = Set.copyOf(resources);
            cluster = clusterName;
            if (store.fresh() && !beating) {
                muteUntil = muteUntil.latest(startedAt.plus(profile.lapseAfter(profile.ttl())));
            }
            beating = true;
            nextTick = clock.get();
            persist();
        });
    }

    /// Runs the task on the lease thread, after the check for expired leases. For the process's own work; waits when
    /// the queue is full.
    public void enqueue(Runnable task) {
        if (Thread.currentThread() == thread) {
            task.run();
            return;
        }
        try {
            queue.put(task);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Like [#enqueue] for what came from the network: dropped when the queue is full, since peers repeat
    /// themselves.
    public void offer(Runnable task) {
        if (!queue.offer(task)) {
            metrics.dropped();
        }
    }

    public void acknowledged(Acknowledgement ack) {
        offer(() -> acknowledge(ack));
    }

    /// A heartbeat at once.
    public void beatSoon() {
        enqueue(this::beat);
    }

    /// Checks an order and, if it is accepted, makes its floors durable and starts the lease that it takes. On the
    /// lease thread.
    public Verdict admit(Order order) {
        ResourceId resource = order.command().resource();
        if (order.command().takesLease() && releases.containsKey(resource)) {
            return refused("busy", resource + " is being released here");
        }
        Verdict verdict = holder.ordered(order, clock.get());
        if (verdict instanceof Verdict.Accepted accepted) {
            if (order.command().takesLease()) {
                taken.merge(resource, order.command().epoch(), Math::max);
            }
            if (!persist()) {
                return refused("disk", "the floors cannot be written");
            }
            if (order.command().takesLease()) {
                holder.take(resource, order.command().epoch(), accepted.deadline());
                publish();
            }
        }
        return verdict;
    }

    /// Gives up everything up to the epoch: on an order, a lapse, a crash. `done` gets the outcome, on the lease
    /// thread, after the floor is on disk. Any thread.
    public void release(ResourceId resource, long upTo, String because, Consumer<Outcome> done) {
        enqueue(() -> {
            Release release = releases.computeIfAbsent(resource, _ -> new Release(upTo, because, clock.get()));
            release.upTo = Math.max(release.upTo, upTo);
            release.listeners.add(done);
            publish();
            if (!release.running) {
                startRelease(resource, release);
            }
        });
    }

    /// Gives the resource up if it is held under this epoch. Any thread.
    public void fence(ResourceId resource, long epoch, String because) {
        enqueue(() -> holder.lease(resource)
                .filter(lease -> lease.epoch() == epoch && !releases.containsKey(resource))
                .ifPresent(lease -> fenceNow(lease, because)));
    }

    /// The lease under which this host holds the resource right now. Any thread.
    public @Nullable Lease heldNow(ResourceId resource) {
        Lease lease = live.get(resource);
        return lease != null && lease.liveAt(clock.get()) ? lease : null;
    }

    /// Whether the lease thread lives and ticks. Any thread.
    public boolean alive() {
        return thread.isAlive()
                && clock.get().since(lastTick).compareTo(timing.ttl().plus(RETRY)) < 0;
    }

    /// Every lease that is held right now. Any thread.
    public List<Lease> heldNow() {
        Moment now = clock.get();
        return live.values().stream().filter(lease -> lease.liveAt(now)).toList();
    }

    /// Whether the lease of this epoch is live, asked at each act. Any thread.
    public LeaseCheck check(ResourceId resource, long epoch) {
        return () -> {
            Lease lease = heldNow(resource);
            return lease != null && lease.epoch() == epoch;
        };
    }

    /// Asks the controllers for leases that outlive a restart of this agent (S9).
    ///
    /// @return completes with true when every lease held has been extended, at once if there is none
    public CompletableFuture<Boolean> restartNotice(Duration length) {
        CompletableFuture<Boolean> granted = new CompletableFuture<>();
        enqueue(() -> {
            if (holder.leases().isEmpty()) {
                granted.complete(true);
                return;
            }
            awaited = new LongGrant(length.toMillis(), granted);
            if (sender.connected()) {
                Moment now = clock.get();
                sender.restartNotice(number(now), length.toMillis());
            }
        });
        return granted;
    }

    /// Releases everything that is held; completes when all of it is done or failed.
    public CompletableFuture<Void> releaseAll(String because) {
        CompletableFuture<Void> all = new CompletableFuture<>();
        enqueue(() -> {
            List<CompletableFuture<Outcome>> each = new ArrayList<>();
            for (Lease lease : holder.leases()) {
                CompletableFuture<Outcome> one = new CompletableFuture<>();
                release(lease.resource(), lease.epoch(), because, one::complete);
                each.add(one);
            }
            var _ = CompletableFuture.allOf(each.toArray(CompletableFuture[]::new))
                    .thenRun(() -> all.complete(null));
        });
        return all;
    }

    /// Stops the thread without fencing anything: the kernel's elements lapse by themselves.
    @Override
    public void close() {
        stopped = true;
        queue.offer(() -> {});
        if (Thread.currentThread() != thread && thread.isAlive()) {
            try {
                thread.join(TimeUnit.SECONDS.toMillis(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run() {
        while (!stopped) {
            try {
                long wait = nextTick.nanos() - clock.get().nanos();
                Runnable task = queue.poll(Math.max(wait, 0), TimeUnit.NANOSECONDS);
                Moment now = clock.get();
                fenceExpired(now);
                if (task != null) {
                    task.run();
                }
                if (!now.isBefore(nextTick)) {
                    tick(now);
                }
            } catch (InterruptedException e) {
                LOG.warn("event=lease-thread-interrupted");
                return;
            }
        }
    }

    private void tick(Moment now) {
        Duration late = now.since(nextTick);
        Duration interval = timing.heartbeat().dividedBy(TICKS_A_HEARTBEAT);
        lateMillis = Math.max(lateMillis, late.toMillis());
        lastTick = now;
        metrics.late(late);
        if (late.compareTo(timing.ttl().dividedBy(2)) > 0 && late.compareTo(LONG_GAP) > 0) {
            LOG.warn(
                    "event=gap late_ms={} ttl_ms={}",
                    late.toMillis(),
                    timing.ttl().toMillis());
        }
        nextTick = late.compareTo(interval) > 0 ? now.plus(interval) : nextTick.plus(interval);
        retryReleases(now);
        if (diskFailing) {
            persist();
        }
        if (tick++ % TICKS_A_HEARTBEAT == 0) {
            beat();
        }
    }

    private void beat() {
        Moment now = clock.get();
        if (!beating || now.isBefore(muteUntil) || !sender.connected()) {
            return;
        }
        sender.heartbeat(number(now), report(now), lateMillis);
        lateMillis = 0;
    }

    /// The number of a message that is about to be sent, known to the holder with its sending moment (S1).
    private long number(Moment now) {
        long next = ++seq;
        holder.heartbeatSent(next, now);
        sent.put(next, now);
        while (sent.size() > LeaseHolder.REMEMBERED_HEARTBEATS) {
            sent.pollFirstEntry();
        }
        return next;
    }

    /// What is on disk, with what is live: a floor that could not be written is not told to anyone (S3).
    private List<LeaseReport> report(Moment now) {
        DurableRecord durable = store.record();
        return holder.report(now).stream()
                .filter(r -> reported.contains(r.resource()))
                .map(r -> durable.of(r.resource())
                        .map(e -> new LeaseReport(r.resource(), e.epoch(), e.released(), r.held()))
                        .orElseGet(() -> new LeaseReport(r.resource(), 0, 0, r.held())))
                .toList();
    }

    private void acknowledge(Acknowledgement ack) {
        Moment now = clock.get();
        Moment sentAt = sent.get(ack.seq());
        if (sentAt != null) {
            metrics.acknowledged(now.since(sentAt));
        }
        List<Lease> renewed = holder.acknowledged(
                ack.seq(),
                ack.term(),
                ack.grants().stream()
                        .filter(g -> !releases.containsKey(g.resource()))
                        .toList(),
                now);
        persist();
        if (renewed.isEmpty()) {
            return;
        }
        publish();
        renewed.forEach(acts::renewed);
        LongGrant wanted = awaited;
        if (wanted != null) {
            Moment enough = now.plus(Duration.ofMillis(wanted.millis() / 2));
            if (holder.leases().stream().noneMatch(lease -> lease.deadline().isBefore(enough))) {
                awaited = null;
                wanted.granted().complete(true);
            }
        }
    }

    private void fenceExpired(Moment now) {
        for (Lease lease : holder.expired(now)) {
            if (!releases.containsKey(lease.resource())) {
                fenceNow(lease, "lease-lapsed");
            }
        }
    }

    private void fenceNow(Lease lease, String because) {
        LOG.warn("event=fence resource={} epoch={} because={}", lease.resource(), lease.epoch(), because);
        metrics.fenced();
        release(lease.resource(), lease.epoch(), because, _ -> {});
    }

    private void startRelease(ResourceId resource, Release release) {
        release.running = true;
        acts.giveUp(resource, release.upTo, outcome -> enqueue(() -> finishRelease(resource, release, outcome)));
    }

    private void finishRelease(ResourceId resource, Release release, Outcome outcome) {
        release.running = false;
        Outcome result = outcome;
        if (outcome instanceof Outcome.Done) {
            holder.released(resource, release.upTo);
            if (!persist()) {
                result = new Outcome.Failed("given up, but the floor could not be written");
            }
        }
        if (result instanceof Outcome.Done) {
            releases.remove(resource);
            LOG.info("event=released resource={} epoch={} because={}", resource, release.upTo, release.because);
        } else if (mustRelease(resource)) {
            LOG.warn("event=release-failed resource={} outcome=\"{}\"", resource, result.describe());
            release.retryAt = clock.get().plus(RETRY);
        } else {
            releases.remove(resource);
        }
        publish();
        List<Consumer<Outcome>> listeners = List.copyOf(release.listeners);
        release.listeners.clear();
        for (Consumer<Outcome> listener : listeners) {
            listener.accept(result);
        }
        beat();
    }

    private boolean mustRelease(ResourceId resource) {
        return holder.lease(resource).isPresent()
                || store.record()
                        .of(resource)
                        .filter(e -> e.taken() > e.released())
                        .isPresent();
    }

    private void retryReleases(Moment now) {
        for (Map.Entry<ResourceId, Release> entry : List.copyOf(releases.entrySet())) {
            Release release = entry.getValue();
            if (!release.running && !now.isBefore(release.retryAt)) {
                startRelease(entry.getKey(), release);
            }
        }
    }

    /// Other threads see what is held: not what is being released.
    private void publish() {
        Map<ResourceId, Lease> next = new HashMap<>();
        for (Lease lease : holder.leases()) {
            if (!releases.containsKey(lease.resource())) {
                next.put(lease.resource(), lease);
            }
        }
        live.keySet().retainAll(next.keySet());
        live.putAll(next);
    }

    private boolean persist() {
        Floors floors = holder.floors();
        DurableRecord next = new DurableRecord(
                cluster,
                floors.highestTerm(),
                floors.resources().stream()
                        .map(f -> new DurableRecord.Entry(
                                f.resource(), f.epoch(), f.released(), taken.getOrDefault(f.resource(), 0L)))
                        .toList());
        try {
            store.write(next);
            if (diskFailing) {
                LOG.info("event=floors-written-again");
            }
            diskFailing = false;
            return true;
        } catch (IOException e) {
            if (!diskFailing) {
                LOG.error("event=floors-not-written reason=\"{}\"", e.toString());
            }
            diskFailing = true;
            return false;
        }
    }

    private static Verdict refused(String code, String reason) {
        return new Verdict.Rejected(new Outcome.Refused(code, reason));
    }
}
