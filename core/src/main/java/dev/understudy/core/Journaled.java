package dev.understudy.core;

import dev.understudy.core.JournalEntry.LeaseExtended;
import dev.understudy.core.JournalEntry.Noted;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.JournalEntry.SpecApplied;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The replicated state: the same on every controller, and after every restart. Immutable; changed by entries only.
///
/// @param entries how many entries have been applied
/// @param specVersion 0 while there is no specification
/// @param events the latest [#MAX_EVENTS], oldest first
/// @param extended resources whose holder was given a longer lease for a planned restart, with its length in
/// milliseconds
public record Journaled(
        long entries,
        long specVersion,
        @Nullable ClusterSpec spec,
        String specText,
        Map<ResourceId, ResourceState> resources,
        Map<ResourceId, Long> extended,
        List<Event> events) {

    /// How many events are kept.
    public static final int MAX_EVENTS = 1000;

    public Journaled {
        resources = Map.copyOf(resources);
        extended = Map.copyOf(extended);
        events = List.copyOf(events);
    }

    public static Journaled empty() {
        return new Journaled(0, 0, null, "", Map.of(), Map.of(), List.of());
    }

    public Optional<ClusterSpec> currentSpec() {
        return Optional.ofNullable(spec);
    }

    /// The number of the next event; rises for ever.
    public long nextEvent() {
        return events.isEmpty() ? 1 : Long.parseLong(events.getLast().id().substring(1)) + 1;
    }

    /// Pure and total: every replica gets the same state from the same entries.
    public Journaled apply(JournalEntry entry) {
        List<Event> nextEvents = new ArrayList<>(events);
        nextEvents.add(entry.event());
        if (nextEvents.size() > MAX_EVENTS) {
            nextEvents.subList(0, nextEvents.size() - MAX_EVENTS).clear();
        }
        return switch (entry) {
            case SpecApplied applied ->
                new Journaled(
                        entries + 1,
                        applied.version(),
                        applied.spec(),
                        applied.text(),
                        resourcesOf(applied.spec()),
                        extended,
                        nextEvents);
            case ResourceChanged changed -> {
                Map<ResourceId, ResourceState> next = new TreeMap<>(resources);
                ResourceState before = next.put(changed.next().id(), changed.next());
                // a longer lease was given to that holder under that epoch, to nobody else
                Map<ResourceId, Long> stillExtended = new TreeMap<>(extended);
                if (before == null || before.epoch() != changed.next().epoch()) {
                    stillExtended.remove(changed.next().id());
                }
                yield new Journaled(entries + 1, specVersion, spec, specText, next, stillExtended, nextEvents);
            }
            case LeaseExtended lease -> {
                Map<ResourceId, Long> next = new TreeMap<>(extended);
                if (lease.millis() == 0) {
                    next.remove(lease.resource());
                } else {
                    next.put(lease.resource(), lease.millis());
                }
                yield new Journaled(entries + 1, specVersion, spec, specText, resources, next, nextEvents);
            }
            case Noted _ -> new Journaled(entries + 1, specVersion, spec, specText, resources, extended, nextEvents);
        };
    }

    private Map<ResourceId, ResourceState> resourcesOf(ClusterSpec next) {
        Map<ResourceId, ResourceState> states = new TreeMap<>();
        for (ResourceId id : next.resources()) {
            ResourceState known = resources.get(id);
            states.put(id, known != null ? known : vacant(id));
        }
        return states;
    }

    private static ResourceState vacant(ResourceId id) {
        return id.name().equals(ResourceId.PRIMARY)
                ? new PrimaryState(id, PrimaryPhase.VACANT, null, 0, null, List.of(), List.of(), false, "")
                : new AddressState(id, AddressPhase.VACANT, null, 0, null);
    }
}
