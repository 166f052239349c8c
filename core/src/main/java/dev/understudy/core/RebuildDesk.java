package dev.understudy.core;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.Rebuild.Phase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.ResourceState.Quarantine;
import dev.understudy.core.candidate.Donors;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.Turn;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import java.util.List;
import java.util.Optional;

/// Where an operator asks for a rebuild, or for its end: refused with one line, or journaled and answered.
final class RebuildDesk {

    /// What a copy needs beside its size: what is written while it is made.
    private static final long MARGIN = 64L << 20;

    private final Turn turn;
    private final String request;
    private final String who;

    RebuildDesk(Turn turn, Input.Operator operator) {
        this.turn = turn;
        this.request = operator.requestId();
        this.who = operator.who();
    }

    void begin(OperatorRequest.Rebuild wish) {
        ResourceId id = wish.resource();
        if (!(turn.resource(id) instanceof PrimaryState primary)
                || !(turn.state().spec().group(id.group()).orElse(null) instanceof DatabaseGroup group)) {
            refuse("there is no database group '" + id.group() + "'");
            return;
        }
        Optional<String> objection = objection(primary, group, wish.host());
        if (objection.isPresent()) {
            refuse(objection.get());
            return;
        }
        List<Candidate> donors = Donors.of(turn.evidence(), primary, wish.host());
        Optional<String> donor = Donors.best(donors, wish.from());
        if (donor.isEmpty()) {
            refuse(noDonor(wish, donors));
            return;
        }
        Optional<String> tooSmall = tooSmall(group.name(), wish.host(), donor.get());
        if (tooSmall.isPresent()) {
            refuse(tooSmall.get());
            return;
        }
        Long rate = wish.bytesPerSecond();
        Rebuild rebuild = new Rebuild(
                "R" + turn.state().journaled().nextEvent(),
                wish.host(),
                Phase.LEAVING,
                wish.from(),
                null,
                rate == null ? group.copyRate() : rate,
                1,
                wish.tokens(),
                who,
                primary.quarantine(wish.host()).map(Quarantine::reason).orElse(""));
        String alone = primary.ackers().equals(List.of(wish.host()))
                ? "; nobody else acknowledges: " + primary.holder() + " runs alone meanwhile"
                : "";
        journal(
                primary,
                rebuild,
                rebuild,
                "%s asks to rebuild %s from %s: its data will be replaced%s"
                        .formatted(who.isEmpty() ? "the operator" : who, wish.host(), donor.get(), alone),
                donors,
                rebuild.id() + ": " + wish.host() + " will be rebuilt from " + donor.get() + alone);
    }

    private Optional<String> objection(PrimaryState primary, DatabaseGroup group, String host) {
        Evidence evidence = turn.evidence();
        if (evidence.mode(group.name()) == Mode.OBSERVE) {
            return Optional.of("group " + group.name() + " is only observed, or detached: nothing is changed there");
        }
        if (!group.members().contains(host)) {
            return Optional.of(host + " is no member of " + group.name());
        }
        if (host.equals(primary.holder())) {
            return Optional.of(host + " is the primary: move it first (understudy switchover " + group.name() + ")");
        }
        if (!primary.steady()) {
            return Optional.of(primary.id() + " is " + primary.phase() + ": wait for the end of that");
        }
        Optional<Rebuild> other = evidence.operations().rebuild(group.name());
        if (other.isPresent()) {
            return Optional.of(
                    other.get().host() + " is being rebuilt (" + other.get().id() + "): one at a time");
        }
        if (!evidence.fresh(host)) {
            return Optional.of("the agent on " + host + " is not heard");
        }
        if (evidence.maintenance(host).isPresent()) {
            return Optional.of(host + " is in maintenance: end that first (understudy maintenance " + host + " off)");
        }
        Observation.Data data = evidence.data(host, group.name()).orElse(null);
        return data == null
                ? Optional.of("the agent on " + host + " does not say where its data are yet")
                : data.cannotReceive().isEmpty()
                        ? Optional.empty()
                        : Optional.of(host + " cannot take a copy: " + data.cannotReceive());
    }

    private static String noDonor(OperatorRequest.Rebuild wish, List<Candidate> donors) {
        String why = String.join(
                "; ", donors.stream().map(c -> c.host() + ": " + c.reason()).toList());
        String from = wish.from();
        if (from == null) {
            return "nobody can give " + wish.host() + " a copy: " + why;
        }
        return donors.stream()
                .filter(c -> c.host().equals(from))
                .findFirst()
                .map(c -> from + " cannot give a copy: " + c.reason())
                .orElse(from + " is no other member of the group (" + why + ")");
    }

    private Optional<String> tooSmall(String group, String host, String donor) {
        long free = turn.evidence()
                .data(host, group)
                .map(Observation.Data::freeBytes)
                .orElse(-1L);
        long bytes = turn.evidence()
                .data(donor, group)
                .map(Observation.Data::dataBytes)
                .orElse(0L);
        long needed = bytes + bytes / 10 + MARGIN;
        return free >= 0 && free < needed
                ? Optional.of("%s has room for %d MiB beside its data, and a copy of %s needs %d"
                        .formatted(host, free >> 20, donor, needed >> 20))
                : Optional.empty();
    }

    void cancel(OperatorRequest.CancelRebuild wish) {
        Rebuild rebuild = turn.evidence()
                .operations()
                .rebuild(wish.resource().group())
                .filter(r -> r.host().equals(wish.host()))
                .orElse(null);
        if (rebuild == null || !(turn.resource(wish.resource()) instanceof PrimaryState primary)) {
            refuse(wish.host() + " is not being rebuilt");
            return;
        }
        switch (rebuild.phase()) {
            case ADOPTING -> refuse("the data of " + wish.host() + " are being replaced: that is not stopped halfway");
            case CANCELLING, OVER -> refuse("the rebuild of " + wish.host() + " is being cancelled already");
            case LEAVING, COPYING, FOLLOWING ->
                journal(
                        primary,
                        rebuild,
                        rebuild.in(Phase.CANCELLING),
                        (who.isEmpty() ? "the operator" : who) + " cancels the rebuild of " + wish.host(),
                        List.of(),
                        rebuild.id() + " is being cancelled");
        }
    }

    private void journal(
            PrimaryState primary, Rebuild before, Rebuild after, String text, List<Candidate> donors, String answer) {
        String event = turn.nextEventId();
        turn.record(new JournalEntry.Operated(
                turn.evidence().operations().rebuilding(primary.id().group(), after),
                new Event(
                        event,
                        turn.now().wall(),
                        after.id(),
                        primary.id(),
                        "",
                        "",
                        before.phase().name(),
                        after.phase().name(),
                        primary.holder(),
                        primary.epoch(),
                        text,
                        turn.evidence().lines(primary.id()),
                        donors)));
        turn.answer(request, true, answer, event);
    }

    private void refuse(String text) {
        turn.answer(request, false, text, "");
    }
}
