package dev.understudy.controller.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Event;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.core.notice.Incident;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.Notice.Kind;
import dev.understudy.core.notice.NoticeChange;
import dev.understudy.core.notice.Notices;
import dev.understudy.core.notice.Severity;
import dev.understudy.wire.json.Json;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// What people are to be told survives the journal and its snapshots.
class NoticeJournalTest {

    private static final Instant AT = Instant.parse("2026-11-30T03:12:45Z");

    private static Notice notice(String id) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            lines.add("…".repeat(500) + "\r\nBcc: x");
        }
        return new Notice(
                id,
                "I1",
                "",
                Kind.FIRING,
                Severity.CRITICAL,
                AT,
                AT,
                "a\nb",
                List.of("edge"),
                List.of("a@x.example"),
                lines,
                lines,
                lines,
                lines,
                List.of(),
                List.of(Channel.MAIL, Channel.WEBHOOK));
    }

    private static Journaled apply(Journaled state, NoticeChange change) {
        Event event =
                new Event("E" + state.nextEvent(), AT, "", null, "", "", "", "", null, 0, "told", List.of(), List.of());
        byte[] log = JournalCodec.writeProposal(
                new JournalCodec.Proposal(1, List.of(new JournalEntry.Noticed(change, event))));
        return state.apply(JournalCodec.readProposal(log).entries().getFirst());
    }

    @Test
    void aFullOutboxIsReadFromASnapshotAsItWas() {
        Incident incident = new Incident(
                "I1",
                AT,
                Severity.CRITICAL,
                "title",
                List.of("host/lb1"),
                List.of("edge"),
                List.of("a@x.example"),
                "I1.1",
                1,
                AT,
                0,
                new TreeMap<>(Map.of("key", "text")),
                List.of("line"),
                new Incident.Acknowledgement(AT, "ada", "on it"));
        Journaled state = apply(Journaled.empty(), NoticeChange.changed(Notices.NONE, incident));
        for (int i = 1; i <= Notices.MAX_OUTBOX; i++) {
            state = apply(state, NoticeChange.queueing(state.notices(), notice("I1." + i), AT));
        }
        byte[] snapshot = JournalCodec.writeState(state);
        assertThat(new String(snapshot, StandardCharsets.UTF_8).lines())
                .allMatch(line -> line.length() < Json.MAX_CHARS);
        assertThat(JournalCodec.readState(snapshot)).isEqualTo(state);
        assertThat(state.notices().outbox()).hasSize(Notices.MAX_OUTBOX);
        assertThat(state.notices().outbox().getFirst().title()).isEqualTo("a b");
        assertThat(state.notices().outbox().getFirst().happened())
                .hasSize(Notice.MAX_LINES)
                .allMatch(line -> line.length() <= Notice.MAX_LINE);
    }

    @Test
    void whatOneChannelHasWaitsForTheOtherOnly() {
        Journaled state = apply(Journaled.empty(), NoticeChange.queueing(Notices.NONE, notice("I1.1"), null));
        state = apply(state, NoticeChange.delivered(state.notices(), "I1.1", Channel.WEBHOOK));
        assertThat(state.notices().outbox()).extracting(Notice::pending).containsExactly(List.of(Channel.MAIL));
        state = apply(state, NoticeChange.delivered(state.notices(), "I1.1", Channel.MAIL));
        assertThat(state.notices().outbox()).isEmpty();
    }

    @Test
    void aSnapshotOfAControllerThatToldNobodyIsRead() {
        String old = new String(JournalCodec.writeState(Journaled.empty()), StandardCharsets.UTF_8)
                .replace(",\"told\":null", "");
        assertThat(old).doesNotContain("told");
        assertThat(JournalCodec.readState(old.getBytes(StandardCharsets.UTF_8)).notices())
                .isEqualTo(Notices.NONE);
    }
}
