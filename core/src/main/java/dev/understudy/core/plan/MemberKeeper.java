package dev.understudy.core.plan;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Operations.Restart;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.ResourceState.Quarantine;
import dev.understudy.core.State.Sent;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.diagnosis.MemberDiagnosis;
import dev.understudy.core.diagnosis.MemberSituation;
import dev.understudy.core.diagnosis.Restarts;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.MemberPolicy;
import dev.understudy.core.policy.MemberPolicy.Standing;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Brings the other members back behind a steady primary, and ends its being alone. Carries out [MemberPolicy].
public final class MemberKeeper {

    private final Turn turn;
    private final ResourceId id;
    private final DatabaseGroup group;

    public MemberKeeper(Turn turn, ResourceId id, DatabaseGroup group) {
        this.turn = turn;
        this.id = id;
        this.group = group;
    }

    public void advance() {
        for (String member : group.members()) {
            if (turn.resource(id) instanceof PrimaryState primary && isKept(primary, member)) {
                keep(primary, member);
            }
        }
        if (turn.resource(id) instanceof PrimaryState primary && primary.steady() && primary.alone()) {
            endBeingAlone(primary);
        }
    }

    /// A plan that is stopped may be waiting for just this server to be started again.
    private boolean isKept(PrimaryState primary, String member) {
        return primary.steady()
                ? !member.equals(primary.holder())
                : primary.phase() == PrimaryPhase.BLOCKED && died(primary, member);
    }

    private boolean died(PrimaryState primary, String member) {
        return MemberDiagnosis.of(turn.evidence(), primary, member, Optional.empty())
                        .situation()
                == MemberSituation.RESTART_DUE;
    }

    private void keep(PrimaryState primary, String member) {
        String base = followKey(primary, member);
        Diagnosis<MemberSituation> diagnosis = MemberDiagnosis.of(
                turn.evidence(),
                primary,
                member,
                Optional.ofNullable(turn.state().orders().get(base)));
        Row<Standing, MemberSituation, MemberPolicy.Action> row =
                MemberPolicy.TABLE.row(Standing.BESIDE_A_PRIMARY, diagnosis.situation());
        String text = diagnosis.because() + ": " + row.because();
        String situation = diagnosis.situation().name();
        String subject = id + "/" + member;
        boolean measured = row.action() == MemberPolicy.Action.FOLLOW || row.action() == MemberPolicy.Action.QUARANTINE;
        if (measured && !serves(primary)) {
            return; // a primary that was restarted may lack rows that were acknowledged (S16): nobody is compared with
            // it
        }
        switch (row.action()) {
            case NONE -> {
                turn.nothingToSay(subject);
                tellDropped(primary, member, row.id());
                if (diagnosis.situation() == MemberSituation.FOLLOWING && serves(primary)) {
                    // an order to follow can be carried out long after it was given: whoever follows may acknowledge
                    joinAckers(primary, member, row.id(), situation, text);
                    if (turn.resource(id) instanceof PrimaryState now) {
                        complete(now, member);
                    }
                }
            }
            case NOTE -> turn.noteOnce(primary, subject, row.id(), situation, text, List.of());
            case FOLLOW -> {
                joinAckers(primary, member, row.id(), situation, text);
                turn.ensure(
                        member,
                        base,
                        Again.ALWAYS,
                        Deadlines.RETRY,
                        order -> new Command.Follow(
                                order,
                                id,
                                primary.epoch(),
                                turn.state()
                                        .spec()
                                        .host(String.valueOf(primary.holder()))
                                        .map(ClusterSpec.Host::address)
                                        .orElse(""),
                                group.port(),
                                Deadlines.FOLLOWING.toMillis() * 2 / 3));
            }
            case RESTART -> {
                Restart attempt = new Restart(turn.now().wall(), member, primary.epoch());
                turn.record(new JournalEntry.Operated(
                        turn.evidence().operations().restarting(id, attempt, Recovery.RESTART_WINDOW),
                        turn.event(primary, primary, row.id(), situation, text, List.of())));
                int count = Restarts.used(turn.evidence(), id, member).size();
                turn.ensure(
                        member,
                        "restart/" + id + "/" + primary.epoch() + "/" + member + "/"
                                + attempt.at().toEpochMilli() + "-" + count,
                        Again.NEVER,
                        Deadlines.REPEAT,
                        order -> new Command.RestartService(order, id, primary.epoch()));
            }
            case FENCE -> {
                turn.noteOnce(primary, subject, row.id(), situation, text, List.of());
                turn.ensure(
                        member,
                        "fence/" + id + "/" + primary.epoch() + "/" + member,
                        Again.ALWAYS,
                        Deadlines.RETRY,
                        order -> new Command.Release(order, id, primary.epoch(), primary.epoch() - 1));
            }
            case QUARANTINE -> {
                // the verdict may be on a primary that was restarted and lost rows (S16), of which nobody has heard yet
                Sent verdict = turn.state().orders().get(base);
                Duration wait = primary.completeIn(member).isPresent() ? Deadlines.FOLLOWING : Deadlines.SETTLED;
                if (verdict != null
                        && turn.now().mono().since(verdict.answeredAt()).compareTo(wait) < 0) {
                    return;
                }
                PrimaryState after = primary.withQuarantined(new Quarantine(member, diagnosis.because()));
                turn.record(new JournalEntry.ResourceChanged(
                        after, turn.event(primary, after, row.id(), situation, text, List.of())));
            }
        }
    }

    /// What the member's server dropped at its start and nobody has, is told once (S16).
    private void tellDropped(PrimaryState primary, String member, String row) {
        List<String> dropped = turn.state().orders().values().stream()
                .filter(sent -> sent.host().equals(member))
                .map(Sent::outcome)
                .filter(Outcome.Done.class::isInstance)
                .map(outcome -> ((Outcome.Done) outcome).facts().getOrDefault(Command.Follow.DROPPED, ""))
                .filter(told -> !told.isEmpty())
                .toList();
        for (String told : dropped) {
            String text = member + " dropped at its start what nobody acknowledged and nobody has: " + told;
            turn.noteOnce(primary, id + "/" + member + "/" + told, row, "TAIL_DROPPED", text, List.of());
        }
    }

    /// The very server that was opened holds the role now and is writable.
    private boolean serves(PrimaryState primary) {
        String holder = String.valueOf(primary.holder());
        Evidence evidence = turn.evidence();
        return evidence.fresh(holder)
                && evidence.holds(holder, id, primary.epoch())
                && evidence.database(holder, group.name())
                        .map(d -> d.serverStart().equals(primary.incarnation()) && Boolean.FALSE.equals(d.readOnly()))
                        .orElse(false);
    }

    static String followKey(PrimaryState primary, String member) {
        return "follow/" + primary.id() + "/" + primary.epoch() + "/" + member;
    }

    /// An acker that has everything the primary has, in a run of its server that has lasted long enough for the
    /// primary's position to be from after its start, is journaled as complete in that run (S15).
    private void complete(PrimaryState primary, String member) {
        Evidence evidence = turn.evidence();
        Observation.Database seen = evidence.database(member, group.name()).orElse(null);
        Observation.Database source = evidence.database(String.valueOf(primary.holder()), group.name())
                .orElse(null);
        if (seen == null
                || source == null
                || !primary.ackers().contains(member)
                || primary.completeIn(member).equals(Optional.of(seen.serverStart()))
                || evidence.inStateFor(member, seen.key()).compareTo(Deadlines.SETTLED) < 0
                || !hasReceived(evidence, member, source.binlogPosition())) {
            return;
        }
        PrimaryState after = primary.withComplete(member, seen.serverStart());
        String text = member + " has everything that " + primary.holder() + " has, in this run of its server";
        turn.record(new JournalEntry.ResourceChanged(after, turn.event(primary, after, "", "", text, List.of())));
    }

    /// Journaled before the order leaves: from then on this member may acknowledge (S14).
    private void joinAckers(PrimaryState primary, String member, String row, String situation, String text) {
        if (primary.ackers().contains(member)) {
            return;
        }
        List<String> ackers = new ArrayList<>(primary.ackers());
        ackers.add(member);
        PrimaryState after = primary.withAckers(ackers, primary.alone())
                .withJoined(
                        member,
                        turn.evidence()
                                .database(member, group.name())
                                .map(Observation.Database::serverStart)
                                .orElse(""));
        turn.record(
                new JournalEntry.ResourceChanged(after, turn.event(primary, after, row, situation, text, List.of())));
    }

    /// A primary that opened alone goes back to waiting for acknowledgements when a follower has caught up; it is no
    /// longer alone when, after that, a follower has received all that the primary has.
    private void endBeingAlone(PrimaryState primary) {
        Evidence evidence = turn.evidence();
        String holder = String.valueOf(primary.holder());
        Optional<Observation.Database> seen = evidence.database(holder, group.name());
        if (seen.isEmpty() || !evidence.fresh(holder)) {
            return;
        }
        Optional<String> follower = group.members().stream()
                .filter(m -> !m.equals(holder) && primary.ackers().contains(m))
                .filter(evidence::fresh)
                .filter(m -> hasReceived(evidence, m, seen.get().binlogPosition()))
                .findFirst();
        if (follower.isEmpty()) {
            return;
        }
        Optional<Sent> sent = turn.ensure(
                holder,
                "acknowledged/" + id + "/" + primary.epoch(),
                Again.ALWAYS,
                Deadlines.RETRY,
                order -> new Command.OpenWrites(order, id, primary.epoch(), false));
        if (seen.get().semiSyncPrimary()
                && sent.isPresent()
                && sent.get().outcome() instanceof Outcome.Done
                && sent.get().answeredAt().isBefore(turn.now().mono())) {
            PrimaryState after = primary.withAckers(primary.ackers(), false);
            turn.record(new JournalEntry.ResourceChanged(
                    after,
                    turn.event(
                            primary,
                            after,
                            "",
                            "",
                            follower.get() + " follows and has everything: " + holder + " is no longer alone",
                            List.of())));
        }
    }

    private boolean hasReceived(Evidence evidence, String member, String position) {
        Observation.Replica replica = evidence.database(member, group.name())
                .map(Observation.Database::replica)
                .orElse(null);
        return replica != null
                && replica.receiver().equals("Yes")
                && GtidList.parse(replica.receivedPosition()).reached(GtidList.parse(position));
    }
}
