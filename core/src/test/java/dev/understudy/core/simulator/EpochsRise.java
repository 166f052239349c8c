package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.ResourceState;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ResourceId;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// In the journal a resource's epoch never falls, and rises with each new holder; no two hosts ever take one epoch,
/// and none takes an epoch below one that another has taken.
final class EpochsRise implements Invariant {

    private record Taken(long epoch, String host) {}

    private final Map<ResourceId, Taken> taken = new TreeMap<>();

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        if (!(entry instanceof ResourceChanged changed)) {
            return;
        }
        ResourceState next = changed.next();
        ResourceState old = before.resources().get(next.id());
        if (old == null) {
            return;
        }
        boolean another = next.holder() != null && !Objects.equals(next.holder(), old.holder());
        if (next.epoch() < old.epoch() || (another && next.epoch() == old.epoch())) {
            throw new Violation(
                    EpochsRise.class,
                    "%s: holder %s epoch %d after holder %s epoch %d"
                            .formatted(next.id(), next.holder(), next.epoch(), old.holder(), old.epoch()));
        }
    }

    @Override
    public void acting(SimHost host, Order order, SimAgent agent) {
        if (!order.command().takesLease()) {
            return;
        }
        ResourceId resource = order.command().resource();
        long epoch = order.command().epoch();
        Taken last = taken.get(resource);
        if (last != null && !last.host.equals(host.name) && epoch <= last.epoch) {
            throw new Violation(
                    EpochsRise.class,
                    "%s takes %s under epoch %d after %s took epoch %d"
                            .formatted(host.name, resource, epoch, last.host, last.epoch));
        }
        if (last == null || epoch > last.epoch) {
            taken.put(resource, new Taken(epoch, host.name));
        }
    }
}
