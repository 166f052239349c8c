package dev.understudy.agent.act.net;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.sys.NetworkNamespace;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Virtual addresses and database ports by nftables ([KernelGate]), rtnetlink ([Rtnetlink]) and packet sockets. The
/// kernel ends a
/// lease by itself: nothing of this object needs to run for that. Closing it, or killing the process, leaves gates
/// in force and elements to lapse, so that a restarted agent can adopt them (S9).
///
/// All public methods may be called from any thread. Beside the callers' threads there are three daemon threads: two
/// listen to the kernel, one announces.
public final class KernelAddressControl implements AddressControl {

    private static final Logger LOG = LoggerFactory.getLogger(KernelAddressControl.class);
    private static final Duration NFT_TIMEOUT = Duration.ofMillis(600);
    private static final Duration LIFETIME_REFRESH = Duration.ofSeconds(1);
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final Supplier<Moment> clock;
    private final NetworkNamespace namespace;
    private final GateKeeper keeper;
    private final Rtnetlink links;
    private final Draining draining;
    private final Forwarding forwarding;
    private final Announcer announcer;
    private final AddressMonitor monitor;
    private final @Nullable GateMonitor gateMonitor;
    private final Map<ResourceId, Guarded> guarded = new TreeMap<>();
    private final Map<ResourceId, Held> held = new TreeMap<>();
    private final Set<ResourceId> kept = new HashSet<>();
    private final Map<ResourceId, Boolean> reading = new HashMap<>(); // what is known to be in the kernel
    private final ReentrantLock takes = new ReentrantLock();
    private TimingProfile timing = TimingProfile.STANDARD;
    private boolean closed;

    /// @param refreshed when the address's lifetime was last set
    /// @param up whether the address was taken, not only the gate opened
    private record Held(long epoch, Moment deadline, Moment refreshed, boolean up) {}

    /// Opens sockets and starts nft, and proves at once what [#enforcement] tells; opens no gate and changes no
    /// address.
    ///
    /// @param name of the nftables tables, such as `understudy`: one instance a name and namespace
    /// @param clock the clock of all [Moment]s given to this object
    /// @throws IOException without the right to open netlink and packet sockets (CAP_NET_ADMIN, CAP_NET_RAW)
    public static KernelAddressControl start(String name, NetworkNamespace namespace, Supplier<Moment> clock)
            throws IOException {
        return start(name, namespace, clock, NftClient.PROGRAM);
    }

    /// @param nft the program
    static KernelAddressControl start(String name, NetworkNamespace namespace, Supplier<Moment> clock, String nft)
            throws IOException {
        return new KernelAddressControl(name, namespace, clock, nft);
    }

    private KernelAddressControl(String name, NetworkNamespace namespace, Supplier<Moment> clock, String nft)
            throws IOException {
        this.clock = clock;
        this.namespace = namespace;
        links = new Rtnetlink(namespace);
        keeper = new GateKeeper(new KernelGate(
                name, clock, KernelAddressControl::wallNanos, new NftClient(namespace, NFT_TIMEOUT, nft)));
        draining = new Draining(keeper, links, clock);
        forwarding = new Forwarding(keeper, links, clock);
        announcer = new Announcer(namespace, this::refresh);
        monitor = new AddressMonitor(namespace, this::onEvent);
        gateMonitor = keeper.proven() ? new GateMonitor(namespace, name, this::checkGate) : null;
    }

    @Override
    public synchronized void guard(Map<ResourceId, Guard> guards, TimingProfile profile) {
        for (ResourceId resource : List.copyOf(held.keySet())) {
            Guarded was = guarded.get(resource);
            if (was != null && !sameOnHost(was.spec(), guards.get(resource))) {
                release(resource);
            }
        }
        timing = profile;
        guarded.clear();
        reading.clear();
        guards.forEach((resource, spec) -> guarded.put(resource, Guarded.of(spec, links, keeper.drains())));
        draining.sweep(guarded);
        forwarding.clean();
        keeper.guard(
                guarded.values().stream().flatMap(g -> g.targets().stream()).toList());
        guarded.forEach(this::removeLeftover);
        guarded.forEach((resource, guard) -> {
            Enforcement enforcement = enforcement(guard.spec(), timing);
            if (!enforcement.enforced()) {
                LOG.warn("event=lease-not-enforced resource={} reason=\"{}\"", resource, enforcement.detail());
            }
            keepSecondaries(guard);
        });
    }

    /// Whether what is held under `was` is held under `now` as well: other members change only who is exempt.
    private static boolean sameOnHost(Guard was, @Nullable Guard now) {
        return now != null && Objects.equals(was.address(), now.address()) && number(was) == number(now);
    }

    private static int number(Guard guard) {
        ServerPort port = guard.port();
        return port == null ? 0 : port.number();
    }

    private void keepSecondaries(Guarded guard) {
        GuardedAddress address = guard.address();
        if (address != null
                && address.address() instanceof Inet4Address
                && !Secondaries.keep(namespace, address.spec().networkInterface())) {
            LOG.warn(
                    "event=secondaries-at-risk interface={} reason=\"promote_secondaries cannot be set\"",
                    address.spec().networkInterface());
        }
    }

    /// On the thread that listens to nftables, and now and then.
    private synchronized void checkGate() {
        if (!closed && keeper.check(this::liveLeases)) {
            reading.clear(); // closed until the server is seen again
            draining.lost();
        }
    }

    private List<KernelGate.Live> liveLeases() {
        Moment now = clock.get();
        List<KernelGate.Live> live = new ArrayList<>();
        held.forEach((resource, holding) -> {
            Guarded guard = guarded.get(resource);
            if (guard != null && now.isBefore(holding.deadline())) {
                live.add(new KernelGate.Live(
                        guard.targets(), KernelGate.comment(resource, holding.epoch()), holding.deadline()));
            }
        });
        return live;
    }

    private void refresh() {
        checkGate();
        sweep();
        announceAll();
    }

    private synchronized void sweep() {
        if (!closed) {
            draining.sweep(guarded);
            forwarding.sweep();
        }
    }

    /// An address that is there without a live element is nobody's: an earlier life left it.
    private void removeLeftover(ResourceId resource, Guarded guard) {
        GuardedAddress address = guard.address();
        if (address == null || held.containsKey(resource) || kept.remove(resource)) {
            return;
        }
        try {
            if (keeper.stands()
                    && keeper.gate().element(guard.targets().getFirst()).isPresent()) {
                return; // may be adopted (S9); if not, it lapses
            }
            if (draining.adopt(resource, guard)) {
                announcer.later(draining.left(resource).orElse(Duration.ZERO), this::sweep);
                return;
            }
            if (address.remove()) {
                LOG.warn(
                        "event=leftover-address-removed resource={} address={}",
                        resource,
                        address.spec().cidr());
            }
        } catch (IOException e) {
            LOG.error("event=leftover-address-stays resource={} reason=\"{}\"", resource, e.getMessage());
        }
    }

    /// With a kernel that was proven, a gate that does not stand is no reason to take what is left: somebody else
    /// works on the ruleset (S11).
    @Override
    public synchronized Enforcement enforcement(Guard guard, TimingProfile profile) {
        if (keeper.proven() && !keeper.stands()) {
            return new Enforcement(false, keeper.detail());
        }
        EnforcedBound bound = keeper.proven()
                ? EnforcedBound.ELEMENTS
                : guard.port() == null ? EnforcedBound.LIFETIMES : EnforcedBound.NOTHING;
        Optional<String> objection = bound.objection(profile);
        String detail = keeper.detail();
        if (bound == EnforcedBound.LIFETIMES && objection.isEmpty()) {
            detail = "by the address's lifetime alone: " + detail;
        }
        return objection
                .map(reason ->
                        new Enforcement(false, keeper.detail().isEmpty() ? reason : keeper.detail() + "; " + reason))
                .orElse(new Enforcement(true, detail));
    }

    @Override
    public Outcome open(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease) {
        return take(resource, epoch, deadline, lease, false, null);
    }

    /// Takes follow one another. `lease` is asked without holding the lock of the other methods: it may wait for a
    /// thread that is in one of them.
    @Override
    public Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease, @Nullable Giver giver) {
        return take(resource, epoch, deadline, lease, true, giver);
    }

    private Outcome take(
            ResourceId resource,
            long epoch,
            Moment deadline,
            LeaseCheck lease,
            boolean address,
            @Nullable Giver giver) {
        if (!KernelGate.nameable(resource)) {
            return new Outcome.Refused("unsupported", "the name of " + resource + " cannot be written to the kernel");
        }
        takes.lock();
        try {
            Optional<Outcome> objection = objection(resource);
            if (objection.isPresent()) {
                return objection.get();
            }
            if (!lease.live()) {
                return notLive(resource, epoch);
            }
            if (!openFor(resource, epoch, deadline) || !lease.live()) {
                undo(resource);
                return notLive(resource, epoch);
            }
            Outcome.Done done = forwardFor(resource, giver);
            if (!address || !addFor(resource, epoch, deadline)) {
                return Outcome.Done.withoutFacts();
            }
            if (!lease.live()) {
                undo(resource);
                return notLive(resource, epoch);
            }
            announce(resource);
            LOG.info("event=address-taken resource={} epoch={}", resource, epoch);
            return done;
        } catch (IOException e) {
            undo(resource);
            return new Outcome.Failed(resource + " not taken: " + e.getMessage());
        } finally {
            takes.unlock();
        }
    }

    /// Why nothing is taken at all. A gate that does not stand is put up first if that can be done.
    private synchronized Optional<Outcome> objection(ResourceId resource) {
        Guarded guard = guarded.get(resource);
        if (guard == null) {
            return Optional.of(
                    new Outcome.Refused("unsupported", "nothing of " + resource + " is guarded on this host"));
        }
        checkGate();
        Enforcement enforcement = enforcement(guard.spec(), timing);
        return enforcement.enforced()
                ? Optional.empty()
                : Optional.of(new Outcome.Refused("not-enforced", resource + ": " + enforcement.detail()));
    }

    /// The first act of a take; false when the deadline is over.
    private synchronized boolean openFor(ResourceId resource, long epoch, Moment deadline) throws IOException {
        Guarded guard = stillGuarded(resource);
        Held before = held.get(resource);
        if (before != null && before.epoch() != epoch) {
            before = null;
        }
        Moment until = until(before, epoch, deadline);
        reading.remove(resource);
        if (guard.address() != null) {
            draining.endForHolding(resource);
            forwarding.end(guard.address().address());
        }
        if (keeper.stands()
                && !keeper.open(guard.targets(), KernelGate.comment(resource, epoch), until, before != null)) {
            return false;
        }
        held.put(
                resource,
                before == null ? opened(epoch, until) : new Held(epoch, until, before.refreshed(), before.up()));
        return true;
    }

    private Held opened(long epoch, Moment until) {
        return new Held(epoch, until, clock.get(), false);
    }

    /// Before clients come, packets of flows that are unknown here go on to the giver, or, without one, get a reset.
    private synchronized Outcome.Done forwardFor(ResourceId resource, @Nullable Giver giver) throws IOException {
        GuardedAddress address = stillGuarded(resource).address();
        if (address == null || giver == null) {
            return Outcome.Done.withoutFacts();
        }
        Optional<String> objection;
        try {
            objection = forwarding.begin(address, giver);
        } catch (IOException e) {
            objection = Optional.of(String.valueOf(e.getMessage()));
        }
        return objection
                .map(reason -> {
                    LOG.warn("event=not-forwarding resource={} reason=\"{}\"", resource, reason);
                    return new Outcome.Done(Map.of(Command.Release.NO_DRAIN, reason));
                })
                .orElse(Outcome.Done.withoutFacts());
    }

    /// The second act of a take; false when no address goes with the resource.
    private synchronized boolean addFor(ResourceId resource, long epoch, Moment deadline) throws IOException {
        GuardedAddress address = stillGuarded(resource).address();
        if (address == null) {
            return false;
        }
        Moment until = until(held.get(resource), epoch, deadline);
        if (!putAddress(address, until)) {
            throw new IOException("what is left of the lease is less than an address's shortest lifetime");
        }
        held.put(resource, new Held(epoch, until, clock.get(), true));
        return true;
    }

    /// A repeated take must not shorten a lease that was renewed since.
    private static Moment until(@Nullable Held before, long epoch, Moment deadline) {
        return before != null && before.epoch() == epoch ? before.deadline().latest(deadline) : deadline;
    }

    private Guarded stillGuarded(ResourceId resource) throws IOException {
        Guarded guard = guarded.get(resource);
        if (guard == null) {
            throw new IOException("nothing of " + resource + " is guarded any more");
        }
        return guard;
    }

    private static Outcome notLive(ResourceId resource, long epoch) {
        return new Outcome.Refused("lease", "the lease of " + resource + " at epoch " + epoch + " is not live");
    }

    @Override
    public synchronized boolean renew(ResourceId resource, long epoch, Moment deadline) {
        Guarded guard = guarded.get(resource);
        Held before = held.get(resource);
        if (guard != null && before == null) {
            before = adopt(resource, epoch, guard);
        }
        if (guard == null || before == null || before.epoch() != epoch) {
            return false;
        }
        Moment now = clock.get();
        if (!now.isBefore(before.deadline())) {
            return false;
        }
        Moment until = before.deadline().latest(deadline);
        if (keeper.proven()) {
            switch (extend(guard, KernelGate.comment(resource, epoch), until)) {
                case LAPSED -> {
                    return false;
                }
                case UNKNOWN -> {
                    return clock.get().isBefore(before.deadline());
                }
                case EXTENDED -> {
                    // go on to the address
                }
            }
        } else if (!enforcement(guard.spec(), timing).enforced()) {
            return false; // the profile changed under the lease
        }
        held.put(resource, new Held(epoch, until, refreshed(resource, guard, before, until), before.up()));
        return true;
    }

    /// What has lapsed is not told from what somebody has flushed until the whole gate was looked at.
    private GateKeeper.Extension extend(Guarded guard, String comment, Moment until) {
        GateKeeper.Extension extension =
                keeper.stands() ? keeper.extend(guard.targets(), comment, until) : GateKeeper.Extension.LAPSED;
        if (extension != GateKeeper.Extension.LAPSED) {
            return extension;
        }
        checkGate();
        return keeper.stands() ? keeper.extend(guard.targets(), comment, until) : GateKeeper.Extension.UNKNOWN;
    }

    private Moment refreshed(ResourceId resource, Guarded guard, Held before, Moment until) {
        GuardedAddress address = guard.address();
        Moment now = clock.get();
        boolean due = now.since(before.refreshed()).compareTo(LIFETIME_REFRESH) >= 0;
        boolean longer = until.since(before.deadline()).compareTo(LIFETIME_REFRESH) > 0; // for a planned restart (S9)
        if (address == null || !before.up() || !(due || longer || !keeper.proven())) {
            return before.refreshed();
        }
        try {
            putAddress(address, until);
            return now;
        } catch (IOException e) {
            LOG.warn("event=address-not-refreshed resource={} reason=\"{}\"", resource, e.getMessage());
            return before.refreshed();
        }
    }

    private @Nullable Held adopt(ResourceId resource, long epoch, Guarded guard) {
        Moment before = clock.get();
        Optional<Duration> left = remaining(resource, epoch);
        if (left.isEmpty()) {
            return null;
        }
        boolean up = guard.address() != null && present(resource);
        Held adopted = new Held(epoch, before.plus(left.get()), before.plus(LIFETIME_REFRESH.negated()), up);
        held.put(resource, adopted);
        LOG.info(
                "event=address-adopted resource={} epoch={} left_ms={}",
                resource,
                epoch,
                left.get().toMillis());
        return adopted;
    }

    @Override
    public synchronized Outcome release(ResourceId resource, Duration drain) {
        Guarded guard = guarded.get(resource);
        Held was = held.remove(resource);
        reading.remove(resource);
        if (guard == null) {
            return Outcome.Done.withoutFacts();
        }
        Outcome drained = drain(resource, guard, was, drain);
        if (drained instanceof Outcome.Done) {
            announcer.later(drain, this::sweep);
            return drained;
        }
        Outcome released = release(resource, guard, was);
        return released instanceof Outcome.Done && drained instanceof Outcome.Refused why && drain.isPositive()
                ? new Outcome.Done(Map.of(Command.Release.NO_DRAIN, why.reason()))
                : released;
    }

    /// Nothing is forwarded for an address that is given up, or two hosts would send each other what neither knows.
    private Outcome drain(ResourceId resource, Guarded guard, @Nullable Held was, Duration drain) {
        try {
            if (guard.address() != null) {
                forwarding.end(guard.address().address());
            }
        } catch (IOException e) {
            return new Outcome.Refused("drain", "what was forwarded did not end: " + e.getMessage());
        }
        if (drain.isPositive() && was == null && draining.again(resource).isPresent()) {
            return draining.again(resource).get();
        }
        if (!drain.isPositive() || was == null || !was.up() || !clock.get().isBefore(was.deadline())) {
            return new Outcome.Refused("drain", "nothing was held");
        }
        return draining.begin(
                resource,
                guard,
                drain,
                guarded.values().stream()
                        .map(Guarded::address)
                        .filter(Objects::nonNull)
                        .map(GuardedAddress::address)
                        .toList());
    }

    private Outcome release(ResourceId resource, Guarded guard, @Nullable Held was) {
        try {
            draining.end(resource, "released");
            closeAndRemove(guard);
            if (was != null) {
                LOG.info("event=address-released resource={} epoch={}", resource, was.epoch());
            }
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            return new Outcome.Failed(resource + " not released by the kernel: " + e.getMessage());
        }
    }

    private synchronized void undo(ResourceId resource) {
        if (release(resource) instanceof Outcome.Failed failed) {
            LOG.error("event=take-not-undone resource={} reason=\"{}\"", resource, failed.reason());
        }
    }

    /// The gate first; the address is removed even when the gate could not be closed.
    private void closeAndRemove(Guarded guard) throws IOException {
        try {
            if (keeper.proven()) {
                keeper.gate().remove(guard.targets());
            }
        } finally {
            GuardedAddress address = guard.address();
            if (address != null) {
                address.remove();
            }
        }
    }

    @Override
    public synchronized void keep(ResourceId resource) {
        kept.add(resource);
    }

    @Override
    public synchronized Outcome detach(ResourceId resource, @Nullable VirtualAddress address) {
        try {
            draining.end(resource, "detached"); // or a drained address would stay for good
            GuardedAddress there = address == null ? null : new GuardedAddress(address, links);
            if (there != null && there.present()) {
                there.put(Rtnetlink.FOR_EVER);
            }
            held.remove(resource);
            reading.remove(resource);
            guarded.remove(resource);
            keeper.guard(
                    guarded.values().stream().flatMap(g -> g.targets().stream()).toList());
            LOG.info("event=address-detached resource={}", resource);
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            return new Outcome.Failed(resource + " not detached in the kernel: " + e.getMessage());
        }
    }

    @Override
    public synchronized Outcome letRead(ResourceId resource, boolean allowed) {
        Guarded guard = guarded.get(resource);
        GateTarget.Port port = guard == null ? null : guard.port();
        if (port == null || !keeper.stands() || Boolean.valueOf(allowed).equals(reading.get(resource))) {
            return Outcome.Done.withoutFacts();
        }
        if (allowed && held.containsKey(resource)) {
            return new Outcome.Refused("lease", resource + " is held here");
        }
        try {
            keeper.gate().letRead(port, allowed);
            reading.put(resource, allowed);
            LOG.info("event=port-reads resource={} port={} allowed={}", resource, port.number(), allowed);
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            reading.remove(resource);
            return new Outcome.Failed("reads of " + resource + ": " + e.getMessage());
        }
    }

    @Override
    public synchronized Optional<Duration> remaining(ResourceId resource, long epoch) {
        Guarded guard = guarded.get(resource);
        if (guard == null || !keeper.stands()) {
            return Optional.empty();
        }
        Optional<Duration> least = Optional.empty();
        try {
            for (GateTarget target : guard.targets()) {
                Optional<Duration> left = keeper.gate()
                        .element(target)
                        .filter(element -> element.comment().equals(KernelGate.comment(resource, epoch)))
                        .map(KernelGate.Element::expires);
                if (left.isEmpty()) {
                    return left;
                }
                least = least.filter(l -> l.compareTo(left.get()) <= 0).or(() -> left);
            }
        } catch (IOException e) {
            LOG.warn("event=element-unreadable resource={} reason=\"{}\"", resource, e.getMessage());
            return Optional.empty();
        }
        return least;
    }

    @Override
    public synchronized boolean present(ResourceId resource) {
        GuardedAddress address = addressOf(resource);
        try {
            return address != null && address.present();
        } catch (IOException e) {
            LOG.warn("event=address-unreadable resource={} reason=\"{}\"", resource, e.getMessage());
            return false;
        }
    }

    @Override
    public synchronized Optional<Duration> draining(ResourceId resource) {
        return draining.left(resource);
    }

    @Override
    public synchronized List<String> drains() {
        try {
            return keeper.proven() ? keeper.gate().drains() : List.of();
        } catch (IOException e) {
            return List.of("not known: " + e.getMessage());
        }
    }

    private @Nullable GuardedAddress addressOf(ResourceId resource) {
        Guarded guard = guarded.get(resource);
        return guard == null ? null : guard.address();
    }

    /// Whether the address's interface is there and has a carrier.
    public synchronized boolean carrier(ResourceId resource) {
        GuardedAddress address = addressOf(resource);
        try {
            return address != null && address.carrier();
        } catch (IOException e) {
            LOG.warn("event=link-unreadable resource={} reason=\"{}\"", resource, e.getMessage());
            return false;
        }
    }

    @Override
    public synchronized void announce(ResourceId resource) {
        Held holding = held.get(resource);
        if (holding != null && holding.up()) {
            burst(resource, holding.epoch());
        }
    }

    private void burst(ResourceId resource, long epoch) {
        announcer.burst(() -> announceOnce(resource, epoch));
    }

    private synchronized void announceAll() {
        held.forEach((resource, holding) -> announceOnce(resource, holding.epoch()));
    }

    private synchronized void announceOnce(ResourceId resource, long epoch) {
        GuardedAddress address = addressOf(resource);
        Held holding = held.get(resource);
        if (address == null || holding == null || holding.epoch() != epoch || !holding.up()) {
            return;
        }
        try {
            announcer.send(address, () -> clock.get().isBefore(holding.deadline()));
        } catch (IOException e) {
            LOG.warn("event=announcement-failed resource={} reason=\"{}\"", resource, e.getMessage());
        }
    }

    /// On the listening thread: an address that somebody else removed comes back while the lease holds; after a link
    /// came back its neighbours are told who has the address.
    private synchronized void onEvent(AddressMonitor.Event event) {
        switch (event) {
            case AddressMonitor.Event.Removed(InetAddress address) ->
                held.forEach((resource, holding) -> {
                    GuardedAddress guard = addressOf(resource);
                    if (guard != null && guard.address().equals(address)) {
                        restore(resource, guard, holding);
                    }
                });
            case AddressMonitor.Event.CarrierBack _, AddressMonitor.Event.Lost _ -> restoreAll();
        }
    }

    private void restoreAll() {
        held.forEach((resource, holding) -> {
            GuardedAddress address = addressOf(resource);
            if (address != null) {
                restore(resource, address, holding);
            }
        });
    }

    private void restore(ResourceId resource, GuardedAddress guard, Held holding) {
        if (!holding.up() || !clock.get().isBefore(holding.deadline())) {
            return;
        }
        try {
            if (!guard.present()) {
                putAddress(guard, holding.deadline());
                LOG.warn("event=address-restored resource={} epoch={}", resource, holding.epoch());
            }
            burst(resource, holding.epoch());
        } catch (IOException e) {
            LOG.error("event=address-not-restored resource={} reason=\"{}\"", resource, e.getMessage());
        }
    }

    /// With the gate in force the lifetime is only the backstop, and a second more keeps it from ending between two
    /// refreshes. Without one it must have ended when the lease does.
    ///
    /// @return false: no lifetime is short enough
    private boolean putAddress(GuardedAddress address, Moment deadline) throws IOException {
        Duration left = deadline.since(clock.get());
        long seconds = keeper.proven()
                ? Math.ceilDiv(Math.max(1, left.toNanos()), NANOS_PER_SECOND) + 1
                : EnforcedBound.safeLifetimeSeconds(left);
        if (seconds <= 0) {
            return false;
        }
        address.put(seconds);
        return true;
    }

    /// The process that writes to nftables, for tests that freeze it.
    long nftPid() {
        return keeper.gate().nftPid();
    }

    @Override
    public synchronized void close() {
        closed = true;
        announcer.close();
        monitor.close();
        if (gateMonitor != null) {
            gateMonitor.close();
        }
        held.clear();
        keeper.close();
        links.close();
    }

    private static long wallNanos() {
        Instant now = Instant.now();
        return Math.addExact(Math.multiplyExact(now.getEpochSecond(), NANOS_PER_SECOND), now.getNano());
    }
}
