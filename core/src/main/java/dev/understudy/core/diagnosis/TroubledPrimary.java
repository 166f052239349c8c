package dev.understudy.core.diagnosis;

import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Trouble;
import dev.understudy.protocol.ServiceState;
import java.util.List;
import java.util.Optional;

/// What can be wrong with the server of a primary whose agent is heard and holds its lease: alive but unable (a
/// lock, no connection left, no acknowledgement), which is never a reason to move, or not able to keep a write at
/// all.
final class TroubledPrimary {

    private TroubledPrimary() {}

    static Optional<Diagnosis<PrimarySituation>> of(
            Evidence evidence, PrimaryState primary, Optional<Observation.Database> seen) {
        String holder = String.valueOf(primary.holder());
        if (seen.isEmpty()) {
            return Optional.empty();
        }
        Observation.Database database = seen.get();
        boolean lasts = evidence.inStateFor(holder, database.key()).compareTo(Deadlines.HUNG) > 0;
        List<Trouble> troubles = database.troubles();
        if (lasts && troubles.contains(Trouble.READ_ONLY_DISK)) {
            return found(
                    PrimarySituation.READ_ONLY_DISK, "the file system of the database on " + holder + " is read-only");
        }
        if (lasts && troubles.contains(Trouble.DISK_FULL)) {
            return found(PrimarySituation.DISK_FULL, "the database on " + holder + " has no disk space left");
        }
        if (lasts && troubles.contains(Trouble.DISK_STALLED)) {
            return found(
                    PrimarySituation.DISK_STALLED, "the disk of the database on " + holder + " does not finish writes");
        }
        if (troubles.contains(Trouble.EXHAUSTED)) {
            return found(PrimarySituation.EXHAUSTED, "the database on " + holder + " has no connection left");
        }
        if (troubles.contains(Trouble.WRITES_BLOCKED)) {
            return found(PrimarySituation.WRITES_BLOCKED, "writes on " + holder + " wait for a lock, a backup or DDL");
        }
        if (troubles.contains(Trouble.SEMI_SYNC_BLOCKED)) {
            return found(PrimarySituation.SEMI_SYNC_BLOCKED, "commits on " + holder + " wait for an acknowledgement");
        }
        // other hosts look at the holder's agent, not at its server: that it answers says nothing of a hung server
        boolean answersNobody = database.health() == Health.UNKNOWN && database.service() == ServiceState.RUNNING;
        return lasts && answersNobody
                ? found(PrimarySituation.HUNG, "the database on " + holder + " lives and answers nobody")
                : Optional.empty();
    }

    /// Whether the situation is a reason to move.
    static boolean moves(PrimarySituation situation) {
        return switch (situation) {
            case HUNG, DISK_FULL, DISK_STALLED, READ_ONLY_DISK -> true;
            default -> false;
        };
    }

    private static Optional<Diagnosis<PrimarySituation>> found(PrimarySituation situation, String because) {
        return Optional.of(Diagnosis.of(situation, because));
    }
}
