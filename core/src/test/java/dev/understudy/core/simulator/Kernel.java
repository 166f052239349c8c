package dev.understudy.core.simulator;

import dev.understudy.protocol.Moment;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A host's kernel gate: a virtual address, or a database's port and its writer address, is reachable exactly while
/// its element is live. It goes on while processes are frozen or gone, and loses everything with the power.
/// Deadlines are absolute (S10).
final class Kernel {

    /// @param epoch what the element's comment says
    record Element(long epoch, Moment deadline) {}

    private final Machine machine;
    private final boolean revives;
    private final Map<ResourceId, Element> elements = new TreeMap<>();

    /// @param revives for a mutation: an extension also works on an element that has ended
    Kernel(Machine machine, boolean revives) {
        this.machine = machine;
        this.revives = revives;
    }

    boolean live(ResourceId resource) {
        return element(resource) != null;
    }

    /// The live element, null for none.
    @Nullable
    Element element(ResourceId resource) {
        Element element = elements.get(resource);
        return element != null && machine.on() && machine.now().isBefore(element.deadline) ? element : null;
    }

    /// Makes the element; false when its deadline is over already.
    boolean open(ResourceId resource, long epoch, Moment deadline) {
        elements.put(resource, new Element(epoch, deadline));
        return live(resource);
    }

    /// Extends a live element of that epoch; false when there is none.
    boolean extend(ResourceId resource, long epoch, Moment deadline) {
        Element element = revives ? elements.get(resource) : element(resource);
        if (element == null || element.epoch != epoch) {
            return false;
        }
        elements.put(resource, new Element(epoch, element.deadline.latest(deadline)));
        return true;
    }

    void remove(ResourceId resource) {
        elements.remove(resource);
    }

    /// What is left of the element of that epoch.
    Optional<Duration> remaining(ResourceId resource, long epoch) {
        Element element = element(resource);
        return element == null || element.epoch != epoch
                ? Optional.empty()
                : Optional.of(element.deadline.since(machine.now()));
    }

    void powerLost() {
        elements.clear();
    }
}
