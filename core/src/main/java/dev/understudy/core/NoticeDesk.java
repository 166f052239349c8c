package dev.understudy.core;

import dev.understudy.core.notice.Incident;
import dev.understudy.core.notice.Incident.Acknowledgement;
import dev.understudy.core.notice.NoticeChange;
import dev.understudy.core.notice.Notices;
import dev.understudy.core.plan.Turn;
import java.util.Optional;

/// Where what people are told is written down.
final class NoticeDesk {

    private final Turn turn;
    private final String request;
    private final String who;

    NoticeDesk(Turn turn, Input.Operator operator) {
        this.turn = turn;
        this.request = operator.requestId();
        this.who = operator.who();
    }

    void acknowledge(OperatorRequest.Acknowledge word) {
        Notices notices = notices();
        Optional<Incident> found = notices.incident(word.incident());
        if (found.isEmpty()) {
            refuse("there is no open incident '" + word.incident() + "'"
                    + (notices.incidents().isEmpty() ? "" : " (open: " + open(notices) + ")"));
            return;
        }
        Incident incident = found.get();
        Acknowledgement before = incident.acknowledged();
        if (before != null) {
            refuse(incident.id() + " was " + before.describe() + " already");
            return;
        }
        Acknowledgement now = new Acknowledgement(turn.now().wall(), who, word.note());
        String text = "incident " + incident.id() + " (" + incident.title() + ") " + now.describe();
        String event = turn.nextEventId();
        turn.record(
                new JournalEntry.Noticed(NoticeChange.changed(notices, incident.acknowledged(now)), turn.event(text)));
        turn.answer(request, true, text, event);
    }

    void tell(OperatorRequest.Tell tell) {
        if (tell.change().revision() != notices().revision()) {
            refuse("something else was told meanwhile");
            return;
        }
        String event = turn.nextEventId();
        turn.record(new JournalEntry.Noticed(tell.change(), turn.event(tell.text())));
        turn.answer(request, true, tell.text(), event);
    }

    private Notices notices() {
        return turn.state().journaled().notices();
    }

    private static String open(Notices notices) {
        return String.join(", ", notices.incidents().stream().map(Incident::id).toList());
    }

    private void refuse(String text) {
        turn.answer(request, false, text, "");
    }
}
