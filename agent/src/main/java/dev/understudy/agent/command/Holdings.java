package dev.understudy.agent.command;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.agent.lease.HolderActs;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this host does to hold a resource and to give it up. Each resource has two lanes: everything that touches
/// its address in the kernel happens on one, in order, and never waits for a database; its commands run on the
/// other. Thread-safe.
public final class Holdings implements HolderActs, DatabaseLooks, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Holdings.class);

    private final AddressControl addresses;
    private final Map<ResourceId, Holding> holdings = new ConcurrentHashMap<>();
    private volatile @Nullable Site site;
    private volatile Consumer<ResourceId> uncovered = _ -> {};
    private volatile @Nullable LeaseKeeper keeper;

    /// One resource. `inKernel` is the epoch whose elements this agent put into the kernel, 0 for none, and
    /// `addressUp` says whether its address is there too; `changes` counts how often that was about to change. All
    /// are changed on the kernel lane.
    private static final class Holding {
        final Lane kernel;
        final Lane commands;
        final AtomicReference<Lease> renewal = new AtomicReference<>();
        volatile long inKernel;
        volatile boolean addressUp;
        final AtomicLong changes = new AtomicLong();

        Holding(ResourceId resource) {
            kernel = new Lane("kernel " + resource);
            commands = new Lane("do " + resource);
        }
    }

    public Holdings(AddressControl addresses) {
        this.addresses = addresses;
    }

    /// Once, before anything else.
    public void keeper(LeaseKeeper leaseKeeper) {
        keeper = leaseKeeper;
    }

    /// @param bringIn called for an address that was there before any lease and is to be given up: it has to come under
    /// the gate first
    public void onUncovered(Consumer<ResourceId> bringIn) {
        uncovered = bringIn;
    }

    public void site(Site now) {
        site = now;
    }

    public @Nullable Site site() {
        return site;
    }

    Lane commands(ResourceId resource) {
        return holding(resource).commands;
    }

    /// The kernel's elements of a restarted agent were found alive (S9).
    ///
    /// @param addressUp whether the address that goes with the resource is there
    public void adopted(ResourceId resource, long epoch, boolean addressUp) {
        Holding holding = holding(resource);
        holding.inKernel = epoch;
        holding.addressUp = addressUp;
    }

    /// Whether the address that goes with the resource is up under this epoch; true if none goes with it.
    public boolean addressUp(ResourceId resource, long epoch) {
        Site now = site;
        if (now == null) {
            return false;
        }
        Guard guard = now.guarded().get(resource);
        Holding holding = holding(resource);
        return guard == null || (holding.inKernel == epoch && (guard.address() == null || holding.addressUp));
    }

    /// Opens the gate of what goes with the resource under the lease that is held now, and puts no address up: a
    /// database's port is under the kernel's lease before the server may be opened to writes. Waits.
    Outcome openGate(ResourceId resource, long epoch) {
        return take(resource, epoch, false, null);
    }

    /// Puts the address that goes with the resource on the interface under the lease that is held now. Waits.
    ///
    /// @param giver who drains it, null if nobody does
    Outcome takeAddress(ResourceId resource, long epoch, @Nullable Giver giver) {
        return take(resource, epoch, true, giver);
    }

    private Outcome take(ResourceId resource, long epoch, boolean address, @Nullable Giver giver) {
        Site now = site;
        if (now == null || !now.guarded().containsKey(resource)) {
            return Outcome.Done.withoutFacts();
        }
        Holding holding = holding(resource);
        return await(holding.kernel.submit(() -> {
            Lease lease = keeper().heldNow(resource);
            if (lease == null || lease.epoch() != epoch) {
                return new Outcome.Refused("lease", "the lease of epoch " + epoch + " is not live");
            }
            holding.changes.incrementAndGet();
            LeaseCheck check = keeper().check(resource, epoch);
            Outcome outcome = address
                    ? addresses.take(resource, epoch, lease.deadline(), check, giver)
                    : addresses.open(resource, epoch, lease.deadline(), check);
            if (outcome instanceof Outcome.Done) {
                holding.inKernel = epoch;
                holding.addressUp |= address;
            }
            return outcome;
        }));
    }

    @Override
    public void renewed(Lease lease) {
        Holding holding = holding(lease.resource());
        if (holding.renewal.getAndSet(lease) == null) {
            var _ = holding.kernel.submit(() -> {
                Lease latest = holding.renewal.getAndSet(null);
                if (latest == null || holding.inKernel != latest.epoch()) {
                    return false; // not in the kernel (yet): the take uses the newest deadline
                }
                if (!addresses.renew(latest.resource(), latest.epoch(), latest.deadline())) {
                    keeper().fence(latest.resource(), latest.epoch(), "kernel-element-over");
                }
                return true;
            });
        }
    }

    @Override
    public long beforeLook(ResourceId primary) {
        return holding(primary).changes.get();
    }

    /// Everybody may reach the port of a server that reads only and follows another one. A look that began before
    /// the role was taken or given up here says nothing about afterwards.
    @Override
    public void looked(ResourceId primary, long before, Observation.Database seen) {
        Site now = site;
        if (now == null || !now.guarded().containsKey(primary) || !says(seen)) {
            return;
        }
        Holding holding = holding(primary);
        boolean reads = follows(seen);
        var _ = holding.kernel.submit(() -> addresses.letRead(
                primary,
                reads
                        && holding.changes.get() == before
                        && holding.inKernel == 0
                        && keeper().heldNow(primary) == null));
    }

    /// A server that gave no answer is what it was before.
    private static boolean says(Observation.Database seen) {
        return seen.readOnly() != null || seen.health() == Health.DOWN;
    }

    private static boolean follows(Observation.Database seen) {
        return seen.health() == Health.UP && Boolean.TRUE.equals(seen.readOnly()) && seen.replica() != null;
    }

    @Override
    public void giveUp(ResourceId resource, long epoch, Duration drain, Consumer<Outcome> done) {
        Thread.ofPlatform().name("release " + resource).daemon(true).start(() -> {
            Outcome outcome;
            try {
                outcome = giveUp(resource, epoch, drain);
            } catch (RuntimeException e) {
                LOG.error("event=internal-error during=release resource={}", resource, e);
                outcome = new Outcome.Failed("internal error: " + e);
            }
            done.accept(outcome);
        });
    }

    /// Waits until the kernel follows every renewal that was heard so far, at most for the given time.
    public void drain(Duration atMost) {
        for (Holding holding : holdings.values()) {
            try {
                holding.kernel.submit(() -> true).get(atMost.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (ExecutionException | TimeoutException e) {
                LOG.warn("event=drain-incomplete reason=\"{}\"", e.toString());
            }
        }
    }

    @Override
    public void close() {
        for (Holding holding : holdings.values()) {
            holding.kernel.close();
            holding.commands.close();
        }
    }

    /// The address first, since that is what clients see and it is quick; then the database, whose release keeps a
    /// command that still runs from opening the server again.
    private Outcome giveUp(ResourceId resource, long epoch, Duration drain) {
        Site present = site;
        if (present != null && present.detached().contains(resource)) {
            holding(resource).inKernel = 0;
            return Outcome.Done.withoutFacts(); // left as it is, by order
        }
        if (present != null && present.found().contains(resource)) {
            uncovered.accept(resource);
        }
        Holding holding = holding(resource);
        Outcome address = await(holding.kernel.submit(() -> {
            if (drain.isZero()
                    && holding.inKernel == 0
                    && addresses.draining(resource).isPresent()) {
                return Outcome.Done.withoutFacts(); // given up already: the kernel ends what goes on (S13)
            }
            holding.changes.incrementAndGet();
            holding.inKernel = 0;
            holding.addressUp = false;
            return addresses.release(resource, drain);
        }));
        Site now = site;
        DatabaseControl database = now == null ? null : now.database(resource).orElse(null);
        Outcome fenced;
        if (database != null) {
            holding.commands.interrupt();
            fenced = fence(database, resource, epoch);
        } else if (resource.isPrimary()
                && now != null
                && now.spec().group(resource.group()).orElse(null) instanceof DatabaseGroup) {
            fenced = new Outcome.Failed("agent.yml has no access to the database of group " + resource.group());
        } else {
            fenced = address;
        }
        return address instanceof Outcome.Done ? fenced : address;
    }

    private static Outcome fence(DatabaseControl database, ResourceId resource, long epoch) {
        return database.execute(
                new Command.Release("fence/" + resource + "/" + epoch, resource, epoch, epoch), () -> false);
    }

    private LeaseKeeper keeper() {
        LeaseKeeper known = keeper;
        if (known == null) {
            throw new IllegalStateException("no lease keeper yet");
        }
        return known;
    }

    private Holding holding(ResourceId resource) {
        return holdings.computeIfAbsent(resource, Holding::new);
    }

    private static Outcome await(CompletableFuture<Outcome> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Outcome.Unknown("interrupted");
        } catch (ExecutionException e) {
            LOG.error("event=internal-error", e.getCause());
            return new Outcome.Failed("internal error: " + e.getCause());
        }
    }
}
