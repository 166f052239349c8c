package dev.understudy.core.plan;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Membership.Departure;
import dev.understudy.core.Membership.Stage;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State.Sent;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Trouble;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Keeps the two journaled sets of a steady primary: the ackers, and who of them may be promoted (S14); and whether it
/// waits for them at all (S20). Each change is journaled before what follows from it is ordered.
final class AckerKeeper {

    private final Turn turn;
    private final ResourceId id;
    private final DatabaseGroup group;

    AckerKeeper(Turn turn, ResourceId id, DatabaseGroup group) {
        this.turn = turn;
        this.id = id;
        this.group = group;
    }

    /// The very server that was opened holds the role now and is writable.
    boolean serves(PrimaryState primary) {
        String holder = String.valueOf(primary.holder());
        Evidence evidence = turn.evidence();
        return evidence.fresh(holder)
                && evidence.holds(holder, id, primary.epoch())
                && database(holder)
                        .map(d -> d.serverStart().equals(primary.incarnation()) && Boolean.FALSE.equals(d.readOnly()))
                        .orElse(false);
    }

    /// Journaled before the order to follow leaves: from then on this member may acknowledge (S14).
    void join(PrimaryState primary, String member, String row, String situation, String text) {
        boolean shut = primary.members().isShutOut(member);
        boolean acker = primary.ackers().contains(member);
        if (acker && !shut) {
            return;
        }
        PrimaryState after = primary;
        if (!acker) {
            List<String> ackers = new ArrayList<>(primary.ackers());
            ackers.add(member);
            String run = database(member).map(Observation.Database::serverStart).orElse("");
            after = after.withAckers(ackers, primary.alone()).withJoined(member, run);
        }
        if (shut) {
            after = after.withMembers(primary.members().returning(member, nextEvent()));
        }
        journal(primary, after, row, situation, text);
    }

    /// Whether the primary hears the member, as far as this controller has a say; a member that returns is let in.
    boolean isLetIn(PrimaryState primary, String member) {
        Departure departure = primary.members().departures().get(member);
        if (departure == null) {
            return true;
        }
        if (departure.stage() != Stage.RETURNING || !serves(primary)) {
            return false;
        }
        return turn.ensure(
                        String.valueOf(primary.holder()),
                        "let-in/" + id + "/" + primary.epoch() + "/" + member + "/" + departure.number(),
                        Again.AFTER_FAILURE,
                        Deadlines.RETRY,
                        order -> new Command.LetIn(order, id, primary.epoch(), address(member), departure.number()))
                .filter(sent -> sent.outcome() instanceof Outcome.Done)
                .isPresent();
    }

    /// An acker that has everything the primary has, in a run of its server that has lasted long enough for the
    /// primary's position to be from after its start, is journaled as complete in that run (S15); and as
    /// promotable, if the primary waits for acknowledgements (S14).
    void complete(PrimaryState primary, String member) {
        Evidence evidence = turn.evidence();
        Observation.Database seen = database(member).orElse(null);
        Observation.Database source = database(String.valueOf(primary.holder())).orElse(null);
        if (seen == null
                || source == null
                || !primary.ackers().contains(member)
                || primary.members().isShutOut(member)
                || evidence.inStateFor(member, seen.key()).compareTo(Deadlines.SETTLED) < 0
                || !hasReceived(member, source.binlogPosition())) {
            return;
        }
        boolean known = primary.completeIn(member).equals(Optional.of(seen.serverStart()));
        boolean promotable = primary.members().promotable().contains(member);
        boolean waits = !primary.alone() && source.semiSyncPrimary() && !isVoid(primary, source);
        if (known && (promotable || !waits)) {
            return;
        }
        PrimaryState after = primary.withComplete(member, seen.serverStart());
        String text = member + " has everything that " + primary.holder() + " has, in this run of its server";
        if (waits) {
            after = after.withMembers(primary.members().promoting(member));
            text += promotable ? "" : ": it may be promoted";
        }
        journal(primary, after, "", "", text);
    }

    /// Whether commits would wait if the member, which lives, were asked to leave now: nobody else that stays has
    /// all that the primary has, and is connected.
    boolean isMissed(PrimaryState primary, String member, List<String> staying) {
        String now = database(String.valueOf(primary.holder()))
                .map(Observation.Database::binlogPosition)
                .orElse("");
        return primary.ackers().contains(member)
                && !primary.alone()
                && !primary.members().isShutOut(member)
                && !staying.isEmpty()
                && staying.stream().noneMatch(other -> isSureToHave(primary, other, now));
    }

    /// A member leaves: out of the promotable ones first; out of the ackers when the primary hears it no more and
    /// another that stays has all that the primary had then, or the primary is journaled as alone. While nobody
    /// stays nothing is changed: what such a primary's commits wait for is a matter of [#settle].
    ///
    /// @param staying the ackers that have no reason to leave
    void part(PrimaryState primary, String member, List<String> staying, String row, String situation, String text) {
        if (!primary.ackers().contains(member) || !serves(primary)) {
            return;
        }
        boolean alone = primary.alone() && isAlone(primary);
        if (!alone && staying.isEmpty()) {
            return;
        }
        Departure departure = primary.members().departures().get(member);
        if (departure == null || departure.stage() != Stage.LEAVING) {
            PrimaryState after = primary.withMembers(primary.members().leaving(member, nextEvent()));
            journal(primary, after, row, situation, text);
            return;
        }
        Optional<Sent> sent = turn.ensure(
                String.valueOf(primary.holder()),
                "shut-out/" + id + "/" + primary.epoch() + "/" + member + "/" + departure.number(),
                Again.AFTER_FAILURE,
                Deadlines.RETRY,
                order -> new Command.ShutOut(order, id, primary.epoch(), address(member), departure.number()));
        if (sent.isPresent() && sent.get().outcome() instanceof Outcome.Done done) {
            String ended = done.facts().getOrDefault("binlog", "");
            Optional<String> who = alone
                    ? Optional.of("it runs alone")
                    : staying.stream()
                            .filter(other -> isSureToHave(primary, other, ended))
                            .findFirst()
                            .map(other -> other + " has that");
            who.ifPresent(because -> {
                String left = "%s has left the ackers: %s hears it no more since %s, and %s"
                        .formatted(member, primary.holder(), ended.isEmpty() ? "the beginning" : ended, because);
                PrimaryState after = primary.withoutAcker(member)
                        .withMembers(primary.members().left(member));
                journal(primary, after, row, situation, left);
            });
        }
    }

    /// Whether the primary waits for acknowledgements is what the journal says, or is made to be.
    ///
    /// @param staying the ackers that have no reason to leave
    void settle(PrimaryState primary, List<String> staying) {
        Observation.Database seen = database(String.valueOf(primary.holder())).orElse(null);
        if (seen == null || !serves(primary)) {
            return;
        }
        boolean rebuilt = primary.ackers().stream().anyMatch(this::isRebuilt)
                && primary.ackers().stream()
                        .allMatch(m -> isRebuilt(m) || !group.members().contains(m));
        boolean blocked = seen.semiSyncPrimary()
                && (primary.ackers().isEmpty() || seen.troubles().contains(Trouble.SEMI_SYNC_BLOCKED));
        if (staying.isEmpty() && (blocked || (rebuilt && seen.semiSyncPrimary()))) {
            goOnAlone(
                    primary,
                    rebuilt
                            ? "the only member that acknowledges is to be rebuilt"
                            : "nobody has acknowledged for long and commits wait");
        } else if (!primary.alone() && isVoid(primary, seen)) {
            String text = seen.semiSyncPrimary()
                    ? " answered commits without an acknowledgement"
                    : " does not wait for acknowledgements, which nobody here has said";
            journal(
                    primary,
                    voided(primary),
                    "",
                    "",
                    primary.holder() + text + ": nobody may be promoted until a follower has everything");
        } else if (primary.alone()) {
            endBeingAlone(primary, seen, staying);
        }
    }

    private boolean isRebuilt(String member) {
        return turn.evidence().operations().isRebuilt(group.name(), member);
    }

    /// Commits were answered without an acknowledgement, or would be, though the journal does not say so.
    private static boolean isVoid(PrimaryState primary, Observation.Database seen) {
        Long unacknowledged = seen.unacknowledged();
        return !seen.semiSyncPrimary()
                || (unacknowledged != null && unacknowledged > primary.members().unacknowledged());
    }

    private PrimaryState voided(PrimaryState primary) {
        return primary.withAckers(primary.ackers(), true)
                .withMembers(primary.members().voided(nextEvent()));
    }

    /// Nobody is left to acknowledge, and commits wait. That it runs alone is journaled before it is told (S20). An
    /// order that was carried out and did not help was overtaken by a later one: it is given anew.
    private void goOnAlone(PrimaryState primary, String because) {
        boolean fruitless = false;
        if (primary.alone()) {
            fruitless = orderAlone(primary)
                    .filter(sent -> sent.outcome() != null && !Sent.waits(sent.outcome()))
                    .filter(sent -> turn.now().mono().since(sent.answeredAt()).compareTo(Deadlines.RETRY) > 0)
                    .isPresent();
        }
        if (!primary.alone() || fruitless) {
            journal(
                    primary,
                    voided(primary),
                    "",
                    "",
                    "%s: %s goes on alone, and nobody may be promoted".formatted(because, primary.holder()));
        }
    }

    private Optional<Sent> orderAlone(PrimaryState primary) {
        long number = primary.members().number();
        return turn.ensure(
                String.valueOf(primary.holder()),
                "alone/" + id + "/" + primary.epoch() + "/" + number,
                Again.AFTER_FAILURE,
                Deadlines.RETRY,
                order -> new Command.OpenWrites(order, id, primary.epoch(), true, alone(number)));
    }

    /// It was told to run alone and has done so: only then does what it answered before outlive its server without
    /// those that acknowledged it, and do its commits wait for nobody.
    private boolean isAlone(PrimaryState primary) {
        boolean waits = database(String.valueOf(primary.holder()))
                .map(Observation.Database::semiSyncPrimary)
                .orElse(true);
        return orderAlone(primary)
                        .filter(sent -> sent.outcome() instanceof Outcome.Done)
                        .isPresent()
                && !waits;
    }

    /// A primary that runs alone goes back to waiting for acknowledgements when a follower has caught up; it is no
    /// longer alone when, after that, a follower has received all that the primary has.
    private void endBeingAlone(PrimaryState primary, Observation.Database seen, List<String> staying) {
        String holder = String.valueOf(primary.holder());
        Optional<String> follower = staying.stream()
                .filter(m -> !m.equals(holder) && !primary.members().isShutOut(m))
                .filter(turn.evidence()::fresh)
                .filter(m -> hasReceived(m, seen.binlogPosition()))
                .findFirst();
        if (follower.isEmpty()) {
            return;
        }
        long number = primary.members().number();
        Optional<Sent> sent = turn.ensure(
                holder,
                "acknowledged/" + id + "/" + primary.epoch() + "/" + number,
                Again.ALWAYS,
                Deadlines.RETRY,
                order -> new Command.OpenWrites(order, id, primary.epoch(), false, acknowledged(number)));
        if (seen.semiSyncPrimary()
                && sent.isPresent()
                && sent.get().outcome() instanceof Outcome.Done
                && sent.get().answeredAt().isBefore(turn.now().mono())) {
            PrimaryState after = primary.withAckers(primary.ackers(), false)
                    .withMembers(primary.members().waitingSince(counted(seen)));
            journal(
                    primary,
                    after,
                    "",
                    "",
                    follower.get() + " follows and has everything: " + holder + " is no longer alone");
        }
    }

    /// Orders about waiting are counted by the event that said that the primary is alone: first that it is, then that
    /// it is not.
    static long alone(long event) {
        return 2 * event;
    }

    static long acknowledged(long event) {
        return 2 * event + 1;
    }

    static long counted(Observation.Database seen) {
        return Objects.requireNonNullElse(seen.unacknowledged(), 0L);
    }

    /// Its server can have lost nothing since (S15).
    private boolean isSureToHave(PrimaryState primary, String member, String position) {
        return turn.evidence().fresh(member)
                && database(member)
                        .filter(d -> primary.vouches(member, d.serverStart()))
                        .isPresent()
                && hasReceived(member, position);
    }

    private boolean hasReceived(String member, String position) {
        Observation.Replica replica =
                database(member).map(Observation.Database::replica).orElse(null);
        return replica != null
                && replica.receiver().equals("Yes")
                && GtidList.parse(replica.receivedPosition()).reached(GtidList.parse(position));
    }

    private Optional<Observation.Database> database(String host) {
        return turn.evidence().database(host, group.name());
    }

    private String address(String host) {
        return turn.state().spec().host(host).map(ClusterSpec.Host::address).orElse("");
    }

    private long nextEvent() {
        return turn.state().journaled().nextEvent();
    }

    private void journal(PrimaryState before, PrimaryState after, String row, String situation, String text) {
        turn.record(
                new JournalEntry.ResourceChanged(after, turn.event(before, after, row, situation, text, List.of())));
    }
}
