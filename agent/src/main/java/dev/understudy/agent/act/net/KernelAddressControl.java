package dev.understudy.agent.act.net;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.sys.NetworkNamespace;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Virtual addresses by nftables ([KernelGate]), rtnetlink ([Rtnetlink]) and packet sockets. The kernel ends a
/// lease by itself: nothing of this object needs to run for that. Closing it, or killing the process, leaves gates
/// in force and elements to lapse, so that a restarted agent can adopt them (S9).
///
/// All public methods may be called from any thread. Beside the callers' threads there are two
/// daemon threads: one listens to the kernel, one announces.
public final class KernelAddressControl implements AddressControl {

    private static final Logger LOG = LoggerFactory.getLogger(KernelAddressControl.class);
    private static final Duration NFT_TIMEOUT = Duration.ofMillis(600);
    private static final Duration LIFETIME_REFRESH = Duration.ofSeconds(1);
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final Supplier<Moment> clock;
    private final KernelGate gate;
    private final Rtnetlink links;
    private final Announcer announcer;
    private final AddressMonitor monitor;
    private final Map<ResourceId, GuardedAddress> guarded = new TreeMap<>();
    private final Map<ResourceId, Held> held = new TreeMap<>();
    private final ReentrantLock takes = new ReentrantLock();
    private final KernelGate.Proof proof;
    private Enforcement enforcement;

    /// @param refreshed when the address's lifetime was last set
    private record Held(long epoch, Moment deadline, Moment refreshed) {}

    /// Opens sockets and starts nft, and proves at once what [#enforcement] tells; opens no gate and changes no
    /// address.
    ///
    /// @param name of the nftables tables, such as `understudy`: one instance a name and namespace
    /// @param clock the clock of all [Moment]s given to this object
    /// @throws IOException without the right to open netlink and packet sockets (CAP_NET_ADMIN, CAP_NET_RAW)
    public static KernelAddressControl start(String name, NetworkNamespace namespace, Supplier<Moment> clock)
            throws IOException {
        return new KernelAddressControl(name, namespace, clock);
    }

    private KernelAddressControl(String name, NetworkNamespace namespace, Supplier<Moment> clock) throws IOException {
        this.clock = clock;
        links = new Rtnetlink(namespace);
        gate = new KernelGate(name, namespace, clock, KernelAddressControl::wallNanos, NFT_TIMEOUT);
        proof = gate.prove();
        enforcement = new Enforcement(proof.proven(), proof.detail());
        if (!proof.proven()) {
            LOG.warn("event=lease-not-enforced reason=\"{}\"", proof.detail());
        }
        announcer = new Announcer(namespace, this::announceAll);
        monitor = new AddressMonitor(namespace, this::onEvent);
    }

    @Override
    public synchronized void guard(Map<ResourceId, VirtualAddress> addresses) {
        for (ResourceId resource : List.copyOf(held.keySet())) {
            GuardedAddress was = guarded.get(resource);
            if (was != null && !was.spec().equals(addresses.get(resource))) {
                release(resource);
            }
        }
        guarded.clear();
        addresses.forEach((resource, spec) -> guarded.put(resource, new GuardedAddress(spec, links)));
        buildGate();
        guarded.forEach(this::removeLeftover);
    }

    /// Also again when somebody else has flushed the ruleset; to be called by whoever watches for that (S11).
    private void buildGate() {
        if (!proof.proven()) {
            return;
        }
        try {
            gate.guard(guarded.values().stream().map(GuardedAddress::address).toList());
            enforcement = new Enforcement(true, proof.detail());
        } catch (IOException e) {
            enforcement = new Enforcement(false, "the gate cannot be built: " + e.getMessage());
            LOG.error("event=gate-failed reason=\"{}\"", e.getMessage());
        }
    }

    /// An address that is there without a live element is nobody's: an earlier life left it.
    private void removeLeftover(ResourceId resource, GuardedAddress guard) {
        if (held.containsKey(resource)) {
            return;
        }
        try {
            if (enforcement.enforced() && gate.element(guard.address()).isPresent()) {
                return; // may be adopted (S9); if not, it lapses
            }
            if (guard.remove()) {
                LOG.warn(
                        "event=leftover-address-removed resource={} address={}",
                        resource,
                        guard.spec().cidr());
            }
        } catch (IOException e) {
            LOG.error("event=leftover-address-stays resource={} reason=\"{}\"", resource, e.getMessage());
        }
    }

    @Override
    public synchronized Enforcement enforcement() {
        return enforcement;
    }

    /// Takes follow one another. `lease` is asked without holding the lock of the other methods: it may wait for a
    /// thread that is in one of them.
    @Override
    public Outcome take(ResourceId resource, long epoch, Moment deadline, LeaseCheck lease) {
        if (!KernelGate.nameable(resource)) {
            return new Outcome.Refused("unsupported", "the name of " + resource + " cannot be written to the kernel");
        }
        takes.lock();
        try {
            if (!isGuarded(resource)) {
                return new Outcome.Refused("unsupported", "no address of " + resource + " is guarded on this host");
            }
            if (!lease.live()) {
                return notLive(resource, epoch);
            }
            if (!openFor(resource, epoch, deadline) || !lease.live()) {
                undo(resource);
                return notLive(resource, epoch);
            }
            addFor(resource, epoch, deadline);
            if (!lease.live()) {
                undo(resource);
                return notLive(resource, epoch);
            }
            announce(resource);
            LOG.info("event=address-taken resource={} epoch={}", resource, epoch);
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            undo(resource);
            return new Outcome.Failed("address of " + resource + " not taken: " + e.getMessage());
        } finally {
            takes.unlock();
        }
    }

    private synchronized boolean isGuarded(ResourceId resource) {
        return guarded.containsKey(resource);
    }

    /// The first act of a take; false when the deadline is over.
    private synchronized boolean openFor(ResourceId resource, long epoch, Moment deadline) throws IOException {
        GuardedAddress guard = stillGuarded(resource);
        Held before = held.get(resource);
        boolean repeated = before != null && before.epoch() == epoch;
        return !enforcement.enforced()
                || openGate(guard, KernelGate.comment(resource, epoch), until(before, epoch, deadline), repeated);
    }

    /// The second act of a take.
    private synchronized void addFor(ResourceId resource, long epoch, Moment deadline) throws IOException {
        GuardedAddress guard = stillGuarded(resource);
        Moment until = until(held.get(resource), epoch, deadline);
        putAddress(guard, until);
        held.put(resource, new Held(epoch, until, clock.get()));
    }

    /// A repeated take must not shorten a lease that was renewed since.
    private static Moment until(@Nullable Held before, long epoch, Moment deadline) {
        return before != null && before.epoch() == epoch ? before.deadline().latest(deadline) : deadline;
    }

    private GuardedAddress stillGuarded(ResourceId resource) throws IOException {
        GuardedAddress guard = guarded.get(resource);
        if (guard == null) {
            throw new IOException("no address of " + resource + " is guarded any more");
        }
        return guard;
    }

    private boolean openGate(GuardedAddress guard, String comment, Moment until, boolean repeated) throws IOException {
        if (repeated && gate.extend(guard.address(), comment, until)) {
            return true;
        }
        try {
            return gate.open(guard.address(), comment, until);
        } catch (IOException e) {
            LOG.warn("event=gate-rebuilt reason=\"{}\"", e.getMessage());
            buildGate(); // a flushed ruleset: without a gate no lease is taken (S11)
            if (!enforcement.enforced()) {
                throw e;
            }
            return gate.open(guard.address(), comment, until);
        }
    }

    private static Outcome notLive(ResourceId resource, long epoch) {
        return new Outcome.Refused("lease", "the lease of " + resource + " at epoch " + epoch + " is not live");
    }

    @Override
    public synchronized boolean renew(ResourceId resource, long epoch, Moment deadline) {
        GuardedAddress guard = guarded.get(resource);
        Held before = held.get(resource);
        if (guard != null && before == null) {
            before = adopt(resource, epoch);
        }
        if (guard == null || before == null || before.epoch() != epoch) {
            return false;
        }
        Moment now = clock.get();
        if (!now.isBefore(before.deadline())) {
            return false;
        }
        Moment until = before.deadline().latest(deadline);
        if (enforcement.enforced()) {
            switch (extend(guard, KernelGate.comment(resource, epoch), until)) {
                case LAPSED -> {
                    return false;
                }
                case UNKNOWN -> {
                    // The old element is live and ends at its time; the next renewal tries again.
                    return clock.get().isBefore(before.deadline());
                }
                case EXTENDED -> {
                    // go on to the address
                }
            }
        }
        Moment refreshed = before.refreshed();
        boolean due = now.since(refreshed).compareTo(LIFETIME_REFRESH) >= 0;
        boolean longer = until.since(before.deadline()).compareTo(LIFETIME_REFRESH) > 0; // for a planned restart (S9)
        if (due || longer || !enforcement.enforced()) {
            try {
                putAddress(guard, until);
                refreshed = now;
            } catch (IOException e) {
                LOG.warn("event=address-not-refreshed resource={} reason=\"{}\"", resource, e.getMessage());
            }
        }
        held.put(resource, new Held(epoch, until, refreshed));
        return true;
    }

    private enum Extension {
        EXTENDED,
        LAPSED,
        UNKNOWN
    }

    private Extension extend(GuardedAddress guard, String comment, Moment until) {
        IOException last = null;
        for (int attempt = 0; attempt < 2; attempt++) { // the second one with a fresh nft
            try {
                return gate.extend(guard.address(), comment, until) ? Extension.EXTENDED : Extension.LAPSED;
            } catch (IOException e) {
                last = e;
            }
        }
        LOG.warn("event=lease-not-extended comment=\"{}\" reason=\"{}\"", comment, String.valueOf(last));
        return Extension.UNKNOWN;
    }

    private @Nullable Held adopt(ResourceId resource, long epoch) {
        Moment before = clock.get();
        Optional<Duration> left = remaining(resource, epoch);
        if (left.isEmpty()) {
            return null;
        }
        Held adopted = new Held(epoch, before.plus(left.get()), before.plus(LIFETIME_REFRESH.negated()));
        held.put(resource, adopted);
        LOG.info(
                "event=address-adopted resource={} epoch={} left_ms={}",
                resource,
                epoch,
                left.get().toMillis());
        return adopted;
    }

    @Override
    public synchronized Outcome release(ResourceId resource) {
        GuardedAddress guard = guarded.get(resource);
        Held was = held.remove(resource);
        if (guard == null) {
            return Outcome.Done.withoutFacts();
        }
        try {
            closeAndRemove(guard);
            if (was != null) {
                LOG.info("event=address-released resource={} epoch={}", resource, was.epoch());
            }
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            return new Outcome.Failed("address " + guard.spec().cidr() + " not released: " + e.getMessage());
        }
    }

    private synchronized void undo(ResourceId resource) {
        if (release(resource) instanceof Outcome.Failed failed) {
            LOG.error("event=take-not-undone resource={} reason=\"{}\"", resource, failed.reason());
        }
    }

    /// The gate first; the address is removed even when the gate could not be closed.
    private void closeAndRemove(GuardedAddress guard) throws IOException {
        try {
            if (enforcement.enforced()) {
                gate.remove(guard.address());
            }
        } finally {
            guard.remove();
        }
    }

    @Override
    public synchronized Optional<Duration> remaining(ResourceId resource, long epoch) {
        GuardedAddress guard = guarded.get(resource);
        if (guard == null || !enforcement.enforced()) {
            return Optional.empty();
        }
        try {
            return gate.element(guard.address())
                    .filter(element -> element.comment().equals(KernelGate.comment(resource, epoch)))
                    .map(KernelGate.Element::expires);
        } catch (IOException e) {
            LOG.warn("event=element-unreadable resource={} reason=\"{}\"", resource, e.getMessage());
            return Optional.empty();
        }
    }

    @Override
    public synchronized boolean present(ResourceId resource) {
        GuardedAddress guard = guarded.get(resource);
        try {
            return guard != null && guard.present();
        } catch (IOException e) {
            LOG.warn("event=address-unreadable resource={} reason=\"{}\"", resource, e.getMessage());
            return false;
        }
    }

    /// Whether the address's interface is there and has a carrier.
    public synchronized boolean carrier(ResourceId resource) {
        GuardedAddress guard = guarded.get(resource);
        try {
            return guard != null && guard.carrier();
        } catch (IOException e) {
            LOG.warn("event=link-unreadable resource={} reason=\"{}\"", resource, e.getMessage());
            return false;
        }
    }

    @Override
    public synchronized void announce(ResourceId resource) {
        Held holding = held.get(resource);
        if (holding != null) {
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
        GuardedAddress guard = guarded.get(resource);
        Held holding = held.get(resource);
        if (guard == null || holding == null || holding.epoch() != epoch) {
            return;
        }
        try {
            announcer.send(guard, () -> clock.get().isBefore(holding.deadline()));
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
                    GuardedAddress guard = guarded.get(resource);
                    if (guard != null && guard.address().equals(address)) {
                        restore(resource, guard, holding);
                    }
                });
            case AddressMonitor.Event.CarrierBack _, AddressMonitor.Event.Lost _ -> restoreAll();
        }
    }

    private void restoreAll() {
        held.forEach((resource, holding) -> {
            GuardedAddress guard = guarded.get(resource);
            if (guard != null) {
                restore(resource, guard, holding);
            }
        });
    }

    private void restore(ResourceId resource, GuardedAddress guard, Held holding) {
        if (!clock.get().isBefore(holding.deadline())) {
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
    /// refreshes.
    private void putAddress(GuardedAddress guard, Moment deadline) throws IOException {
        Duration left = deadline.since(clock.get());
        guard.put(enforcement.enforced() ? left.plusSeconds(1) : left);
    }

    /// The process that writes to nftables, for tests that freeze it.
    long nftPid() {
        return gate.nftPid();
    }

    @Override
    public synchronized void close() {
        announcer.close();
        monitor.close();
        held.clear();
        gate.close();
        links.close();
    }

    private static long wallNanos() {
        Instant now = Instant.now();
        return Math.addExact(Math.multiplyExact(now.getEpochSecond(), NANOS_PER_SECOND), now.getNano());
    }
}
