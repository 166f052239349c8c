package dev.understudy.core.plan;

import dev.understudy.core.Event;
import dev.understudy.core.Event.Candidate;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Rebuild;
import dev.understudy.core.Rebuild.Phase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.ResourceState.Quarantine;
import dev.understudy.core.State.Sent;
import dev.understudy.core.candidate.Donors;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.diagnosis.RebuildDiagnosis;
import dev.understudy.core.diagnosis.RebuildSituation;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.core.policy.RebuildPolicy;
import dev.understudy.core.policy.RebuildPolicy.Action;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Carries out [RebuildPolicy] for the one member of a database group that is being rebuilt, if any.
public final class RebuildKeeper {

    /// Progress is journaled at each such part of the whole.
    private static final int TOLD_EACH_PERCENT = 25;

    private static final long OFFERED_MILLIS = 60_000;

    private final Turn turn;
    private final ResourceId id;
    private final DatabaseGroup group;
    private final AckerKeeper ackers;

    public RebuildKeeper(Turn turn, ResourceId id, DatabaseGroup group) {
        this.turn = turn;
        this.id = id;
        this.group = group;
        ackers = new AckerKeeper(turn, id, group);
    }

    public void advance() {
        Rebuild rebuild = turn.evidence().operations().rebuild(id.group()).orElse(null);
        if (rebuild == null
                || !(turn.resource(id) instanceof PrimaryState primary)
                || turn.evidence().blind()) {
            return;
        }
        RebuildDiagnosis diagnosis = new RebuildDiagnosis(turn.evidence(), primary, group, rebuild);
        boolean serves = ackers.serves(primary);
        Diagnosis<RebuildSituation> before = diagnosis.of(given(rebuild), serves);
        if (before.situation() != RebuildSituation.HELD_UP && before.situation() != RebuildSituation.GONE) {
            order(primary, rebuild);
        }
        Diagnosis<RebuildSituation> found =
                new RebuildDiagnosis(turn.evidence(), primary, group, rebuild).of(given(rebuild), serves);
        Row<Phase, RebuildSituation, Action> row = RebuildPolicy.TABLE.row(rebuild.phase(), found.situation());
        if (row.next() == null) {
            stay(primary, rebuild, row, found);
        } else {
            enter(primary, rebuild, row, row.next(), found);
        }
    }

    private void stay(
            PrimaryState primary,
            Rebuild rebuild,
            Row<Phase, RebuildSituation, Action> row,
            Diagnosis<RebuildSituation> found) {
        String subject = id + "/" + rebuild.id();
        if (row.action() == Action.NOTE) {
            String text = found.because() + ": " + row.because();
            turn.noteOnce(primary, subject, row.id(), found.situation().name(), text, found.candidates());
            return;
        }
        Observation.Copying copying = turn.evidence()
                .data(rebuild.host(), group.name())
                .map(Observation.Data::copying)
                .filter(c -> c.copy().equals(rebuild.ticket().copy()))
                .orElse(null);
        if (rebuild.phase() == Phase.COPYING && copying != null && copying.percent() >= TOLD_EACH_PERCENT) {
            int part = copying.percent() / TOLD_EACH_PERCENT * TOLD_EACH_PERCENT;
            turn.noteOnce(
                    primary,
                    subject + "/" + rebuild.attempt() + "/" + part,
                    row.id(),
                    found.situation().name(),
                    found.because()
                            + " (%d MiB, %.1f MiB a second)"
                                    .formatted(copying.bytes() >> 20, copying.bytesPerSecond() / 1048576.0),
                    List.of());
        }
    }

    private void enter(
            PrimaryState primary,
            Rebuild rebuild,
            Row<Phase, RebuildSituation, Action> row,
            Phase next,
            Diagnosis<RebuildSituation> found) {
        Rebuild after =
                switch (row.action()) {
                    case CHOOSE ->
                        rebuild.from(Donors.best(found.candidates(), rebuild.wanted())
                                .orElseThrow());
                    case AGAIN -> rebuild.again();
                    case NONE, NOTE, LET_FOLLOW, END, GIVE_UP, KEEP_AWAY -> rebuild;
                };
        quarantine(primary, after, row, found);
        String text = found.because() + ": " + row.because();
        Rebuild journaled = next == Phase.OVER ? null : after.in(next);
        turn.record(new JournalEntry.Operated(
                turn.evidence().operations().rebuilding(id.group(), journaled),
                event(
                        primary,
                        after,
                        row.id(),
                        found.situation().name(),
                        rebuild.phase(),
                        next,
                        text,
                        found.candidates())));
    }

    /// While its data are not its own any more, or about to be, the member is no candidate and follows nobody.
    private void quarantine(
            PrimaryState primary,
            Rebuild rebuild,
            Row<Phase, RebuildSituation, Action> row,
            Diagnosis<RebuildSituation> found) {
        String host = rebuild.host();
        PrimaryState next =
                switch (row.action()) {
                    case CHOOSE ->
                        primary.withQuarantined(new Quarantine(
                                host, "it is being rebuilt from " + rebuild.donor() + " (" + rebuild.id() + ")"));
                    case KEEP_AWAY -> primary.withQuarantined(new Quarantine(host, found.because()));
                    case LET_FOLLOW -> primary.withoutQuarantine(host);
                    case GIVE_UP -> asBefore(primary, rebuild);
                    case NONE, NOTE, AGAIN, END -> primary;
                };
        if (!next.equals(primary)) {
            turn.forget(MemberKeeper.followKey(primary, host));
            String text = host
                    + (next.isQuarantined(host) ? " is quarantined: " : " is quarantined no more: ")
                    + found.because();
            turn.record(new JournalEntry.ResourceChanged(
                    next, turn.event(primary, next, row.id(), found.situation().name(), text, List.of())));
        }
    }

    private static PrimaryState asBefore(PrimaryState primary, Rebuild rebuild) {
        if (rebuild.phase() == Phase.FOLLOWING || !primary.isQuarantined(rebuild.host())) {
            return primary;
        }
        return rebuild.earlier().isEmpty()
                ? primary.withoutQuarantine(rebuild.host())
                : primary.withQuarantined(new Quarantine(rebuild.host(), rebuild.earlier()));
    }

    private Event event(
            PrimaryState primary,
            Rebuild rebuild,
            String row,
            String situation,
            Phase from,
            Phase to,
            String text,
            List<Candidate> candidates) {
        return new Event(
                turn.nextEventId(),
                turn.now().wall(),
                rebuild.id(),
                id,
                row,
                situation,
                from.name(),
                to.name(),
                primary.holder(),
                primary.epoch(),
                text,
                turn.evidence().lines(id),
                candidates);
    }

    /// The orders of the present phase that were given, those to the donor first.
    private List<Sent> given(Rebuild rebuild) {
        return keys(rebuild).stream()
                .map(key -> turn.state().orders().get(key))
                .filter(java.util.Objects::nonNull)
                .toList();
    }

    private static List<String> keys(Rebuild rebuild) {
        String copy = rebuild.ticket().copy();
        return switch (rebuild.phase()) {
            case LEAVING, FOLLOWING, OVER -> List.of();
            case COPYING -> List.of("offer-copy/" + copy, "receive-copy/" + copy);
            case ADOPTING -> List.of("adopt-copy/" + copy);
            case CANCELLING -> List.of("end-copy/" + copy + "/donor", "end-copy/" + copy + "/receiver");
        };
    }

    private void order(PrimaryState primary, Rebuild rebuild) {
        List<String> keys = keys(rebuild);
        String copy = rebuild.ticket().copy();
        switch (rebuild.phase()) {
            case LEAVING, FOLLOWING, OVER -> {}
            case COPYING -> copy(primary, rebuild, keys);
            case ADOPTING ->
                turn.ensure(
                        rebuild.host(),
                        keys.getFirst(),
                        Again.NEVER,
                        Deadlines.RETRY,
                        order -> new Command.AdoptCopy(order, id, primary.epoch(), copy));
            case CANCELLING -> {
                String donor = rebuild.donor();
                List<String> hosts = new ArrayList<>(List.of(String.valueOf(donor), rebuild.host()));
                for (int i = donor == null ? 1 : 0; i < hosts.size(); i++) {
                    turn.ensure(
                            hosts.get(i),
                            keys.get(i),
                            Again.AFTER_FAILURE,
                            Deadlines.RETRY,
                            order -> new Command.EndCopy(order, id, primary.epoch(), copy));
                }
            }
        }
    }

    /// The receiver is told when the donor awaits it.
    private void copy(PrimaryState primary, Rebuild rebuild, List<String> keys) {
        String donor = String.valueOf(rebuild.donor());
        Optional<Sent> offer = turn.ensure(
                donor,
                keys.getFirst(),
                Again.NEVER,
                Deadlines.RETRY,
                order -> new Command.OfferCopy(
                        order, id, primary.epoch(), rebuild.ticket(), rebuild.bytesPerSecond(), OFFERED_MILLIS));
        if (offer.isPresent() && offer.get().outcome() instanceof Outcome.Done done) {
            String address = turn.state()
                    .spec()
                    .host(donor)
                    .map(ClusterSpec.Host::address)
                    .orElse("");
            int port = Math.toIntExact(number(done, Command.OfferCopy.PORT));
            long bytes = number(done, Command.OfferCopy.BYTES);
            turn.ensure(
                    rebuild.host(),
                    keys.getLast(),
                    Again.NEVER,
                    Deadlines.RETRY,
                    order -> new Command.ReceiveCopy(
                            order, id, primary.epoch(), rebuild.ticket(), address, port, bytes));
        }
    }

    private static long number(Outcome.Done done, String fact) {
        String text = done.facts().getOrDefault(fact, "");
        return text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
    }
}
