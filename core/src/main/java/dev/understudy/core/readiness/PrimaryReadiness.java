package dev.understudy.core.readiness;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.core.readiness.Blocker.Reason;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What is special about a primary: nobody may take over without every acknowledged write.
final class PrimaryReadiness {

    private PrimaryReadiness() {}

    /// The other members' verdicts, the eligible first; what else is in the way is added to `blockers`.
    static List<Candidate> of(Evidence evidence, PrimaryState primary, List<Blocker> blockers) {
        if (primary.alone()) {
            blockers.add(new Blocker(Reason.ALONE, "the primary runs alone: nobody else has what it commits"));
        }
        semiSync(evidence, primary).ifPresent(because -> blockers.add(new Blocker(Reason.SEMI_SYNC, because)));
        if (primary.members().promotable().isEmpty()) {
            blockers.add(new Blocker(Reason.NOBODY_PROMOTABLE, "no member is known to have every acknowledged write"));
        }
        for (String acker : primary.ackers()) {
            unsure(evidence, primary, acker)
                    .ifPresent(because -> blockers.add(new Blocker(Reason.ACKER_UNSURE, because)));
        }
        List<Candidate> candidates = candidates(evidence, primary);
        if (candidates.stream().noneMatch(Candidate::eligible)) {
            List<String> behind = candidates.stream()
                    .filter(c -> followsFarBehind(evidence, primary, c))
                    .map(c -> c.host() + " " + c.reason().replaceFirst("^it ", ""))
                    .toList();
            if (!behind.isEmpty()) {
                blockers.add(new Blocker(
                        Reason.LAG, String.join(", ", behind) + ": it would have to catch up before it could open"));
            }
        }
        return candidates;
    }

    /// Only what the primary itself says counts: without its word nothing is known.
    private static Optional<String> semiSync(Evidence evidence, PrimaryState primary) {
        String holder = primary.holder();
        if (holder == null || !primary.steady() || primary.alone() || !evidence.fresh(holder)) {
            return Optional.empty();
        }
        return evidence.database(holder, primary.id().group())
                .filter(seen -> seen.health() == Health.UP && seen.readOnly() != null)
                .filter(seen -> !seen.semiSyncPrimary() || seen.semiSyncClients() == 0)
                .map(seen -> seen.semiSyncPrimary()
                        ? "no replica is connected to " + holder + " semi-synchronously"
                        : holder + " does not wait for acknowledgements");
    }

    private static Optional<String> unsure(Evidence evidence, PrimaryState primary, String acker) {
        Optional<Observation.Database> seen = evidence.database(
                        acker, primary.id().group())
                .filter(d -> evidence.fresh(acker) && d.health() == Health.UP);
        if (seen.isEmpty()) {
            return Optional.of(acker + " may have acknowledged a write and does not answer: a failover would wait");
        }
        return primary.vouches(acker, seen.get().serverStart())
                ? Optional.empty()
                : Optional.of(acker + " was restarted since it acknowledged and has not been seen with everything");
    }

    /// Whoever could be the target of a planned move, if its disk works and it has every acknowledged write.
    private static List<Candidate> candidates(Evidence evidence, PrimaryState primary) {
        Map<String, Candidate> standIns = PrimaryCandidates.standIns(evidence, primary).stream()
                .collect(Collectors.toMap(Candidate::host, Function.identity()));
        List<String> promotable = primary.members().promotable();
        List<Candidate> eligible = new ArrayList<>();
        List<Candidate> others = new ArrayList<>();
        for (Candidate move : PrimaryCandidates.forMove(evidence, primary)) {
            Candidate standIn = standIns.get(move.host());
            Candidate verdict = move.eligible() && standIn != null && !standIn.eligible() ? standIn : move;
            if (verdict.eligible() && !promotable.isEmpty() && !promotable.contains(move.host())) {
                verdict = new Candidate(move.host(), false, "it is not known to have every acknowledged write");
            }
            (verdict.eligible() ? eligible : others).add(verdict);
        }
        eligible.addAll(others);
        return eligible;
    }

    private static boolean followsFarBehind(Evidence evidence, PrimaryState primary, Candidate candidate) {
        String group = primary.id().group();
        boolean follows = evidence.database(candidate.host(), group)
                .map(Observation.Database::replica)
                .filter(r -> r.receiver().equals("Yes") && r.applier().equals("Yes"))
                .isPresent();
        return follows
                && evidence.fresh(candidate.host())
                && ReplicationLag.of(evidence, group, candidate.host())
                        .filter(PrimaryCandidates::lagsTooMuch)
                        .isPresent();
    }
}
