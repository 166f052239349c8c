package dev.understudy.agent.command;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.lease.HolderActs;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this host does to hold a resource and to give it up. Each resource has two lanes: everything that touches
/// its address in the kernel happens on one, in order, and never waits for a database; its commands run on the
/// other. Thread-safe.
public final class Holdings implements HolderActs, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Holdings.class);

    private final AddressControl addresses;
    private final Map<ResourceId, Holding> holdings = new ConcurrentHashMap<>();
    private volatile @Nullable Site site;
    private volatile @Nullable LeaseKeeper keeper;

    /// One resource. `inKernel` is the epoch whose element this agent put into the kernel, 0 for none; changed on
    /// the kernel lane.
    private static final class Holding {
        final Lane kernel;
        final Lane commands;
        final AtomicReference<Lease> renewal = new AtomicReference<>();
        volatile long inKernel;

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

    public void site(Site now) {
        site = now;
    }

    public @Nullable Site site() {
        return site;
    }

    Lane commands(ResourceId resource) {
        return holding(resource).commands;
    }

    /// The kernel's element of a restarted agent was found alive (S9).
    public void adopted(ResourceId resource, long epoch) {
        holding(resource).inKernel = epoch;
    }

    /// Whether the address that goes with the resource is up under this epoch; true if none goes with it.
    public boolean addressUp(ResourceId resource, long epoch) {
        Site now = site;
        return now != null && (!now.guarded().containsKey(resource) || holding(resource).inKernel == epoch);
    }

    /// Puts the address that goes with the resource on the interface under the lease that is held now. Waits.
    Outcome takeAddress(ResourceId resource, long epoch) {
        Site now = site;
        if (now == null || !now.guarded().containsKey(resource)) {
            return Outcome.Done.withoutFacts(); // a primary without a writer address
        }
        Holding holding = holding(resource);
        return await(holding.kernel.submit(() -> {
            Lease lease = keeper().heldNow(resource);
            if (lease == null || lease.epoch() != epoch) {
                return new Outcome.Refused("lease", "the lease of epoch " + epoch + " is not live");
            }
            Outcome outcome = addresses.take(resource, epoch, lease.deadline(), keeper().check(resource, epoch));
            if (outcome instanceof Outcome.Done) {
                holding.inKernel = epoch;
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
    public void giveUp(ResourceId resource, long epoch, Consumer<Outcome> done) {
        Thread.ofPlatform().name("release " + resource).daemon(true).start(() -> {
            Outcome outcome;
            try {
                outcome = giveUp(resource, epoch);
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
    private Outcome giveUp(ResourceId resource, long epoch) {
        Holding holding = holding(resource);
        Outcome address = await(holding.kernel.submit(() -> {
            holding.inKernel = 0;
            return addresses.release(resource);
        }));
        Site now = site;
        DatabaseControl database = now == null ? null : now.database(resource).orElse(null);
        Outcome fenced;
        if (database != null) {
            holding.commands.interrupt();
            fenced = fence(database, resource, epoch);
        } else if (now != null && now.spec().group(resource.group()).orElse(null) instanceof DatabaseGroup) {
            fenced = new Outcome.Failed("agent.yml has no access to the database of group " + resource.group());
        } else {
            fenced = Outcome.Done.withoutFacts();
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
