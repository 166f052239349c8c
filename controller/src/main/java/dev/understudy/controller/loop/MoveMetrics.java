package dev.understudy.controller.loop;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.metrics.Metrics;
import dev.understudy.wire.metrics.Metrics.Level;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/// Moves of resources: how they ended, how long they took, and how long each of their phases. A move that another
/// leader began is counted and not timed. Confined to the loop's thread.
final class MoveMetrics {

    private enum Outcome {
        /// the resource has a holder as it was meant
        DONE,
        /// it is where it was, or nobody has it
        UNDONE
    }

    private final Metrics metrics;
    private final Map<ResourceId, ResourceState> last = new HashMap<>();
    private final Map<ResourceId, Moment> began = new HashMap<>();
    private final Map<ResourceId, Moment> entered = new HashMap<>();

    MoveMetrics(Metrics metrics) {
        this.metrics = metrics;
    }

    /// All series from the start, so that the first move is a rise and not a new series.
    void know(ResourceState resource) {
        if (last.putIfAbsent(resource.id(), resource) != null) {
            return;
        }
        for (Plan.Kind kind : Plan.Kind.values()) {
            for (Outcome outcome : Outcome.values()) {
                ended(resource.id(), kind, outcome);
            }
            took(resource.id(), kind);
        }
        for (String phase : phases(resource)) {
            phase(resource.id(), phase);
        }
        lastTook(resource.id());
    }

    /// @param at when it was on disk
    void entry(JournalEntry entry, Moment at) {
        if (entry instanceof JournalEntry.ResourceChanged changed) {
            ResourceState next = changed.next();
            know(next);
            ResourceState before = last.put(next.id(), next);
            if (before != null) {
                changed(before, next, at);
            }
        }
    }

    private void changed(ResourceState before, ResourceState next, Moment at) {
        ResourceId id = next.id();
        if (!before.phaseName().equals(next.phaseName())) {
            Moment since = entered.put(id, at);
            if (since != null && !before.steady() && before.plan() != null) {
                phase(id, before.phaseName()).record(at.since(since));
            }
        }
        Plan plan = before.plan();
        if (plan == null && next.plan() != null) {
            began.put(id, at);
        }
        if (plan != null && next.plan() == null) {
            ended(id, plan.kind(), outcome(plan, next)).increment();
            Moment begin = began.remove(id);
            if (begin != null) {
                Duration length = at.since(begin);
                took(id, plan.kind()).record(length);
                lastTook(id).set(length.toMillis() / 1e3);
            }
        }
    }

    private static Outcome outcome(Plan plan, ResourceState next) {
        boolean elsewhere = !Objects.equals(next.holder(), plan.from());
        return next.steady() && (elsewhere || plan.kind() == Plan.Kind.RESTART) ? Outcome.DONE : Outcome.UNDONE;
    }

    private Metrics.Count ended(ResourceId id, Plan.Kind kind, Outcome outcome) {
        return metrics.counter(
                "understudy_failovers_total",
                "Moves that have ended, by why they were made and how they ended.",
                "resource",
                id.toString(),
                "kind",
                lower(kind),
                "outcome",
                lower(outcome));
    }

    private Metrics.Stopwatch took(ResourceId id, Plan.Kind kind) {
        return metrics.timer(
                "understudy_failover_seconds",
                "How long moves took, from their first entry in the journal to their last.",
                "resource",
                id.toString(),
                "kind",
                lower(kind));
    }

    private Metrics.Stopwatch phase(ResourceId id, String phase) {
        return metrics.timer(
                "understudy_failover_phase_seconds",
                "How long the phases of moves took.",
                "resource",
                id.toString(),
                "phase",
                phase);
    }

    private Level lastTook(ResourceId id) {
        return metrics.level(
                "understudy_failover_last_seconds",
                "How long the last move took; 0 for none since this controller was started.",
                "resource",
                id.toString());
    }

    private static List<String> phases(ResourceState resource) {
        return switch (resource) {
            case AddressState _ -> names(AddressPhase.values());
            case PrimaryState _ -> names(PrimaryPhase.values());
        };
    }

    private static List<String> names(Enum<?>[] values) {
        return Arrays.stream(values)
                .map(Enum::name)
                .filter(name -> !name.equals(AddressPhase.HELD.name()))
                .toList();
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
