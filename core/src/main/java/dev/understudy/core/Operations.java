package dev.understudy.core;

import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// What operators have said that stays in force, and what must be remembered of the recent past. Journaled. Times
/// are wall-clock times, since they must mean the same after a restart of the controller.
///
/// @param vouched by resource, the highest epoch whose holder an operator vouched to be off
/// @param pauses by group; one whose end has passed counts as over before its entry is taken out
/// @param maintenance by host; likewise
/// @param failovers by resource, completed automatic moves, oldest first, at most [#MAX_FAILOVERS]
/// @param restarts by resource, when its service was ordered to be started again where it died, oldest first
/// @param detached groups that were detached: as in mode observe until they are attached again
/// @param attaching groups that are being attached again: as in mode observe until every agent has done so
/// @param rebuilds by group, the member whose data are being replaced by a copy; null from a controller that could not
public record Operations(
        Map<ResourceId, Long> vouched,
        Map<String, Pause> pauses,
        Map<String, Maintenance> maintenance,
        Map<ResourceId, List<Failover>> failovers,
        Map<ResourceId, List<Restart>> restarts,
        Set<String> detached,
        Set<String> attaching,
        @Nullable Map<String, Rebuild> rebuilds) {

    /// How many completed failovers of one resource are remembered.
    public static final int MAX_FAILOVERS = 16;

    public static final Operations NONE =
            new Operations(Map.of(), Map.of(), Map.of(), Map.of(), Map.of(), Set.of(), Set.of(), null);

    public Operations {
        vouched = Map.copyOf(vouched);
        pauses = Map.copyOf(pauses);
        maintenance = Map.copyOf(maintenance);
        failovers = Map.copyOf(failovers);
        restarts = Map.copyOf(restarts);
        detached = Set.copyOf(detached);
        attaching = Set.copyOf(attaching);
        rebuilds = rebuilds == null || rebuilds.isEmpty() ? null : Map.copyOf(rebuilds);
    }

    public Optional<Rebuild> rebuild(String group) {
        return rebuilds == null ? Optional.empty() : Optional.ofNullable(rebuilds.get(group));
    }

    /// Whether that member of the group is being rebuilt.
    public boolean isRebuilt(String group, String host) {
        return rebuild(group).filter(r -> r.host().equals(host)).isPresent();
    }

    /// @param rebuild null: none any more
    public Operations rebuilding(String group, @Nullable Rebuild rebuild) {
        Map<String, Rebuild> next = new TreeMap<>(rebuilds == null ? Map.of() : rebuilds);
        change(next, group, rebuild);
        return new Operations(vouched, pauses, maintenance, failovers, restarts, detached, attaching, next);
    }

    /// Nothing is moved by itself until then.
    public record Pause(Instant until, String by, String reason) {
        public String describe() {
            return "paused until " + until + " by " + by + because(reason);
        }
    }

    /// The host is left to its operator.
    ///
    /// @param until null: until it is said to be over
    public record Maintenance(@Nullable Instant until, String by, String reason) {
        public String describe() {
            return "in maintenance" + (until == null ? "" : " until " + until) + " by " + by + because(reason);
        }
    }

    /// A completed automatic move.
    ///
    /// @param from who failed
    /// @param to who took over
    public record Failover(Instant at, String from, String to, String cause) {}

    /// An order to start a service again where it died.
    ///
    /// @param epoch the resource's epoch then: one order for each
    public record Restart(Instant at, String host, long epoch) {}

    private static String because(String reason) {
        return reason.isEmpty() ? "" : " because " + reason;
    }

    public Optional<Pause> pause(String group, Instant now) {
        return Optional.ofNullable(pauses.get(group)).filter(p -> now.isBefore(p.until()));
    }

    public Optional<Maintenance> maintenance(String host, Instant now) {
        return Optional.ofNullable(maintenance.get(host)).filter(m -> {
            Instant until = m.until();
            return until == null || now.isBefore(until);
        });
    }

    /// The completed failovers of a resource within the window, oldest first.
    public List<Failover> failoversSince(ResourceId resource, Instant since) {
        return failovers.getOrDefault(resource, List.of()).stream()
                .filter(f -> f.at().isAfter(since))
                .toList();
    }

    public Operations vouching(ResourceId resource, long epoch) {
        Map<ResourceId, Long> next = new TreeMap<>(vouched);
        next.merge(resource, epoch, Math::max);
        return new Operations(next, pauses, maintenance, failovers, restarts, detached, attaching, rebuilds);
    }

    public Operations pausing(Iterable<String> groups, @Nullable Pause pause) {
        Map<String, Pause> next = new TreeMap<>(pauses);
        groups.forEach(group -> change(next, group, pause));
        return new Operations(vouched, next, maintenance, failovers, restarts, detached, attaching, rebuilds);
    }

    public Operations maintaining(String host, @Nullable Maintenance work) {
        Map<String, Maintenance> next = new TreeMap<>(maintenance);
        change(next, host, work);
        return new Operations(vouched, pauses, next, failovers, restarts, detached, attaching, rebuilds);
    }

    /// The group's agents are being told to leave everything as it is.
    public Operations detaching(String group) {
        return attachment(with(detached, group), without(attaching, group));
    }

    /// The group's agents are being told to take part again.
    public Operations attaching(String group) {
        return attachment(without(detached, group), with(attaching, group));
    }

    /// The group takes part again, in its mode.
    public Operations attached(String group) {
        return attachment(without(detached, group), without(attaching, group));
    }

    private Operations attachment(Set<String> out, Set<String> onItsWay) {
        return new Operations(vouched, pauses, maintenance, failovers, restarts, out, onItsWay, rebuilds);
    }

    public Operations restarting(ResourceId resource, Restart restart, Duration window) {
        List<Restart> list = new ArrayList<>(restarts.getOrDefault(resource, List.of()));
        list.removeIf(r -> !r.at().isAfter(restart.at().minus(window)));
        list.add(restart);
        Map<ResourceId, List<Restart>> next = new TreeMap<>(restarts);
        next.put(resource, List.copyOf(list));
        return new Operations(vouched, pauses, maintenance, failovers, next, detached, attaching, rebuilds);
    }

    /// Orders to start the resource's service again on the host within the window, oldest first.
    public List<Restart> restartsSince(ResourceId resource, String host, Instant since) {
        return restarts.getOrDefault(resource, List.of()).stream()
                .filter(r -> r.host().equals(host) && r.at().isAfter(since))
                .toList();
    }

    /// Remembers a move that has just been completed, if it was automatic and went from one host to another. A plan
    /// that has not ended well leaves nothing: it starts no cooldown.
    Operations afterChange(@Nullable ResourceState before, ResourceState after, Instant at) {
        Plan plan = before == null ? null : before.plan();
        String from = plan == null ? null : plan.from();
        String to = after.holder();
        if (plan == null
                || plan.kind() != Plan.Kind.FAILOVER
                || after.plan() != null
                || !after.steady()
                || from == null
                || to == null
                || from.equals(to)) {
            return this;
        }
        List<Failover> list = new ArrayList<>(failovers.getOrDefault(after.id(), List.of()));
        list.add(new Failover(at, from, to, plan.cause()));
        Map<ResourceId, List<Failover>> next = new TreeMap<>(failovers);
        next.put(after.id(), List.copyOf(list.subList(Math.max(0, list.size() - MAX_FAILOVERS), list.size())));
        return new Operations(vouched, pauses, maintenance, next, restarts, detached, attaching, rebuilds);
    }

    private static Set<String> with(Set<String> set, String member) {
        Set<String> next = new TreeSet<>(set);
        next.add(member);
        return next;
    }

    private static Set<String> without(Set<String> set, String member) {
        Set<String> next = new TreeSet<>(set);
        next.remove(member);
        return next;
    }

    private static <V> void change(Map<String, V> map, String key, @Nullable V value) {
        if (value == null) {
            map.remove(key);
        } else {
            map.put(key, value);
        }
    }
}
