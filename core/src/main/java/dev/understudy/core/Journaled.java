package dev.understudy.core;

import dev.understudy.core.JournalEntry.CircleChanged;
import dev.understudy.core.JournalEntry.LeaseExtended;
import dev.understudy.core.JournalEntry.Noted;
import dev.understudy.core.JournalEntry.Noticed;
import dev.understudy.core.JournalEntry.Operated;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.JournalEntry.SpecApplied;
import dev.understudy.core.JournalEntry.Vouched;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.notice.Notices;
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
/// @param longLeases resources whose holder was given a longer lease for a planned restart
/// @param circles on whose consent each holder may live; absent: on nobody's
/// @param operations what operators have said that stays in force
/// @param told what people have been told and are to be told; null from a controller that told nobody
public record Journaled(
        long entries,
        long specVersion,
        @Nullable ClusterSpec spec,
        String specText,
        Map<ResourceId, ResourceState> resources,
        Map<ResourceId, LongLease> longLeases,
        Map<ResourceId, Consenting> circles,
        Operations operations,
        List<Event> events,
        @Nullable Notices told) {

    /// How many events are kept.
    public static final int MAX_EVENTS = 1000;

    public Journaled {
        resources = Map.copyOf(resources);
        longLeases = Map.copyOf(longLeases);
        circles = Map.copyOf(circles);
        events = List.copyOf(events);
    }

    /// Whoever uses this puts what people are told back ([#apply]).
    private Journaled(
            long entries,
            long specVersion,
            @Nullable ClusterSpec spec,
            String specText,
            Map<ResourceId, ResourceState> resources,
            Map<ResourceId, LongLease> longLeases,
            Map<ResourceId, Consenting> circles,
            Operations operations,
            List<Event> events) {
        this(entries, specVersion, spec, specText, resources, longLeases, circles, operations, events, null);
    }

    public static Journaled empty() {
        return new Journaled(0, 0, null, "", Map.of(), Map.of(), Map.of(), Operations.NONE, List.of());
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
        Notices next = entry instanceof Noticed noticed
                ? notices().after(noticed.change(), noticed.event().at())
                : told;
        return applied(entry).telling(next);
    }

    public Notices notices() {
        return told == null ? Notices.NONE : told;
    }

    private Journaled telling(@Nullable Notices next) {
        return new Journaled(
                entries, specVersion, spec, specText, resources, longLeases, circles, operations, events, next);
    }

    private Journaled applied(JournalEntry entry) {
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
                        longLeases,
                        circles,
                        operations,
                        nextEvents);
            case ResourceChanged changed -> {
                Map<ResourceId, ResourceState> next = new TreeMap<>(resources);
                ResourceState before = next.put(changed.next().id(), changed.next());
                // a longer lease was given to that holder under that epoch, to nobody else
                Map<ResourceId, LongLease> stillLong = new TreeMap<>(longLeases);
                Map<ResourceId, Consenting> stillCircles = new TreeMap<>(circles);
                if (before == null || before.epoch() != changed.next().epoch()) {
                    stillLong.remove(changed.next().id());
                    stillCircles.remove(changed.next().id());
                }
                yield new Journaled(
                        entries + 1,
                        specVersion,
                        spec,
                        specText,
                        next,
                        stillLong,
                        stillCircles,
                        operations.afterChange(
                                before, changed.next(), changed.event().at()),
                        nextEvents);
            }
            case LeaseExtended lease -> {
                Map<ResourceId, LongLease> next = new TreeMap<>(longLeases);
                if (lease.next() == null) {
                    next.remove(lease.resource());
                } else {
                    next.put(lease.resource(), lease.next());
                }
                yield new Journaled(
                        entries + 1, specVersion, spec, specText, resources, next, circles, operations, nextEvents);
            }
            case CircleChanged changed -> {
                Map<ResourceId, Consenting> next = new TreeMap<>(circles);
                next.put(changed.resource(), changed.next());
                yield new Journaled(
                        entries + 1, specVersion, spec, specText, resources, longLeases, next, operations, nextEvents);
            }
            case Vouched vouched -> operating(operations.vouching(vouched.resource(), vouched.epoch()), nextEvents);
            case Operated operated -> operating(operated.next(), nextEvents);
            case Noted _, Noticed _ -> operating(operations, nextEvents);
        };
    }

    /// The circle of the resource's present epoch; empty if its holder lives on nobody's consent.
    public Optional<Consenting> circle(ResourceState resource) {
        return Optional.ofNullable(circles.get(resource.id())).filter(c -> c.epoch() == resource.epoch());
    }

    private Journaled operating(Operations next, List<Event> nextEvents) {
        return new Journaled(
                entries + 1, specVersion, spec, specText, resources, longLeases, circles, next, nextEvents);
    }

    /// By resource, the highest epoch of which an operator vouched that its holder is off: as good as released.
    public Map<ResourceId, Long> vouched() {
        return operations.vouched();
    }

    /// The same state with other events.
    public Journaled withEvents(List<Event> others) {
        return new Journaled(
                entries, specVersion, spec, specText, resources, longLeases, circles, operations, others, told);
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
                ? new PrimaryState(
                        id,
                        PrimaryPhase.VACANT,
                        null,
                        0,
                        null,
                        List.of(),
                        List.of(),
                        false,
                        "",
                        Map.of(),
                        Map.of(),
                        null)
                : new AddressState(id, AddressPhase.VACANT, null, 0, null);
    }
}
