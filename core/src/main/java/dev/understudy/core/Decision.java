package dev.understudy.core;

import dev.understudy.protocol.ControllerMessage;
import java.util.List;

/// What follows from one input. The shell commits `journal` before it sends anything.
public record Decision(State next, List<Send> sends, List<JournalEntry> journal, List<Answer> answers) {
    public Decision {
        sends = List.copyOf(sends);
        journal = List.copyOf(journal);
        answers = List.copyOf(answers);
    }

    /// A message for the agent of a host; dropped if it is not connected (it will be decided again).
    public record Send(String host, ControllerMessage message) {}

    /// The answer to an operator's request.
    ///
    /// @param event the id of the event that the request caused, empty if refused
    public record Answer(String requestId, boolean accepted, String text, String event) {}
}
