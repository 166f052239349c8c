package dev.understudy.core.plan;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.ResourceState.Quarantine;
import dev.understudy.core.State.Sent;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.diagnosis.Diagnosis;
import dev.understudy.core.diagnosis.MemberDiagnosis;
import dev.understudy.core.diagnosis.MemberSituation;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.core.policy.MemberPolicy;
import dev.understudy.core.policy.MemberPolicy.Standing;
import dev.understudy.core.policy.PolicyTable.Row;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
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
            if (turn.resource(id) instanceof PrimaryState primary
                    && primary.steady()
                    && !member.equals(primary.holder())) {
                keep(primary, member);
            }
        }
        if (turn.resource(id) instanceof PrimaryState primary && primary.steady() && primary.alone()) {
            endBeingAlone(primary);
        }
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
        switch (row.action()) {
            case NONE -> turn.nothingToSay(subject);
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
                PrimaryState after = primary.withQuarantined(new Quarantine(member, diagnosis.because()));
                turn.record(new JournalEntry.ResourceChanged(
                        after, turn.event(primary, after, row.id(), situation, text, List.of())));
            }
        }
    }

    static String followKey(PrimaryState primary, String member) {
        return "follow/" + primary.id() + "/" + primary.epoch() + "/" + member;
    }

    /// Journaled before the order leaves: from then on this member may acknowledge (S14).
    private void joinAckers(PrimaryState primary, String member, String row, String situation, String text) {
        if (primary.ackers().contains(member)) {
            return;
        }
        List<String> ackers = new ArrayList<>(primary.ackers());
        ackers.add(member);
        PrimaryState after = primary.withAckers(ackers, primary.alone());
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
