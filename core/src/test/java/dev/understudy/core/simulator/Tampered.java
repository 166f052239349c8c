package dev.understudy.core.simulator;

import dev.understudy.core.Decision;
import dev.understudy.core.Event;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.Now;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseGrantor;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.Moment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What goes into and comes out of the real classes, changed as a [Mutation] asks; unchanged without one.
final class Tampered {

    private Tampered() {}

    static Order order(Site site, Order order, LeaseHolder holder, Moment now) {
        if (site.has(Mutation.S2_TAKE_COUNTS_FROM_ARRIVAL)) {
            holder.heartbeatSent(order.answers(), now);
        }
        if (site.has(Mutation.S2_OBEYS_STALE_ORDERS)) {
            long term = Math.max(order.term(), holder.floors().highestTerm());
            return new Order(order.answers(), term, order.ttlMillis(), order.released(), order.command());
        }
        if (site.has(Mutation.S6_TOUCHES_UNDER_A_PROMISE)) {
            return new Order(order.answers(), order.term(), order.ttlMillis(), Long.MAX_VALUE, order.command());
        }
        return order;
    }

    static @Nullable State start(Site site, @Nullable State state, Now now) {
        return state != null && site.has(Mutation.S4_NEW_LEADER_DOES_NOT_WAIT)
                ? state.with(new LeaseGrantor(state.timing(), now.mono(), Map.of(), Map.of()))
                : state;
    }

    static AgentMessage report(Site site, String host, AgentMessage told) {
        AgentMessage message = TamperedRules.report(site, told);
        if (message instanceof Heartbeat beat) {
            boolean unpromised =
                    site.has(Mutation.S6_TOUCHES_UNDER_A_PROMISE) || site.has(Mutation.S3_FORGETS_PROMISES);
            boolean clipped = site.has(Mutation.S22_OLD_JOURNAL_IS_BELIEVED);
            if (unpromised || clipped) {
                List<LeaseReport> leases = beat.leases().stream()
                        .map(l -> new LeaseReport(
                                l.resource(),
                                clipped ? Math.min(l.epoch(), journaledEpoch(site, l)) : l.epoch(),
                                clipped ? Math.min(l.released(), journaledEpoch(site, l)) : l.released(),
                                l.held(),
                                l.promised() && !unpromised,
                                l.circle(),
                                unpromised ? null : l.standing()))
                        .toList();
                return new Heartbeat(beat.seq(), leases, beat.observations(), beat.lateMillis(), beat.clock());
            }
        }
        return message;
    }

    /// For hosts that are silent: what their agents would say if their services had died.
    static Map<String, AgentMessage> deaths(Site site, State state, Moment now) {
        Map<String, AgentMessage> deaths = new TreeMap<>();
        if (site.has(Mutation.SILENCE_IS_TAKEN_FOR_DEATH) && state.leading()) {
            state.hosts().forEach((host, view) -> {
                if (view.seq() > 0
                        && now.since(view.heard()).compareTo(site.timing().silence()) > 0) {
                    deaths.put(
                            host,
                            new Heartbeat(view.seq(), List.of(), site.host(host).observeDead(), 0));
                }
            });
        }
        return deaths;
    }

    private static long journaledEpoch(Site site, LeaseReport report) {
        var resource = site.journal.journaled().resources().get(report.resource());
        return resource == null ? 0 : resource.epoch();
    }

    /// Changes what is to be journaled, and the state that follows from it in the same way.
    static Decision decision(Site site, State before, Decision decision) {
        boolean acker = site.has(Mutation.S14_AN_ACKER_IS_LEFT_OUT);
        boolean row = site.has(Mutation.ACTS_WITHOUT_A_ROW);
        boolean early = site.has(Mutation.S14_PROMOTED_BEFORE_ALL_IS_FETCHED);
        if ((!acker && !row && !early) || decision.journal().isEmpty()) {
            return decision;
        }
        List<JournalEntry> entries = new ArrayList<>();
        Journaled next = before.journaled();
        for (JournalEntry entry : decision.journal()) {
            JournalEntry changed = entry;
            if (entry instanceof ResourceChanged change) {
                if (acker
                        && change.next() instanceof PrimaryState primary
                        && primary.ackers().size() > 1) {
                    List<String> fewer = primary.ackers().subList(0, 1);
                    changed = new ResourceChanged(primary.withAckers(fewer, primary.alone()), change.event());
                }
                if (early
                        && change.next() instanceof PrimaryState primary
                        && primary.phase() == PrimaryPhase.FETCHING
                        && primary.plan() != null) {
                    changed = new ResourceChanged(
                            primary.in(primary.phase(), primary.plan().at("", false)), change.event());
                }
                if (row) {
                    changed = new ResourceChanged(change.next(), withoutRow(change.event()));
                }
            }
            entries.add(changed);
            next = next.apply(changed);
        }
        return new Decision(decision.next().with(next), decision.sends(), entries, decision.answers());
    }

    private static Event withoutRow(Event e) {
        return new Event(
                e.id(),
                e.at(),
                e.plan(),
                e.resource(),
                "",
                "",
                e.from(),
                e.to(),
                e.holder(),
                e.epoch(),
                e.text(),
                e.evidence(),
                e.candidates());
    }
}
