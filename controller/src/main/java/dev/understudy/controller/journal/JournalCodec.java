package dev.understudy.controller.journal;

import dev.understudy.core.Event;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.wire.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/// What stands in the journal and its snapshots, as text that a person can read. Thread-safe.
///
/// A log entry is one JSON object. A snapshot is lines of JSON: the state without its events, then one event a
/// line, so that no line comes near [Json#MAX_CHARS].
final class JournalCodec {

    /// What is written for one decision, as one Raft log entry: all of it or nothing.
    ///
    /// @param term the leader's term when it decided
    record Proposal(long term, List<JournalEntry> entries) {
        Proposal {
            entries = List.copyOf(entries);
        }
    }

    private static final JsonMapper JSON = Json.mapper();

    private JournalCodec() {}

    static byte[] writeProposal(Proposal proposal) {
        return JSON.writeValueAsBytes(proposal);
    }

    static Proposal readProposal(byte[] bytes) {
        return JSON.readValue(bytes, Proposal.class);
    }

    static byte[] writeState(Journaled state) {
        StringBuilder lines = new StringBuilder();
        lines.append(JSON.writeValueAsString(state.withEvents(List.of()))).append('\n');
        state.events()
                .forEach(event -> lines.append(JSON.writeValueAsString(event)).append('\n'));
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    static Journaled readState(byte[] bytes) {
        List<String> lines = new String(bytes, StandardCharsets.UTF_8).lines().toList();
        List<Event> events = new ArrayList<>();
        lines.subList(1, lines.size()).forEach(line -> events.add(JSON.readValue(line, Event.class)));
        return JSON.readValue(lines.getFirst(), Journaled.class).withEvents(events);
    }
}
