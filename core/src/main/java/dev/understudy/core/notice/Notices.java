package dev.understudy.core.notice;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What people have been told and are to be told. Journaled, and so the spool of everything that is sent: a notice
/// is in it until each of its channels has it.
///
/// @param revision rises with each change
/// @param handled the number of the event up to which all was looked at, or [#SILENT]
/// @param incidents open ones, oldest first
/// @param past the latest that are over, oldest first, at most [#MAX_PAST]
/// @param outbox what is to be sent, in this order, at most [#MAX_OUTBOX]
/// @param recent when the latest were queued, oldest first, of the last hour only
/// @param digest when the latest digest was due
public record Notices(
        long revision,
        long handled,
        List<Incident> incidents,
        List<Incident.Past> past,
        List<Notice> outbox,
        List<Instant> recent,
        @Nullable Instant digest) {

    /// Who has more to say waits: it will stand in the incident's next notice.
    public static final int MAX_OUTBOX = 40;

    public static final int MAX_INCIDENTS = 50;
    public static final int MAX_PAST = 100;

    /// Nobody is told anything: it begins anew with what happens thereafter.
    public static final long SILENT = -1;

    public static final Notices NONE = new Notices(0, SILENT, List.of(), List.of(), List.of(), List.of(), null);

    private static final Duration RECENT = Duration.ofHours(1);

    public Notices {
        incidents = List.copyOf(incidents);
        past = List.copyOf(past);
        outbox = List.copyOf(outbox);
        recent = List.copyOf(recent);
    }

    public Optional<Incident> incident(String id) {
        return incidents.stream().filter(i -> i.id().equalsIgnoreCase(id)).findFirst();
    }

    /// How many were queued within the hour before.
    public long queuedSince(Instant from) {
        return recent.stream().filter(at -> at.isAfter(from)).count();
    }

    /// @param at when it was journaled
    public Notices after(NoticeChange change, Instant at) {
        Map<String, Incident> open = new LinkedHashMap<>();
        incidents.forEach(i -> open.put(i.id(), i));
        change.incidents().forEach(i -> open.put(i.id(), i));
        List<Incident.Past> over = new ArrayList<>(change.past() == null ? past : change.past());
        for (String id : change.closed()) {
            Incident closed = open.remove(id);
            if (closed != null) {
                over.add(closed.over(at));
            }
        }
        List<Notice> waiting = new ArrayList<>();
        for (Notice notice : outbox) {
            Notice.Channel channel = change.channel();
            Notice next =
                    channel != null && change.delivered().contains(notice.id()) ? notice.delivered(channel) : notice;
            if (!next.pending().isEmpty()) {
                waiting.add(next);
            }
        }
        List<Instant> queued = new ArrayList<>(recent);
        for (Notice notice : change.queued()) {
            if (!notice.pending().isEmpty()) {
                waiting.add(notice);
                queued.add(notice.at());
            }
        }
        queued.removeIf(q -> !q.isAfter(at.minus(RECENT)));
        return new Notices(
                revision + 1,
                change.handled(),
                List.copyOf(open.values()),
                over.subList(Math.max(0, over.size() - MAX_PAST), over.size()),
                waiting,
                queued,
                change.digest() == null ? digest : change.digest());
    }
}
