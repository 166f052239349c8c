package dev.understudy.core;

import dev.understudy.protocol.ResourceId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The record of one decision, or of a decision not to act: what was seen, what it was taken for, which row of which
/// table said what to do. The same id stands in the journal, the log, the page and the CLI.
///
/// @param id `E1`, `E2`, … rising
/// @param plan the plan that this belongs to (`P7`), empty for none
/// @param resource null for events of the whole cluster
/// @param row the row of the policy table, empty where no table was asked
/// @param evidence what each observer saw, a line each
/// @param candidates every member that was considered, with the reason
public record Event(
        String id,
        Instant at,
        String plan,
        @Nullable ResourceId resource,
        String row,
        String situation,
        String from,
        String to,
        @Nullable String holder,
        long epoch,
        String text,
        List<String> evidence,
        List<Candidate> candidates) {
    public Event {
        evidence = List.copyOf(evidence);
        candidates = List.copyOf(candidates);
    }

    /// A member that could take over, or the reason why it could not.
    public record Candidate(String host, boolean eligible, String reason) {}

    /// One line for the log.
    public String describe() {
        StringBuilder line = new StringBuilder("event=").append(id);
        if (resource != null) {
            line.append(" resource=").append(resource).append(" epoch=").append(epoch);
        }
        if (!row.isEmpty()) {
            line.append(" row=").append(row).append(" situation=").append(situation);
        }
        if (!from.equals(to)) {
            line.append(" phase=").append(from).append("->").append(to);
        }
        return line.append(" text=\"").append(text).append('"').toString();
    }
}
