package dev.understudy.core.plan;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.LongLease;
import dev.understudy.core.ResourceState;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Leases for planned restarts: journaled before they are granted, ordinary again when the restart is over, and
/// remembered, for the leaders to come too, until the last long one has ended for certain (S9).
public final class LongLeases {

    /// The longest lease that a planned restart gets.
    public static final Duration LONGEST = Duration.ofSeconds(30);

    private LongLeases() {}

    /// The controller is to be restarted: every holder's lease outlives it.
    public static void begin(Turn turn) {
        resources(turn).forEach(r -> begin(turn, r, LONGEST.toMillis()));
    }

    /// The agent of that host is to be restarted, within so many milliseconds.
    public static void begin(Turn turn, String host, long millis) {
        long length = Math.clamp(millis, 0, LONGEST.toMillis());
        resources(turn).stream().filter(r -> host.equals(r.holder())).forEach(r -> begin(turn, r, length));
    }

    /// In an order that is the same in every run: what is decided depends on nothing else than the input.
    private static List<ResourceState> resources(Turn turn) {
        return turn.state().journaled().resources().values().stream()
                .sorted(Comparator.comparing(ResourceState::id))
                .toList();
    }

    private static void begin(Turn turn, ResourceState resource, long millis) {
        if (resource.steady() && millis > 0) {
            String text = "planned restart: the lease of " + resource.holder() + " is " + millis + " ms long meanwhile";
            record(turn, resource, new LongLease(millis, false), text);
        }
    }

    /// The restart is over: the host's agent speaks again, or speaks with a new leader.
    public static void restarted(Turn turn, String host) {
        for (ResourceState resource : resources(turn)) {
            LongLease lease = turn.state().journaled().longLeases().get(resource.id());
            if (host.equals(resource.holder()) && lease != null && !lease.restartOver()) {
                String text = "the planned restart is over: leases of " + host + " have their ordinary length again";
                record(turn, resource, new LongLease(lease.millis(), true), text);
            }
        }
    }

    public static void forgetLapsed(Turn turn) {
        for (ResourceState resource : resources(turn)) {
            LongLease lease = turn.state().journaled().longLeases().get(resource.id());
            if (lease != null
                    && lease.restartOver()
                    && turn.state()
                            .leases()
                            .longLeaseOver(resource.id(), turn.now().mono())) {
                record(turn, resource, null, "the longer lease is over");
            }
        }
    }

    private static void record(Turn turn, ResourceState resource, @Nullable LongLease next, String text) {
        turn.record(new JournalEntry.LeaseExtended(
                resource.id(), resource.epoch(), next, turn.event(resource, resource, "", "", text, List.of())));
    }
}
