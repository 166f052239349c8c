package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.command.CommandRunner;
import dev.understudy.agent.command.Holdings;
import dev.understudy.agent.command.Site;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.database.DivergedFiles;
import dev.understudy.agent.lease.Detachments;
import dev.understudy.agent.lease.DurableRecord;
import dev.understudy.agent.lease.FloorStore;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.agent.link.ControllerLink;
import dev.understudy.agent.link.LinkHandler;
import dev.understudy.agent.link.Links;
import dev.understudy.agent.link.Observations;
import dev.understudy.agent.metrics.CheckFigures;
import dev.understudy.agent.metrics.HostMetrics;
import dev.understudy.agent.metrics.NginxFigures;
import dev.understudy.agent.peer.Eyes;
import dev.understudy.agent.peer.PeerClient;
import dev.understudy.agent.peer.PeerServer;
import dev.understudy.agent.status.StatusServer;
import dev.understudy.agent.status.StatusServer.Answer;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Diverged;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.AskDiverged;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ControllerMessage.Welcome;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.metrics.Metrics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The running agent: puts the parts together, starts and stops them in the safe order.
public final class Agent implements LinkHandler, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Duration REQUESTS = Duration.ofMillis(500);
    private static final Duration RESTART_LEASE = Duration.ofSeconds(30);
    private static final Duration RESTART_WAIT = Duration.ofSeconds(1);
    private static final Duration RELEASE_WAIT = Duration.ofSeconds(5);

    private final AgentConfig config;
    private final String incarnation = UUID.randomUUID().toString();
    private final String bootId;
    private final FloorStore store;
    private final SpecCache cache;
    private final AddressControl addresses;
    private final AgentMetrics metrics;
    private final Observations observations = new Observations();
    private final Holdings holdings;
    private final LeaseKeeper keeper;
    private final CommandRunner runner;
    private final Membership membership;
    private @Nullable Repeated requests;
    private final HostWatch watch;
    private final OkHttpClient client = HttpClients.webSockets(Duration.ZERO);
    private final OkHttpClient peerClient;
    private final Links links;
    private final StatusServer status;
    private final PeerServer peers;
    private final ExecutorService configuring = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("configure").daemon(true).factory());

    /// @throws IOException with one clear line: the state folder, the kernel or the port cannot be used
    public static Agent start(AgentConfig config, Parts parts, String version) throws IOException {
        FloorStore store = FloorStore.open(config.state());
        try {
            Agent agent = new Agent(config, parts, store, version);
            agent.run();
            return agent;
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private Agent(AgentConfig config, Parts parts, FloorStore store, String version) throws IOException {
        this.config = config;
        this.store = store;
        bootId = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        cache = new SpecCache(config.state());
        metrics = new AgentMetrics(new Metrics().withProcessMeters(), version);
        metrics.registry().families(HostMetrics.ofThisHost()::read);
        addresses = parts.addresses();
        holdings = new Holdings(addresses);
        links = new Links(
                config.controllers().stream()
                        .map(uri -> new ControllerLink(uri, client, this, observations))
                        .toList(),
                metrics::heartbeatSent);
        peerClient = HttpClients.peers();
        keeper = new LeaseKeeper(
                Agent::now,
                store,
                holdings,
                links,
                config.host(),
                new PeerClient(peerClient, this::peerPort, this::spec));
        keeper.metrics(metrics);
        holdings.keeper(keeper);
        watch = new HostWatch(
                config.host(),
                parts,
                addresses,
                keeper,
                observations,
                holdings,
                new Eyes(peerClient),
                new HostWatch.Ports() {
                    @Override
                    public int peer() {
                        return peerPort();
                    }

                    @Override
                    public int status() {
                        return statusPort();
                    }
                });
        metrics.registry().families(watch::figures);
        metrics.registry().families(() -> CheckFigures.of(observations.since(0).observations()));
        config.nginxStatus().ifPresent(page -> metrics.registry().families(new NginxFigures(peerClient, page)::read));
        membership = new Membership(
                config.host(),
                Detachments.open(config.state()),
                addresses,
                holdings,
                keeper,
                observations,
                this::applyAgain);
        holdings.onUncovered(resource -> membership.adopt(resource, false));
        runner = new CommandRunner(holdings, keeper, watch::look, metrics, membership);
        observations.onUrgent(keeper::beatSoon);
        links.all().forEach(metrics::link);
        status = StatusServer.start(
                new InetSocketAddress(
                        config.metrics().address(), config.metrics().port()),
                metrics.registry(),
                this::health,
                this::writer);
        try {
            peers = PeerServer.start(
                    new InetSocketAddress(config.peer().address(), config.peer().port()),
                    config.host(),
                    this::spec,
                    keeper::consent);
        } catch (IOException e) {
            status.close();
            throw e;
        }
    }

    private Optional<ClusterSpec> spec() {
        return Optional.ofNullable(holdings.site()).map(Site::spec);
    }

    /// The process's monotonic clock: CLOCK_MONOTONIC, which goes on while the process is stopped.
    static Moment now() {
        return new Moment(System.nanoTime());
    }

    /// The gates first, from the cached spec; then leases that live in the kernel are adopted and every other one
    /// that was not released before is given up (S9); only then does anyone hear of this host.
    private void run() {
        DurableRecord record = store.record();
        LOG.info(
                "event=start host={} incarnation={} cluster={} term={} port={}",
                config.host(),
                incarnation,
                record.cluster(),
                record.highestTerm(),
                status.port());
        Optional<ClusterSpec> cached = cache.load();
        cached.ifPresent(spec -> {
            Site plain = new Site(config.host(), spec, Map.of(), Map.of());
            membership.assertDetached(spec);
            addresses.guard(
                    plain.with(membership.detached(), membership.found(spec, null, record))
                            .guarded(),
                    spec.timing());
            adopt(record);
            apply(spec, false);
        });
        keeper.start();
        for (DurableRecord.Entry entry : record.unreleased()) {
            if (!membership.detached().contains(entry.resource()) && keeper.heldNow(entry.resource()) == null) {
                keeper.release(entry.resource(), entry.epoch(), "restarted-without-live-lease", _ -> {});
            }
        }
        links.start();
        requests = new Repeated("requests", REQUESTS, this::lookForRequest);
    }

    /// `understudy-agent detach` beside a running agent: whoever may write into the state folder may ask for it. Only
    /// without a controller, which would otherwise not know.
    private void lookForRequest() {
        DetachRequest.answer(config.state(), () -> {
            if (links.connected()) {
                return "refused: a controller is in reach (understudy detach)";
            }
            Site site = holdings.site();
            if (site == null) {
                return "refused: no cluster spec yet";
            }
            StringBuilder told = new StringBuilder();
            for (ResourceId resource : site.mayHold()) {
                told.append(resource).append(": ");
                told.append(membership.detach(resource, 0).describe()).append('\n');
            }
            return told.isEmpty() ? "nothing to detach" : told.toString();
        });
    }

    private void adopt(DurableRecord record) {
        for (DurableRecord.Entry entry : record.unreleased()) {
            if (membership.detached().contains(entry.resource())) {
                continue;
            }
            addresses.remaining(entry.resource(), entry.taken()).ifPresent(remaining -> {
                if (entry.taken() == entry.epoch()) {
                    keeper.adopt(entry.resource(), entry.taken(), remaining);
                    holdings.adopted(entry.resource(), entry.taken(), addresses.present(entry.resource()));
                    LOG.info(
                            "event=adopted resource={} epoch={} remaining_ms={}",
                            entry.resource(),
                            entry.taken(),
                            remaining.toMillis());
                }
            });
        }
    }

    /// Makes the spec the one that holds. An address that is there without a lease is removed: it is nobody's (S9).
    ///
    /// @param again also when it holds already: something else that follows from it has changed
    private void apply(ClusterSpec spec, boolean again) {
        Site before = holdings.site();
        if (before != null && before.spec().equals(spec) && !again) {
            return;
        }
        Site site = watch.configure(spec, membership.detached(), membership.found(spec, before, store.record()));
        if (before != null) {
            for (ResourceId resource : before.mayHold()) {
                Lease lease = keeper.heldNow(resource);
                if (lease != null && !site.mayHold().contains(resource)) {
                    releaseBeforeForgetting(resource, lease);
                }
            }
        }
        addresses.guard(site.guarded(), spec.timing());
        for (ResourceId resource : site.guarded().keySet()) {
            boolean known = before != null && before.guarded().containsKey(resource);
            if (!known && keeper.heldNow(resource) == null && isLeftover(resource)) {
                LOG.warn("event=address-without-lease resource={} outcome=removed", resource);
                addresses.release(resource);
            }
        }
        holdings.site(site);
        membership.tell(site);
        site.mayHold().forEach(resource -> metrics.lease(resource, keeper));
        links.heartbeatInterval(spec.timing().heartbeat());
        Set<ResourceId> reported = new LinkedHashSet<>(site.mayHold());
        reported.addAll(site.detached());
        Set<ResourceId> kept = new LinkedHashSet<>(spec.keptWhenIsolated());
        kept.retainAll(site.mayHold());
        keeper.configure(spec.cluster(), spec.timing(), reported, kept);
    }

    /// Whether an address is there that no earlier life of this agent drains.
    private boolean isLeftover(ResourceId resource) {
        return addresses.present(resource) && addresses.draining(resource).isEmpty();
    }

    /// What this host takes part in has changed. Any thread but the configuring one; waits.
    private void applyAgain() {
        waitFor(
                configuring.submit(() -> {
                    Site site = holdings.site();
                    if (site != null) {
                        apply(site.spec(), true);
                    }
                    return true;
                }),
                RELEASE_WAIT);
    }

    private void releaseBeforeForgetting(ResourceId resource, Lease lease) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        keeper.release(resource, lease.epoch(), "no-longer-in-the-spec", _ -> done.complete(null));
        waitFor(done, RELEASE_WAIT);
    }

    @Override
    public Hello hello() {
        DurableRecord record = store.record();
        return new Hello(
                AgentMessage.VERSION, record.cluster(), config.host(), bootId, incarnation, record.highestTerm());
    }

    @Override
    public CompletableFuture<Void> welcome(Welcome welcome) {
        return CompletableFuture.runAsync(
                () -> {
                    String cluster = store.record().cluster();
                    if (!cluster.isEmpty() && !cluster.equals(welcome.cluster())) {
                        throw new IllegalStateException(
                                "this host belongs to cluster " + cluster + ", not " + welcome.cluster());
                    }
                    if (welcome.spec().host(config.host()).isEmpty()) {
                        throw new IllegalStateException("the spec has no host " + config.host());
                    }
                    apply(welcome.spec(), false);
                    cache.save(welcome.spec());
                },
                configuring);
    }

    @Override
    public void acknowledged(Acknowledgement acknowledgement) {
        keeper.acknowledged(acknowledgement);
    }

    @Override
    public void order(Order order, Consumer<CommandReply> reply) {
        runner.order(order, reply);
    }

    /// Files are read on a thread of their own: the link's must not wait for a disk.
    @Override
    public void diverged(AskDiverged question, Consumer<Diverged> reply) {
        Thread.ofVirtual().name("diverged").start(() -> reply.accept(diverged(question)));
    }

    private Diverged diverged(AskDiverged question) {
        String group = question.group();
        try {
            return new DivergedFiles(config.diverged())
                    .latest(group)
                    .map(shown -> new Diverged(
                            question.id(), group, shown.file().toString(), shown.gtids(), shown.text(), shown.cut()))
                    .orElseGet(() -> new Diverged(question.id(), group, "", List.of(), "", false));
        } catch (IOException e) {
            String problem = "# cannot be read: " + e.getMessage();
            return new Diverged(question.id(), group, config.diverged().toString(), List.of(), problem, false);
        }
    }

    private Answer health() {
        boolean connected = links.connected();
        return keeper.alive()
                ? new Answer(200, connected ? "ok\n" : "ok, no controller in reach\n")
                : new Answer(503, "the lease thread is late or gone\n");
    }

    /// Fails closed: anything not known is no.
    private Answer writer(String group) {
        Site site = holdings.site();
        if (site == null) {
            return new Answer(503, "no cluster spec yet\n");
        }
        List<String> groups = site.spec().groupsOf(config.host()).stream()
                .filter(g -> g instanceof DatabaseGroup
                        && (group.isEmpty() || g.name().equals(group)))
                .map(ClusterSpec.Group::name)
                .toList();
        if (groups.size() != 1) {
            return new Answer(503, groups.isEmpty() ? "no such database group here\n" : "ask for /writer/GROUP\n");
        }
        ResourceId primary = ResourceId.primary(groups.getFirst());
        Lease lease = keeper.heldNow(primary);
        if (lease == null) {
            return new Answer(503, "no live lease\n");
        }
        boolean open =
                observations.latest("database/" + primary.group()).orElse(null) instanceof Observation.Database database
                        && database.health() == Health.UP
                        && Boolean.FALSE.equals(database.readOnly())
                        && holdings.addressUp(primary, lease.epoch());
        return open ? new Answer(200, "epoch " + lease.epoch() + "\n") : new Answer(503, "not open to writes\n");
    }

    /// A planned stop or restart (S9). Leases that could be extended stay as they are in the kernel and in the
    /// database, to be adopted by the next run. If no controller extends them they would lapse without an agent to
    /// fence the database, so everything is released properly first: that is what would happen a moment later
    /// anyway. Holders that live on this host's consent get a standing one when no controller is in reach.
    public void stop() {
        LOG.info("event=stopping held={}", keeper.heldNow().size());
        CompletableFuture<Boolean> standing = keeper.leaveStandingConsents();
        boolean kept = waitFor(keeper.restartNotice(RESTART_LEASE), RESTART_WAIT);
        if (kept) {
            holdings.drain(RESTART_WAIT);
        }
        boolean released = !kept && waitFor(keeper.releaseAll("stopping-without-a-long-lease"), RELEASE_WAIT);
        boolean counted = waitFor(standing, standingWait());
        LOG.info(
                "event=stopped leases={} standing_consents={}",
                kept ? "kept" : released ? "released" : "left-to-lapse",
                counted ? "counted" : "not-known-to-be-counted");
        close();
    }

    /// A holder asks with each of its heartbeats: the first answer leaves the consent, the next question says that
    /// it counts.
    private Duration standingWait() {
        Duration beats =
                spec().map(s -> s.timing().heartbeat()).orElse(Duration.ZERO).multipliedBy(3);
        return beats.compareTo(RESTART_WAIT) > 0 ? beats : RESTART_WAIT;
    }

    /// Ends everything without fencing or releasing anything.
    @Override
    public void close() {
        if (requests != null) {
            requests.close();
        }
        links.close();
        peers.close();
        keeper.close();
        watch.close();
        holdings.close();
        status.close();
        configuring.shutdownNow();
        addresses.close();
        HttpClients.close(client);
        HttpClients.close(peerClient);
        try {
            store.close();
        } catch (IOException e) {
            LOG.warn("event=close-failed part=floors reason=\"{}\"", e.toString());
        }
    }

    public int statusPort() {
        return status.port();
    }

    private int peerPort() {
        return peers.port();
    }

    private static boolean waitFor(Future<?> future, Duration atMost) {
        try {
            @Nullable Object value = future.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
            return !Boolean.FALSE.equals(value);
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            LOG.error("event=internal-error", e.getCause());
            return false;
        }
    }
}
