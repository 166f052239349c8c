package dev.understudy.agent.lease;

import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Question;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
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
    private static final Duration LATE = Duration.ofSeconds(1);
    private static final Duration LONG_GAP = Duration.ofMillis(100);

    private final Supplier<Moment> clock;
    private final FloorStore store;
    private final HolderActs acts;
    private final HeartbeatSender sender;
    private final LeaseHolder holder;
    private final Consents consents;
    private final BlockingQueue<Runnable> queue = new ArrayBlockingQueue<>(QUEUE);
    private final Thread thread;

    private final Map<ResourceId, Lease> live = new ConcurrentHashMap<>(); // read by any thread
    private volatile LeaseMetrics metrics = LeaseMetrics.NONE;
    private volatile boolean stopped;
    private volatile Moment lastTick;

    // The rest is confined to the lease thread (set up before it starts).
    private final Releases releases;
    private final Map<ResourceId, Long> taken = new HashMap<>();
    private final TreeMap<Long, Moment> sent = new TreeMap<>();
    private String cluster;
    private volatile TimingProfile timing = TimingProfile.STANDARD;
    private Set<ResourceId> reported = Set.of();
    private Set<ResourceId> keeps = Set.of();
    private final Map<ResourceId, Long> isolated = new HashMap<>(); // epochs of those that live on nobody's word
    private final Moment startedAt;
    private Moment muteUntil;
    private Moment nextTick;
    private Moment lastAcknowledged;
    private long tick;
    private long seq;
    private long lateMillis;
    private boolean beating;
    private boolean diskFailing;
    private @Nullable LongGrant awaited;

    private record LongGrant(long millis, CompletableFuture<Boolean> granted) {}

    /// @param host this host's name
    public LeaseKeeper(
            Supplier<Moment> clock,
            FloorStore store,
            HolderActs acts,
            HeartbeatSender sender,
            String host,
            PeerAsker asker) {
        this.clock = clock;
        this.store = store;
        this.acts = acts;
        this.sender = sender;
        DurableRecord record = store.record();
        holder = new LeaseHolder(record.floors());
        consents = new Consents(holder, host, asker);
        releases = new Releases(acts, clock, new Giving());
        cluster = record.cluster();
        record.resources().forEach(e -> taken.put(e.resource(), e.taken()));
        startedAt = clock.get();
        muteUntil = startedAt;
        lastAcknowledged = startedAt;
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
        configure(clusterName, profile, resources, Set.of());
    }

    /// @param kept of those that an isolated holder keeps (`when_isolated: keep`)
    public void configure(String clusterName, TimingProfile profile, Set<ResourceId> resources, Set<ResourceId> kept) {
        enqueue(() -> {
            timing = profile;
            reported = Set.copyOf(resources);
            if (!kept.equals(keeps) && !kept.isEmpty()) {
                LOG.warn("event=keeps-when-isolated resources={} meaning=\"two hosts may answer at once\"", kept);
            }
            keeps = Set.copyOf(kept);
            cluster = clusterName;
            if (store.fresh() && !beating) {
                muteUntil = muteUntil.latest(startedAt.plus(profile.lapseAfter(profile.ttl())));
            }
            consents.restored(startedAt.plus(profile.lapseAfter(profile.ttl())), clock.get());
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
    public boolean offer(Runnable task) {
        boolean taken = queue.offer(task);
        if (!taken) {
            metrics.dropped();
        }
        return taken;
    }

    public void acknowledged(Acknowledgement ack) {
        offer(() -> acknowledge(ack));
    }

    /// A holder asks for this host's consent. Any thread; answered on the lease thread, when the promise is on disk.
    /// Fails when this host is too busy to answer.
    public CompletableFuture<Consent> consent(ConsentRequest request) {
        CompletableFuture<Consent> answer = new CompletableFuture<>();
        if (!offer(() -> {
            Moment now = clock.get();
            holder.lease(request.resource())
                    .filter(lease -> lease.epoch() < request.epoch() && kept(lease.resource()))
                    .ifPresent(lease -> fenceNow(lease, "superseded-by-" + request.holder()));
            answer.complete(consents.asked(request, timing, mute(now), this::persist, now));
        })) {
            answer.completeExceptionally(new IllegalStateException("the lease thread is busy"));
        }
        return answer;
    }

    /// A heartbeat at once.
    public void beatSoon() {
        enqueue(this::beat);
    }

    /// Checks an order and, if it is accepted, makes its floors durable and starts the lease that it takes. On the
    /// lease thread.
    public Verdict admit(Order order) {
        ResourceId resource = order.command().resource();
        if (order.command().takesLease() && releases.underWay(resource)) {
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
        release(resource, upTo, because, Duration.ZERO, done);
    }

    /// Gives everything up to the epoch up; established connections of an address may go on for a time (S13).
    public void release(ResourceId resource, long upTo, String because, Duration drain, Consumer<Outcome> done) {
        enqueue(() -> releases.begin(resource, upTo, because, drain, done));
    }

    /// Gives the resource up if it is held under this epoch. Any thread.
    public void fence(ResourceId resource, long epoch, String because) {
        enqueue(() -> holder.lease(resource)
                .filter(lease -> lease.epoch() == epoch && !releases.underWay(resource))
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
                && clock.get().since(lastTick).compareTo(timing.ttl().plus(LATE)) < 0;
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

    /// This agent is being stopped cleanly. Without a controller in reach the holders that have this host's promise
    /// get a standing consent in the answers to their next questions; with one, the controller takes this host out
    /// of their circles.
    ///
    /// @return completes with true when each of those holders counts it, at once if there is none
    public CompletableFuture<Boolean> leaveStandingConsents() {
        CompletableFuture<Boolean> counted = new CompletableFuture<>();
        enqueue(() -> {
            Moment now = clock.get();
            if (hearsAController(now)) {
                counted.complete(true);
            } else {
                var _ = consents.leave(now).thenApply(counted::complete);
            }
        });
        return counted;
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
        releases.retry(now);
        if (diskFailing) {
            persist();
        }
        boolean freed = consents.someRanOut(now); // a controller may wait to hear it
        if (tick++ % TICKS_A_HEARTBEAT == 0) {
            round();
        } else if (freed) {
            beat();
        }
    }

    /// A heartbeat to the controllers and, under the same number, a question to every member of every circle. Leases
    /// live by either: nothing here depends on a controller in reach.
    private void round() {
        Moment now = clock.get();
        if (mute(now)) {
            return;
        }
        holder.alone(timing.ttl(), now, this::kept).forEach(this::renewed);
        keepIsolated(now);
        List<Question> questions = consents.questions(this::kept, now);
        boolean connected = sender.connected();
        if (!connected && questions.isEmpty()) {
            return;
        }
        long number = number(now);
        if (connected) {
            heartbeat(number, now);
        }
        consents.ask(
                questions,
                cluster,
                number,
                store.record().highestTerm(),
                timing,
                (member, question, consent) -> offer(() -> consented(member, question, consent)));
    }

    /// `when_isolated: keep`. A lease that somebody else renews again is no longer of this kind.
    private void keepIsolated(Moment now) {
        if (keeps.isEmpty()) {
            return;
        }
        for (Lease lease : holder.leases()) {
            if (keeps.contains(lease.resource()) && holder.superseded(lease.resource()) && kept(lease.resource())) {
                fenceNow(lease, "superseded");
            }
        }
        if (hearsAController(now)) {
            return;
        }
        for (Lease lease : holder.keep(timing.ttl(), now, r -> keeps.contains(r) && kept(r))) {
            if (!Long.valueOf(lease.epoch()).equals(isolated.put(lease.resource(), lease.epoch()))) {
                LOG.warn(
                        "event=kept-though-isolated resource={} epoch={} meaning=\"two hosts may answer at once\"",
                        lease.resource(),
                        lease.epoch());
            }
            renewed(lease);
        }
    }

    private boolean hearsAController(Moment now) {
        return sender.connected() && now.since(lastAcknowledged).compareTo(timing.silence()) < 0;
    }

    /// The isolation is over: the leader renews the lease, or this host is its holder no more.
    private void heardAgain(ResourceId resource, boolean granted, String by) {
        Long epoch = isolated.remove(resource);
        if (epoch == null) {
            return;
        }
        LOG.info("event=isolation-over resource={} renewed={} by={}", resource, granted, by);
        if (!granted) {
            holder.lease(resource)
                    .filter(lease -> lease.epoch() == epoch && kept(resource))
                    .ifPresent(lease -> fenceNow(lease, "not-renewed-by-" + by));
        }
    }

    private void beat() {
        Moment now = clock.get();
        if (!mute(now) && sender.connected()) {
            heartbeat(number(now), now);
        }
    }

    private void heartbeat(long number, Moment now) {
        sender.heartbeat(number, report(now), lateMillis);
        lateMillis = 0;
    }

    private void consented(String member, ConsentRequest question, Consent consent) {
        if (kept(question.resource())) {
            consents.answered(member, question, consent, clock.get()).ifPresent(this::renewed);
            if (Consents.saysClosed(consent)) {
                heardAgain(question.resource(), false, member);
            }
        }
    }

    /// The lease's deadline moved: other threads see it, and the kernel follows.
    private void renewed(Lease lease) {
        publish();
        acts.renewed(lease);
    }

    /// What is being given up is not renewed any more.
    private boolean kept(ResourceId resource) {
        return !releases.underWay(resource);
    }

    /// Before its spec is known, or without its floors, this host says nothing and consents to nothing (S3).
    private boolean mute(Moment now) {
        return !beating || now.isBefore(muteUntil);
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
                        .map(e -> new LeaseReport(
                                r.resource(),
                                e.epoch(),
                                e.released(),
                                r.held(),
                                r.promised(),
                                e.circle() == null ? 0 : e.circle().version(),
                                r.standing()))
                        .orElseGet(() -> new LeaseReport(r.resource(), 0, 0, r.held(), r.promised(), 0, r.standing())))
                .toList();
    }

    private void acknowledge(Acknowledgement ack) {
        Moment now = clock.get();
        Moment sentAt = sent.get(ack.seq());
        lastAcknowledged = now;
        if (sentAt != null) {
            metrics.acknowledged(now.since(sentAt));
        }
        List<Lease> renewed = holder.acknowledged(
                ack.seq(),
                ack.term(),
                ack.grants().stream().filter(g -> kept(g.resource())).toList(),
                now);
        persist();
        for (ResourceId resource : Set.copyOf(isolated.keySet())) {
            heardAgain(resource, renewed.stream().anyMatch(l -> l.resource().equals(resource)), "a-controller");
        }
        if (renewed.isEmpty()) {
            return;
        }
        renewed.forEach(this::renewed);
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
            if (!releases.underWay(lease.resource())) {
                fenceNow(lease, "lease-lapsed");
            }
        }
    }

    private void fenceNow(Lease lease, String because) {
        LOG.warn("event=fence resource={} epoch={} because={}", lease.resource(), lease.epoch(), because);
        metrics.fenced();
        release(lease.resource(), lease.epoch(), because, _ -> {});
    }

    private final class Giving implements Releases.LeaseThread {
        @Override
        public void later(Runnable task) {
            enqueue(task);
        }

        @Override
        public boolean released(ResourceId resource, long epoch) {
            holder.released(resource, epoch);
            return persist();
        }

        @Override
        public boolean must(ResourceId resource) {
            return holder.lease(resource).isPresent()
                    || store.record()
                            .of(resource)
                            .filter(e -> e.taken() > e.released())
                            .isPresent();
        }

        @Override
        public void changed() {
            publish();
        }

        @Override
        public void tell() {
            beat();
        }
    }

    /// Other threads see what is held: not what is being released.
    private void publish() {
        Map<ResourceId, Lease> next = new HashMap<>();
        for (Lease lease : holder.leases()) {
            if (!releases.underWay(lease.resource())) {
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
                                f.resource(),
                                f.epoch(),
                                f.released(),
                                taken.getOrDefault(f.resource(), 0L),
                                f.promised(),
                                f.circle(),
                                f.standing()))
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
