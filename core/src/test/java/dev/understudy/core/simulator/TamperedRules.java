package dev.understudy.core.simulator;

import dev.understudy.core.Decision;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.JournalEntry.Operated;
import dev.understudy.core.JournalEntry.ResourceChanged;
import dev.understudy.core.Journaled;
import dev.understudy.core.Now;
import dev.understudy.core.Rebuild;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State;
import dev.understudy.core.State.Graded;
import dev.understudy.core.evidence.Reading.Grade;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The same as [Tampered], of reader addresses, settings and rebuilds.
final class TamperedRules {

    private static final Set<Mutation> MINE = EnumSet.of(
            Mutation.REBUILD_BEGINS_WITH_AN_ACKER,
            Mutation.REBUILD_WITHOUT_QUARANTINE,
            Mutation.REBUILD_LOADS_THE_PRIMARY,
            Mutation.REBUILD_DROPS_WHAT_IT_ALONE_HAS);

    private static final long LONG_AGO = 3600 * Agenda.SECOND;

    private TamperedRules() {}

    /// Every member has been what it is for long; or has just become unfit, if it is.
    static State rested(Site site, State state, Now now) {
        boolean atOnce = site.has(Mutation.READER_GOES_AT_ONCE);
        if (!atOnce && !site.has(Mutation.READER_STAYS_WITH_THE_UNFIT)) {
            return state;
        }
        Moment then = new Moment(now.mono().nanos() - LONG_AGO);
        Map<String, Graded> readings = new HashMap<>();
        state.readings().forEach((member, graded) -> {
            boolean unfit = graded.grade() == Grade.UNFIT;
            readings.put(member, new Graded(graded.grade(), atOnce ? then : unfit ? now.mono() : graded.since()));
        });
        return state.withReadings(readings);
    }

    static AgentMessage report(Site site, AgentMessage told) {
        if (!site.has(Mutation.LINT_IS_NOT_LOOKED_AT)) {
            return told;
        }
        return told instanceof Heartbeat beat
                ? new Heartbeat(
                        beat.seq(), beat.leases(), unlinted(beat.observations()), beat.lateMillis(), beat.clock())
                : told instanceof CommandReply reply
                        ? new CommandReply(reply.commandId(), reply.outcome(), unlinted(reply.observations()))
                        : told;
    }

    private static List<Observation> unlinted(List<Observation> seen) {
        return seen.stream()
                .map(o -> o instanceof Observation.Settings s
                        ? new Observation.Settings(
                                s.group(),
                                s.version(),
                                s.serverId(),
                                s.binlogFormat(),
                                s.gtidDomain(),
                                s.delaySeconds(),
                                s.diskFreeBytes(),
                                s.diskBytes(),
                                List.of())
                        : o)
                .toList();
    }

    /// Changes what is to be journaled, and the state that follows from it in the same way.
    static Decision decision(Site site, State before, Decision decision) {
        if (decision.journal().isEmpty() || MINE.stream().noneMatch(site::has)) {
            return decision;
        }
        List<JournalEntry> entries = new ArrayList<>();
        Journaled next = before.journaled();
        for (JournalEntry entry : decision.journal()) {
            for (JournalEntry changed : changed(site, next, entry)) {
                entries.add(changed);
                next = next.apply(changed);
            }
        }
        return new Decision(decision.next().with(next), decision.sends(), entries, decision.answers());
    }

    private static List<JournalEntry> changed(Site site, Journaled before, JournalEntry entry) {
        return entry instanceof ResourceChanged change
                ? changed(site, before, change)
                : entry instanceof Operated operated ? changed(site, before, operated) : List.of(entry);
    }

    private static List<JournalEntry> changed(Site site, Journaled before, ResourceChanged change) {
        Rebuild rebuild = before.operations().rebuild(Site.PRIMARY.group()).orElse(null);
        if (site.has(Mutation.REBUILD_DROPS_WHAT_IT_ALONE_HAS)
                && rebuild != null
                && change.next() instanceof PrimaryState primary) {
            return List.of(new ResourceChanged(without(primary, rebuild.host()), change.event()));
        }
        boolean free = site.has(Mutation.REBUILD_WITHOUT_QUARANTINE)
                && change.event().row().equals("RB-03");
        return free ? List.of() : List.of(change);
    }

    private static List<JournalEntry> changed(Site site, Journaled before, Operated operated) {
        Rebuild old = before.operations().rebuild(Site.PRIMARY.group()).orElse(null);
        Rebuild next = operated.next().rebuild(Site.PRIMARY.group()).orElse(null);
        PrimaryState primary = before.resources().get(Site.PRIMARY) instanceof PrimaryState p ? p : null;
        if (next == null || primary == null) {
            return List.of(operated);
        }
        String host = next.host();
        if (old == null && site.has(Mutation.REBUILD_BEGINS_WITH_AN_ACKER)) {
            String donor = Site.DATABASES.stream()
                    .filter(d -> !d.equals(host) && !d.equals(primary.holder()))
                    .findFirst()
                    .orElseThrow();
            return List.of(rebuilding(operated, next.from(donor).in(Rebuild.Phase.COPYING)));
        }
        if (old == null && site.has(Mutation.REBUILD_DROPS_WHAT_IT_ALONE_HAS)) {
            return List.of(operated, new ResourceChanged(without(primary, host), operated.event()));
        }
        boolean chosen = old != null && old.donor() == null && next.donor() != null;
        @Nullable String holder = primary.holder();
        return chosen && holder != null && site.has(Mutation.REBUILD_LOADS_THE_PRIMARY)
                ? List.of(rebuilding(operated, next.from(holder)))
                : List.of(operated);
    }

    private static PrimaryState without(PrimaryState primary, String host) {
        return primary.ackers().contains(host)
                ? primary.withoutAcker(host)
                        .withMembers(primary.members().leaving(host, 0).left(host))
                : primary;
    }

    private static Operated rebuilding(Operated operated, Rebuild rebuild) {
        return new Operated(operated.next().rebuilding(Site.PRIMARY.group(), rebuild), operated.event());
    }
}
