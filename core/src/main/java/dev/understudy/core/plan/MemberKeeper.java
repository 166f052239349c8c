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
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.MemberPolicy;
import dev.understudy.core.policy.MemberPolicy.Standing;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Brings the other members back behind a steady primary, or sees them off. Carries out [MemberPolicy].
public final class MemberKeeper {

    private final Turn turn;
    private final ResourceId id;
    private final DatabaseGroup group;
    private final AckerKeeper ackers;

    public MemberKeeper(Turn turn, ResourceId id, DatabaseGroup group) {
        this.turn = turn;
        this.id = id;
        this.group = group;
        ackers = new AckerKeeper(turn, id, group);
    }

    public void advance() {
        if (turn.resource(id) instanceof PrimaryState before) {
            List<String> staying = before.ackers().stream()
                    .filter(m -> row(diagnosis(before, m)).action() != MemberPolicy.Action.PART)
                    .toList();
            // those that are in the group no more are kept until they have left
            Stream.concat(group.members().stream(), before.ackers().stream())
                    .distinct()
                    .forEach(member -> {
                        if (turn.resource(id) instanceof PrimaryState primary && isKept(primary, member)) {
                            keep(primary, member, staying);
                        }
                    });
            if (turn.resource(id) instanceof PrimaryState primary
                    && primary.steady()
                    && !turn.evidence().blind()) {
                ackers.settle(primary, staying);
            }
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

    private Diagnosis<MemberSituation> diagnosis(PrimaryState primary, String member) {
        return MemberDiagnosis.of(
                turn.evidence(),
                primary,
                member,
                Optional.ofNullable(turn.state().orders().get(followKey(primary, member))));
    }

    private static Row<Standing, MemberSituation, MemberPolicy.Action> row(Diagnosis<MemberSituation> diagnosis) {
        return MemberPolicy.TABLE.row(Standing.BESIDE_A_PRIMARY, diagnosis.situation());
    }

    private void keep(PrimaryState primary, String member, List<String> staying) {
        String base = followKey(primary, member);
        Diagnosis<MemberSituation> diagnosis = diagnosis(primary, member);
        Row<Standing, MemberSituation, MemberPolicy.Action> row = row(diagnosis);
        String text = diagnosis.because() + ": " + row.because();
        String situation = diagnosis.situation().name();
        String subject = id + "/" + member;
        boolean measured = row.action() == MemberPolicy.Action.FOLLOW || row.action() == MemberPolicy.Action.QUARANTINE;
        if (measured && !ackers.serves(primary)) {
            return; // a primary that was restarted may lack rows that were acknowledged (S16): nobody is compared with
            // it
        }
        switch (row.action()) {
            case NONE -> {
                turn.nothingToSay(subject);
                tellDropped(primary, member, row.id());
                if (diagnosis.situation() == MemberSituation.FOLLOWING && ackers.serves(primary)) {
                    // an order to follow can be carried out long after it was given: whoever follows may acknowledge
                    ackers.join(primary, member, row.id(), situation, text);
                    if (turn.resource(id) instanceof PrimaryState now && ackers.isLetIn(now, member)) {
                        ackers.complete(now, member);
                    }
                }
            }
            case NOTE -> turn.noteOnce(primary, subject, row.id(), situation, text, List.of());
            case FOLLOW -> {
                ackers.join(primary, member, row.id(), situation, text);
                if (!(turn.resource(id) instanceof PrimaryState now) || !ackers.isLetIn(now, member)) {
                    return;
                }
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
            case PART -> {
                if (diagnosis.situation() == MemberSituation.BEING_REBUILT
                        && ackers.isMissed(primary, member, staying)) {
                    String missed = member + " acknowledges, and nobody else would: it leaves when another has what "
                            + primary.holder() + " has";
                    turn.noteOnce(primary, subject, row.id(), situation, missed, List.of());
                    return;
                }
                turn.nothingToSay(subject);
                if (!turn.evidence().blind()) {
                    ackers.part(primary, member, staying, row.id(), situation, text);
                }
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
                .sorted()
                .toList();
        for (String told : dropped) {
            String text = member + " dropped at its start what nobody acknowledged and nobody has: " + told;
            turn.noteOnce(primary, id + "/" + member + "/" + told, row, "TAIL_DROPPED", text, List.of());
        }
    }

    static String followKey(PrimaryState primary, String member) {
        return "follow/" + primary.id() + "/" + primary.epoch() + "/" + member;
    }
}
