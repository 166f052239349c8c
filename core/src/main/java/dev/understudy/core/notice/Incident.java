package dev.understudy.core.notice;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// One trouble from its beginning to its end, and so one thread of mails. Times are wall-clock times, since they
/// must mean the same after a restart of the controller.
///
/// @param id `I` and the number of the event with which it was journaled
/// @param severity the worst so far
/// @param title the same in the subject of each of its mails
/// @param topics the hosts (`host/db1`) and resources (`resource/shopdb/primary`) that it is about: what happens to
/// one of them belongs to it
/// @param to who has been told of it so far
/// @param first the id of the notice that opened it, to which all others answer
/// @param notices how many were queued
/// @param told when the latest was queued
/// @param reminders how many of them were reminders
/// @param active what was the matter when people were told last, by the key of the symptom
/// @param story what happened, oldest first, a line each
/// @param acknowledged null while nobody has said that he looks after it
public record Incident(
        String id,
        Instant opened,
        Severity severity,
        String title,
        List<String> topics,
        List<String> groups,
        List<String> to,
        String first,
        int notices,
        Instant told,
        int reminders,
        TreeMap<String, String> active,
        List<String> story,
        @Nullable Acknowledgement acknowledged) {

    /// So many lines of the story are kept: the first ones and the latest.
    public static final int MAX_STORY = 24;

    /// Somebody looks after it: no more reminders.
    public record Acknowledgement(Instant at, String by, String note) {
        public String describe() {
            return "acknowledged by " + by + (note.isEmpty() ? "" : ": " + note);
        }
    }

    /// An incident that is over.
    public record Past(
            String id, String title, Severity severity, List<String> groups, Instant opened, Instant closed) {
        public Past {
            groups = List.copyOf(groups);
        }
    }

    public Incident {
        topics = List.copyOf(topics);
        groups = List.copyOf(groups);
        to = List.copyOf(to);
        active = new TreeMap<>(active);
        story = List.copyOf(story);
    }

    public Incident acknowledged(Acknowledgement word) {
        return new Incident(
                id, opened, severity, title, topics, groups, to, first, notices, told, reminders, active, story, word);
    }

    public Past over(Instant at) {
        return new Past(id, title, severity, groups, opened, at);
    }

    /// The union of both, sorted.
    public static List<String> union(Collection<String> one, Collection<String> other) {
        TreeSet<String> all = new TreeSet<>(one);
        all.addAll(other);
        return List.copyOf(all);
    }
}
