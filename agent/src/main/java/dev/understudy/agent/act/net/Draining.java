package dev.understudy.agent.act.net;

import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The addresses that this host drains (S13): it gave them up in a planned move, and connections that were
/// established go on here until they end or the kernel ends it. Draining is not holding: the live elements are gone
/// in the transaction that begins it, it is never renewed, nobody's question for the address is answered, and no new
/// connection passes. The address stays on its interface with a lifetime that ends a second later.
///
/// Not thread-safe; [KernelAddressControl] calls it under its lock.
final class Draining {

    private static final Logger LOG = LoggerFactory.getLogger(Draining.class);
    private static final Duration SHORTEST = Duration.ofSeconds(1);

    private final GateKeeper keeper;
    private final Rtnetlink links;
    private final Supplier<Moment> clock;
    private final Map<ResourceId, Drain> drains = new TreeMap<>();

    /// @param giver null where an earlier life of this agent began it
    private record Drain(
            GuardedAddress address,
            GateTarget.Address target,
            Moment end,
            @Nullable Giver giver) {}

    Draining(GateKeeper keeper, Rtnetlink links, Supplier<Moment> clock) {
        this.keeper = keeper;
        this.links = links;
        this.clock = clock;
    }

    /// Begins to drain what is held now.
    ///
    /// @param virtual every virtual address of this host: none of them is its own
    /// @return Done with the facts of [Giver]; otherwise why not, and nothing was changed: it is given up as ever
    Outcome begin(ResourceId resource, Guarded guard, Duration length, List<InetAddress> virtual) {
        GuardedAddress address = guard.address();
        if (address == null || !guard.spec().drains()) {
            return cannot("no draining is configured");
        }
        if (!keeper.stands() || !keeper.drains()) {
            return cannot(keeper.stands() ? keeper.drainDetail() : "the gate does not stand");
        }
        if (length.compareTo(SHORTEST) < 0) {
            return cannot("less than a second");
        }
        GateTarget.Address target = new GateTarget.Address(address.address(), true);
        try {
            Optional<Rtnetlink.Link> link = address.link();
            Optional<InetAddress> own = link.isEmpty()
                    ? Optional.empty()
                    : OwnAddress.of(links.addresses(link.get().index()), address.address(), virtual);
            if (link.isEmpty() || own.isEmpty()) {
                return cannot(
                        "no address of this host's own on " + address.spec().networkInterface());
            }
            Moment end = clock.get().plus(length);
            if (!keeper.gate().drain(target, own.get(), resource.toString(), end)) {
                return cannot("the lease was over");
            }
            Giver giver = new Giver(
                    own.get().getHostAddress().replaceAll("%.*", ""), link.get().macText(), length.toMillis());
            drains.put(resource, new Drain(address, target, end, giver));
            address.put(length.toSeconds() + 1);
            LOG.info("event=draining resource={} at={} millis={}", resource, giver.address(), giver.millis());
            return new Outcome.Done(giver.facts());
        } catch (IOException e) {
            return cannot(e.getMessage());
        }
    }

    /// What was said when the drain that goes on began, for an act that is repeated.
    Optional<Outcome> again(ResourceId resource) {
        Drain drain = drains.get(resource);
        return drain == null || drain.giver() == null
                ? Optional.empty()
                : Optional.of(new Outcome.Done(drain.giver().facts()));
    }

    private static Outcome cannot(@Nullable String reason) {
        return new Outcome.Refused("drain", String.valueOf(reason));
    }

    /// What was drained when this agent was started goes on to its end; it is never begun anew.
    ///
    /// @return whether the address is there for that
    boolean adopt(ResourceId resource, Guarded guard) throws IOException {
        GuardedAddress address = guard.address();
        if (drains.containsKey(resource)) {
            return true;
        }
        if (address == null || !guard.spec().drains() || !keeper.stands() || !keeper.drains()) {
            return false;
        }
        GateTarget.Address target = new GateTarget.Address(address.address(), true);
        Optional<Duration> left = keeper.gate().drained(target);
        left.ifPresent(l -> {
            drains.put(resource, new Drain(address, target, clock.get().plus(l), null));
            LOG.info("event=draining-still resource={} left_ms={}", resource, l.toMillis());
        });
        return left.isPresent();
    }

    /// What is left of it, empty unless the resource is drained here; zero while it is being taken away.
    Optional<Duration> left(ResourceId resource) {
        Drain drain = drains.get(resource);
        if (drain == null) {
            return Optional.empty();
        }
        Duration left = drain.end().since(clock.get());
        return Optional.of(left.isPositive() ? left : Duration.ZERO);
    }

    /// Ends it before the resource is held here again: the address stays in its place.
    void endForHolding(ResourceId resource) throws IOException {
        Drain drain = drains.get(resource);
        if (drain != null) {
            keeper.gate().endDrain(drain.target());
            drains.remove(resource);
            LOG.info("event=drain-ended resource={} because=held-again", resource);
        }
    }

    /// Ends it and removes the address.
    void end(ResourceId resource, String because) throws IOException {
        Drain drain = drains.get(resource);
        if (drain == null) {
            return;
        }
        try {
            if (keeper.stands()) {
                keeper.gate().endDrain(drain.target());
            }
        } finally {
            drain.address().remove();
        }
        drains.remove(resource);
        LOG.info("event=drain-ended resource={} because={}", resource, because);
    }

    /// Ends those whose time is over, and those that are not guarded any more as they were.
    void sweep(Map<ResourceId, Guarded> guarded) {
        for (Map.Entry<ResourceId, Drain> entry : List.copyOf(drains.entrySet())) {
            Guarded guard = guarded.get(entry.getKey());
            Drain drain = entry.getValue();
            boolean same = guard != null
                    && guard.spec().drains()
                    && drain.address().spec().equals(guard.spec().address());
            if (!same || !clock.get().isBefore(drain.end())) {
                endQuietly(entry.getKey(), same ? "time-over" : "no-longer-guarded");
            }
        }
    }

    /// The gate was put up anew, without what was drained.
    void lost() {
        List.copyOf(drains.keySet()).forEach(resource -> endQuietly(resource, "gate-lost"));
    }

    private void endQuietly(ResourceId resource, String because) {
        try {
            end(resource, because);
        } catch (IOException e) {
            LOG.warn("event=drain-not-ended resource={} reason=\"{}\"", resource, e.getMessage());
        }
    }
}
