package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl;
import dev.understudy.agent.command.CommandRunner;
import dev.understudy.agent.command.Holdings;
import dev.understudy.agent.command.Site;
import dev.understudy.agent.lease.Detachments;
import dev.understudy.agent.lease.DurableRecord;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.agent.link.Observations;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// In which resources this host takes part: not in those of which it was detached; and which addresses it found in
/// place before any lease, to be adopted as they are (DESIGN section 12). Thread-safe.
final class Membership implements CommandRunner.Belonging {

    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);
    private static final Duration WAIT = Duration.ofSeconds(5);

    private final String host;
    private final Detachments detachments;
    private final AddressControl addresses;
    private final Holdings holdings;
    private final LeaseKeeper keeper;
    private final Observations observations;
    private final Runnable again;
    private Set<ResourceId> found = Set.of();

    /// @param again makes the present spec hold once more; returns when it does
    Membership(
            String host,
            Detachments detachments,
            AddressControl addresses,
            Holdings holdings,
            LeaseKeeper keeper,
            Observations observations,
            Runnable again) {
        this.host = host;
        this.detachments = detachments;
        this.addresses = addresses;
        this.holdings = holdings;
        this.keeper = keeper;
        this.observations = observations;
        this.again = again;
    }

    Set<ResourceId> detached() {
        return detachments.all();
    }

    /// What of a spec was there before any lease: the address, or a writable server, of a resource that comes to be
    /// guarded now, and that
    /// this host has never held.
    synchronized Set<ResourceId> found(ClusterSpec spec, @Nullable Site before, DurableRecord record) {
        Site plain = new Site(host, spec, Map.of(), Map.of()).with(detached(), Set.of());
        Set<ResourceId> next = new TreeSet<>();
        for (ResourceId resource : plain.mayHold()) {
            boolean known = before != null && before.guarded().containsKey(resource);
            boolean never = record.of(resource).map(e -> e.taken() == 0).orElse(true);
            boolean present =
                    spec.addressOf(resource).map(HostAddresses::present).orElse(false) || isOpenDatabase(resource);
            if (present && keeper.heldNow(resource) == null && (found.contains(resource) || (!known && never))) {
                next.add(resource);
            }
        }
        next.stream().filter(r -> !found.contains(r)).forEach(r -> LOG.info("event=address-found resource={}", r));
        found = Set.copyOf(next);
        return found;
    }

    private boolean isOpenDatabase(ResourceId resource) {
        return resource.isPrimary()
                && observations.latest("database/" + resource.group()).orElse(null)
                        instanceof Observation.Database database
                && Boolean.FALSE.equals(database.readOnly());
    }

    /// Tells where this host stands with each of its resources.
    void tell(Site site) {
        site.concerned()
                .forEach(r -> observations.publish(
                        new Observation.Attachment(r, site.detached().contains(r))));
    }

    /// What was left in its place before a restart stays there.
    void assertDetached(ClusterSpec spec) {
        for (ResourceId resource : detached()) {
            Outcome outcome =
                    addresses.detach(resource, spec.addressOf(resource).orElse(null));
            LOG.info("event=stays-detached resource={} outcome=\"{}\"", resource, outcome.describe());
        }
    }

    /// On disk and told first: from then on nothing that ends the lease takes anything away.
    @Override
    public Outcome detach(ResourceId resource, long epoch) {
        Site site = holdings.site();
        if (site == null) {
            return new Outcome.Refused("busy", "no cluster spec yet");
        }
        try {
            detachments.set(resource, true);
        } catch (IOException e) {
            return new Outcome.Failed("cannot be written down: " + e.getMessage());
        }
        letReplicasIn(site, resource, epoch);
        Site without = site.with(detached(), site.found());
        holdings.site(without);
        tell(without);
        Outcome outcome =
                addresses.detach(resource, site.spec().addressOf(resource).orElse(null));
        if (!(outcome instanceof Outcome.Done)) {
            return outcome;
        }
        Lease lease = keeper.heldNow(resource);
        if (lease != null) {
            CompletableFuture<Void> released = new CompletableFuture<>();
            keeper.release(resource, Math.max(epoch, lease.epoch()), "detached", _ -> released.complete(null));
            await(released);
        }
        again.run();
        LOG.info("event=detached resource={}", resource);
        return outcome;
    }

    /// Nobody would let them in later.
    private static void letReplicasIn(Site site, ResourceId resource, long epoch) {
        site.database(resource).ifPresent(database -> {
            Outcome opened = database.execute(new Command.Detach("detach/" + resource, resource, epoch), () -> false);
            LOG.info("event=replicas-let-in resource={} outcome=\"{}\"", resource, opened.describe());
        });
    }

    @Override
    public Outcome attach(ResourceId resource) {
        Site site = holdings.site();
        if (site == null) {
            return new Outcome.Refused("busy", "no cluster spec yet");
        }
        try {
            detachments.set(resource, false);
        } catch (IOException e) {
            return new Outcome.Failed("cannot be written down: " + e.getMessage());
        }
        synchronized (this) {
            Set<ResourceId> next = new TreeSet<>(found);
            next.add(resource); // if it is there it is adopted as it is
            found = Set.copyOf(next);
        }
        again.run();
        LOG.info("event=attached resource={}", resource);
        return Outcome.Done.withoutFacts();
    }

    @Override
    public void adopt(ResourceId resource, boolean stays) {
        synchronized (this) {
            if (!found.contains(resource)) {
                return;
            }
            Set<ResourceId> next = new TreeSet<>(found);
            next.remove(resource);
            found = Set.copyOf(next);
        }
        if (stays) {
            addresses.keep(resource);
        }
        LOG.info("event=address-adopted-as-found resource={} stays={}", resource, stays);
        again.run();
    }

    private static void await(CompletableFuture<Void> done) {
        try {
            done.get(WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("event=wait-over reason=\"{}\"", e.toString());
        }
    }
}
