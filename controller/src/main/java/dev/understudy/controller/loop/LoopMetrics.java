package dev.understudy.controller.loop;

import dev.understudy.core.HostView;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State;
import dev.understudy.core.clock.ClockRate;
import dev.understudy.core.policy.AddressPolicy;
import dev.understudy.core.policy.MemberPolicy;
import dev.understudy.core.policy.PrimaryPolicy;
import dev.understudy.core.policy.RebuildPolicy;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.metrics.Metrics;
import dev.understudy.wire.metrics.Metrics.Count;
import dev.understudy.wire.metrics.Metrics.Level;
import dev.understudy.wire.metrics.Metrics.Stopwatch;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntSupplier;

/// What the loop counts. Confined to the loop's thread.
final class LoopMetrics {

    private final Metrics metrics;
    private final Stopwatch steps;
    private final Stopwatch commits;
    private final Stopwatch lateness;
    private final Count overflow;
    private final Count withheld;
    private final Level connected;
    private final Level leading;
    private final Level term;
    private final MoveMetrics moves;
    private final Set<String> hosts = new TreeSet<>();
    private long seenEntries = -1;

    /// @param waiting how many messages wait in the mailbox
    LoopMetrics(Metrics metrics, IntSupplier waiting) {
        this.metrics = metrics;
        moves = new MoveMetrics(metrics);
        metrics.gauge("understudy_loop_mailbox_waiting", "Messages that wait for the loop", waiting::getAsInt);
        steps = metrics.timer("understudy_loop_step_seconds", "Time for one input: decision, journal and sending");
        commits = metrics.timer("understudy_journal_commit_seconds", "Time until a majority had a decision on disk");
        lateness = metrics.timer("understudy_loop_lag_seconds", "How late the loop's ticks were");
        overflow = metrics.counter(
                "understudy_loop_mailbox_overflows_total",
                "Messages that found the mailbox full; their link is closed");
        withheld = metrics.counter(
                "understudy_grants_withheld_total", "Decisions sent without grants or takes for want of authority");
        connected = metrics.level("understudy_agents_connected", "Agents that are connected now");
        leading = metrics.level("understudy_controller_leading", "1 while this controller leads");
        term = metrics.level("understudy_controller_term", "The Raft term in which this controller acts");
        // from the start, so that the first decision of a row is a rise and not a new series
        AddressPolicy.TABLE.rows().forEach(row -> decisions(row.id()));
        PrimaryPolicy.TABLE.rows().forEach(row -> decisions(row.id()));
        MemberPolicy.TABLE.rows().forEach(row -> decisions(row.id()));
        RebuildPolicy.TABLE.rows().forEach(row -> decisions(row.id()));
    }

    private Count decisions(String row) {
        return metrics.counter(
                "understudy_decisions_total", "Decisions that were journaled, by row of the policy table", "row", row);
    }

    void input(String kind) {
        metrics.counter("understudy_loop_inputs_total", "Inputs that the loop handled, by kind", "kind", kind)
                .increment();
    }

    void step(Duration took) {
        steps.record(took);
    }

    void commit(Duration took) {
        commits.record(took);
    }

    void late(Duration by) {
        lateness.record(by);
    }

    void overflowed() {
        overflow.increment();
    }

    void withheld() {
        withheld.increment();
    }

    /// @param at when it was on disk
    void entry(JournalEntry entry, Moment at) {
        moves.entry(entry, at);
        String row = entry.event().row();
        decisions(row.isEmpty() ? "none" : row).increment();
    }

    void state(State state, int agents) {
        connected.set(agents);
        leading.set(state.leading() ? 1 : 0);
        term.set((double) state.term());
        if (state.journaled().entries() != seenEntries) {
            seenEntries = state.journaled().entries();
            state.journaled().resources().values().forEach(resource -> resource(state, resource));
        }
    }

    /// What every heartbeat may change.
    void hosts(State state) {
        hosts.addAll(state.hosts().keySet());
        hosts.forEach(host -> clock(state, host));
        ClusterSpec spec = state.journaled().spec();
        if (spec != null) {
            spec.groups().forEach(group -> configurations(state, group));
        }
    }

    private void configurations(State state, ClusterSpec.Group group) {
        if (!(group instanceof BalancerGroup)) {
            return;
        }
        Set<String> hashes = new HashSet<>();
        for (String member : group.members()) {
            HostView view = state.hosts().get(member);
            if (view != null
                    && view.observations().get("balancer/" + group.name()) instanceof Observation.Balancer balancer
                    && !balancer.configHash().isEmpty()) {
                hashes.add(balancer.configHash());
            }
        }
        metrics.level(
                        "understudy_balancer_configurations",
                        "How many different HAProxy configurations the members of a group have",
                        "group",
                        group.name())
                .set(hashes.size());
    }

    private void clock(State state, String host) {
        HostView view = state.hosts().get(host);
        ClockRate.Halves halves = view == null ? null : view.clock().halves();
        metrics.level(
                        "understudy_clock_drift_ratio",
                        "By how much a host's clock runs faster than this controller's, NaN while it is not known",
                        "host",
                        host)
                .set(halves == null ? Double.NaN : halves.recent().middle() - 1);
        metrics.level(
                        "understudy_clock_alarm",
                        "1 while a host's clock runs faster or slower than leases allow for",
                        "host",
                        host)
                .set(view != null && view.clock().alarm() != null ? 1 : 0);
    }

    private void resource(State state, ResourceState resource) {
        moves.know(resource);
        ResourceId id = resource.id();
        String name = id.toString();
        metrics.level("understudy_resource_epoch", "Rises with every change of holder", "resource", name)
                .set((double) resource.epoch());
        metrics.level("understudy_resource_steady", "1 while it is held and nothing is under way", "resource", name)
                .set(resource.steady() ? 1 : 0);
        ClusterSpec spec = state.journaled().spec();
        if (spec == null) {
            return;
        }
        spec.group(id.group())
                .ifPresent(group -> group.members()
                        .forEach(host -> metrics.level(
                                        "understudy_resource_holder",
                                        "1 for the host that may hold the resource",
                                        "resource",
                                        name,
                                        "host",
                                        host)
                                .set(host.equals(resource.holder()) ? 1 : 0)));
        boolean inCharge =
                spec.group(id.group()).filter(g -> g.mode() != Mode.OBSERVE).isPresent()
                        && !state.journaled().operations().detached().contains(id.group());
        metrics.level(
                        "understudy_resource_in_charge",
                        "1 while leases decide who holds it: its mode is manual or automatic and it is not detached",
                        "resource",
                        name)
                .set(inCharge ? 1 : 0);
        if (resource instanceof PrimaryState primary) {
            primary(spec, primary);
        }
    }

    private void primary(ClusterSpec spec, PrimaryState primary) {
        String name = primary.id().toString();
        metrics.level(
                        "understudy_database_alone",
                        "1 while the primary runs without any acknowledging replica",
                        "resource",
                        name)
                .set(primary.alone() ? 1 : 0);
        spec.group(primary.id().group())
                .ifPresent(group -> group.members()
                        .forEach(host -> metrics.level(
                                        "understudy_database_quarantined",
                                        "1 for a member that has transactions which the primary lacks",
                                        "resource",
                                        name,
                                        "host",
                                        host)
                                .set(primary.isQuarantined(host) ? 1 : 0)));
    }
}
