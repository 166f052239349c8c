package dev.understudy.core.evidence;

import dev.understudy.protocol.ClusterSpec.Backup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.Observation;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The newest backup of a group on any of its members. What a silent host told before counts: its files do not get
/// younger.
///
/// @param at when it was written last; [Instant#EPOCH] if there is none
/// @param host who has it, empty if nobody does
public record NewestBackup(Instant at, String host, String file) {

    /// A leader that has just begun has not heard everybody.
    private static final Duration SETTLED = Duration.ofSeconds(10);

    /// Empty while that is not known: the group names no backups, this controller has just begun, or a member that is
    /// heard has not told yet.
    public static Optional<NewestBackup> of(Evidence evidence, DatabaseGroup group) {
        if (group.backup() == null || evidence.leading().compareTo(SETTLED) < 0) {
            return Optional.empty();
        }
        List<String> members = group.members();
        List<String> told = members.stream()
                .filter(m -> evidence.backup(m, group.name()).isPresent())
                .toList();
        if (told.isEmpty() || members.stream().anyMatch(m -> evidence.fresh(m) && !told.contains(m))) {
            return Optional.empty();
        }
        return told.stream()
                .map(m -> of(m, evidence.backup(m, group.name()).orElseThrow()))
                .max(Comparator.comparing(NewestBackup::at));
    }

    private static NewestBackup of(String member, Observation.Backup seen) {
        return seen.newestSeconds() == 0
                ? new NewestBackup(Instant.EPOCH, "", "")
                : new NewestBackup(Instant.ofEpochSecond(seen.newestSeconds()), member, seen.file());
    }

    public boolean none() {
        return host.isEmpty();
    }

    public boolean tooOld(Backup backup, Instant now) {
        return at.plus(backup.maxAge()).isBefore(now);
    }
}
