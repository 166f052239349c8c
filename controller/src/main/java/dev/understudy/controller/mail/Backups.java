package dev.understudy.controller.mail;

import dev.understudy.core.Now;
import dev.understudy.core.State;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.NewestBackup;
import dev.understudy.core.notice.Severity;
import dev.understudy.core.notice.Symptom;
import dev.understudy.protocol.ClusterSpec.Backup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Groups whose newest backup is older than `backup: max_age` allows. Pure.
final class Backups {

    private Backups() {}

    static List<Symptom> tooOld(State state, Now now) {
        Evidence evidence = new Evidence(state, now);
        List<Symptom> old = new ArrayList<>();
        for (Group group : evidence.spec().groups()) {
            if (group instanceof DatabaseGroup database && database.backup() != null) {
                Backup backup = database.backup();
                NewestBackup.of(evidence, database)
                        .filter(newest -> newest.tooOld(backup, now.wall()))
                        .ifPresent(newest -> old.add(symptom(database, backup, newest)));
            }
        }
        return old;
    }

    /// Its text stays the same as long as there is no other backup.
    private static Symptom symptom(DatabaseGroup group, Backup backup, NewestBackup newest) {
        String text = newest.none()
                ? group.name() + ": no member has a backup (" + backup.glob() + ")"
                : "the newest backup of " + group.name() + " is of " + newest.at() + " (" + newest.host() + ": "
                        + newest.file() + "), more than "
                        + backup.maxAge().toString().substring(2).toLowerCase(java.util.Locale.ROOT) + " ago";
        return new Symptom(
                "backup/" + group.name(),
                2,
                Severity.CRITICAL,
                text,
                List.of("backup/" + group.name()),
                List.of(group.name()),
                Duration.ZERO,
                "");
    }
}
