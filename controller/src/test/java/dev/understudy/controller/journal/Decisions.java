package dev.understudy.controller.journal;

import dev.understudy.core.Decision;
import dev.understudy.core.Decision.Send;
import dev.understudy.core.Event;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.core.Now;
import dev.understudy.core.State;
import dev.understudy.protocol.Moment;
import java.time.Instant;
import java.util.List;

/// Decisions as the core would make them.
final class Decisions {

    private Decisions() {}

    static Event event(Journaled journaled, String text) {
        return new Event(
                "E" + journaled.nextEvent(),
                Instant.EPOCH,
                "",
                null,
                "",
                "",
                "",
                "",
                null,
                0,
                text,
                List.of("lb1: up"),
                List.of(new Event.Candidate("lb2", true, "well")));
    }

    static Decision noting(Journaled journaled, String text, Send... sends) {
        JournalEntry entry = new JournalEntry.Noted(event(journaled, text));
        State next = state(journaled.apply(entry));
        return new Decision(next, List.of(sends), List.of(entry), List.of());
    }

    static Decision withoutEntries(Journaled journaled, Send... sends) {
        return new Decision(state(journaled), List.of(sends), List.of(), List.of());
    }

    private static State state(Journaled journaled) {
        return State.start(journaled, 1, new Now(new Moment(0), Instant.EPOCH));
    }
}
