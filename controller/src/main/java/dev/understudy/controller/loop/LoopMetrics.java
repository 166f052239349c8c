package dev.understudy.controller.loop;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.ResourceState;
import dev.understudy.core.State;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.metrics.Metrics;
import dev.understudy.wire.metrics.Metrics.Count;
import dev.understudy.wire.metrics.Metrics.Level;
import dev.understudy.wire.metrics.Metrics.Stopwatch;
import java.time.Duration;

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
    private long seenEntries = -1;

    LoopMetrics(Metrics metrics) {
        this.metrics = metrics;
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

    void entry(JournalEntry entry) {
        String row = entry.event().row();
        metrics.counter(
                        "understudy_decisions_total",
                        "Decisions that were journaled, by row of the policy table",
                        "row",
                        row.isEmpty() ? "none" : row)
                .increment();
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

    private void resource(State state, ResourceState resource) {
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
    }
}
