package dev.understudy.core.diagnosis;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.Reading;
import dev.understudy.core.evidence.Reading.Grade;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Whether a reader address whose holder lives and serves would be better elsewhere. It leaves a replica that has
/// been unfit for [Deadlines#READER_LEAVES] without a break, and goes to a replica, from there or from the primary,
/// only when that one has been close behind for [Deadlines#READER_RETURNS] without a break, and from the primary only
/// when it has been there for as long: so it never flaps faster than that.
final class ReaderDiagnosis {

    private ReaderDiagnosis() {}

    /// Empty when it may stay, and for an address that is not for reads.
    static Optional<Diagnosis<AddressSituation>> of(Evidence evidence, AddressState address, String holder) {
        DatabaseGroup group = evidence.readsOf(address.id().group()).orElse(null);
        Reader reader = group == null ? null : group.reader();
        if (group == null || reader == null) {
            return Optional.empty();
        }
        Reading reading = Reading.of(evidence, group, reader, holder);
        return switch (reading.grade()) {
            case WELL, WITHIN -> Optional.empty();
            case UNFIT ->
                lasts(evidence, group, holder, Grade.UNFIT, Deadlines.READER_LEAVES)
                        ? Optional.of(behind(evidence, address, group, holder + " " + reading.because()))
                        : Optional.empty();
            case PRIMARY -> atPrimary(evidence, address, group, holder);
        };
    }

    /// Whether a primary is steady, without which nobody can tell what is too old; true for an address that is not
    /// for reads.
    static boolean hasPrimary(Evidence evidence, AddressState address) {
        ResourceState primary = evidence.state()
                .journaled()
                .resources()
                .get(ResourceId.primary(address.id().group()));
        return evidence.readsOf(address.id().group()).isEmpty() || (primary != null && primary.steady());
    }

    private static Diagnosis<AddressSituation> behind(
            Evidence evidence, AddressState address, DatabaseGroup group, String because) {
        List<Candidate> candidates = rested(evidence, address, group);
        return AddressCandidates.best(candidates).isPresent()
                ? allowed(evidence, group, AddressSituation.READER_BEHIND, because, candidates)
                : new Diagnosis<>(AddressSituation.NO_CANDIDATE, because + ", and nobody would be better", candidates);
    }

    private static Optional<Diagnosis<AddressSituation>> atPrimary(
            Evidence evidence, AddressState address, DatabaseGroup group, String holder) {
        if (evidence.inPhase(address.id()).compareTo(Deadlines.READER_RETURNS) < 0) {
            return Optional.empty(); // it has just come here, perhaps because an operator said so
        }
        List<Candidate> candidates = rested(evidence, address, group);
        return AddressCandidates.best(candidates)
                .map(best -> allowed(
                        evidence,
                        group,
                        AddressSituation.READER_AT_PRIMARY,
                        holder + " is the primary, and " + best + " has been close behind for "
                                + Deadlines.READER_RETURNS.toSeconds() + " s",
                        candidates));
    }

    private static Diagnosis<AddressSituation> allowed(
            Evidence evidence,
            DatabaseGroup group,
            AddressSituation situation,
            String because,
            List<Candidate> candidates) {
        return evidence.mode(group.name()) == Mode.AUTOMATIC
                ? new Diagnosis<>(situation, because, candidates)
                : new Diagnosis<>(
                        AddressSituation.HELD_BACK, because + ", but " + evidence.restraint(group.name()), candidates);
    }

    /// The candidates, without replicas that have not been close behind for long.
    private static List<Candidate> rested(Evidence evidence, AddressState address, DatabaseGroup group) {
        return AddressCandidates.of(evidence, address).stream()
                .map(c -> !c.eligible()
                                || lasts(evidence, group, c.host(), Grade.PRIMARY, Duration.ZERO)
                                || lasts(evidence, group, c.host(), Grade.WELL, Deadlines.READER_RETURNS)
                        ? c
                        : new Candidate(c.host(), false, c.reason() + ", and has not been close behind for long"))
                .toList();
    }

    private static boolean lasts(Evidence evidence, DatabaseGroup group, String member, Grade grade, Duration length) {
        return evidence.gradedFor(group.name(), member, grade)
                .filter(so -> so.compareTo(length) >= 0)
                .isPresent();
    }
}
