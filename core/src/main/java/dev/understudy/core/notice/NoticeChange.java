package dev.understudy.core.notice;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A change of [Notices]. What is named replaces what was there under the same id.
///
/// @param revision the revision that it was decided upon: another one refuses it
/// @param handled every event up to this number has been looked at
/// @param incidents new ones and changed ones
/// @param closed ids of incidents that are over, or of which nobody is told any more
/// @param past what is remembered of those that are over; null: as before, and those of `closed` beside
/// @param queued to be sent, after what waits already
/// @param delivered ids of notices that `channel` has, or will never have
/// @param channel which; null with nothing delivered
/// @param digest when the latest digest was due, null: as before
public record NoticeChange(
        long revision,
        long handled,
        List<Incident> incidents,
        List<String> closed,
        @Nullable List<Incident.Past> past,
        List<Notice> queued,
        List<String> delivered,
        Notice.@Nullable Channel channel,
        @Nullable Instant digest) {
    public NoticeChange {
        incidents = List.copyOf(incidents);
        closed = List.copyOf(closed);
        past = past == null ? null : List.copyOf(past);
        queued = List.copyOf(queued);
        delivered = List.copyOf(delivered);
    }

    /// Nothing but the number of the event up to which all was looked at.
    public static NoticeChange handled(long revision, long handled) {
        return new NoticeChange(revision, handled, List.of(), List.of(), null, List.of(), List.of(), null, null);
    }

    public static NoticeChange queueing(Notices notices, Notice notice, @Nullable Instant digest) {
        return new NoticeChange(
                notices.revision(),
                notices.handled(),
                List.of(),
                List.of(),
                null,
                List.of(notice),
                List.of(),
                null,
                digest);
    }

    /// Nobody is told anything from now on: what is open is followed no more.
    public static NoticeChange silence(Notices notices) {
        return new NoticeChange(
                notices.revision(),
                Notices.SILENT,
                List.of(),
                notices.incidents().stream().map(Incident::id).toList(),
                null,
                List.of(),
                List.of(),
                null,
                null);
    }

    public static NoticeChange delivered(Notices notices, String id, Notice.Channel channel) {
        return new NoticeChange(
                notices.revision(),
                notices.handled(),
                List.of(),
                List.of(),
                null,
                List.of(),
                List.of(id),
                channel,
                null);
    }

    public static NoticeChange changed(Notices notices, Incident incident) {
        return new NoticeChange(
                notices.revision(),
                notices.handled(),
                List.of(incident),
                List.of(),
                null,
                List.of(),
                List.of(),
                null,
                null);
    }

    public static NoticeChange remembering(Notices notices, List<Incident.Past> past) {
        return new NoticeChange(
                notices.revision(), notices.handled(), List.of(), List.of(), past, List.of(), List.of(), null, null);
    }
}
