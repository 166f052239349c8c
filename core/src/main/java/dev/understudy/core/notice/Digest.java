package dev.understudy.core.notice;

import dev.understudy.core.Event;
import dev.understudy.core.Now;
import dev.understudy.core.State;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.notice.Notice.Kind;
import dev.understudy.protocol.ClusterSpec.Group;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// What a day was like, and a mail that only shows that mails arrive.
public final class Digest {

    private Digest() {}

    /// @param due when it was due; its id says so, so that it is never queued twice
    /// @param from when the one before was due
    public static Notice of(State state, Now now, Instant due, Instant from, Audience audience) {
        Evidence evidence = new Evidence(state, now);
        Facts facts = new Facts(evidence);
        Notices notices = state.journaled().notices();
        List<String> groups = groups(state);
        List<String> happened = new ArrayList<>();
        notices.past().stream()
                .filter(p -> p.closed().isAfter(from))
                .forEach(p -> happened.add(p.id() + " " + p.title() + " (over after "
                        + Facts.length(Duration.between(p.opened(), p.closed())) + ")"));
        if (happened.isEmpty()) {
            happened.add("no incident ended since " + from);
        }
        List<String> done = state.journaled().events().stream()
                .filter(e -> e.at().isAfter(from) && moved(e))
                .map(e -> Facts.at(e.at(), e.id() + " " + e.resource() + " " + e.to() + ", holder " + e.holder()))
                .toList();
        List<String> risk = new ArrayList<>();
        notices.incidents()
                .forEach(i -> risk.add("open: " + i.id() + " " + i.title()
                        + (i.acknowledged() == null
                                ? ""
                                : " (" + i.acknowledged().describe() + ")")));
        risk.addAll(facts.readiness(groups));
        List<String> to = audience.of(groups, Severity.CRITICAL);
        return new Notice(
                "D" + due.getEpochSecond(),
                "",
                "",
                Kind.DIGEST,
                Severity.INFO,
                now.wall(),
                now.wall(),
                "since " + from,
                groups,
                to,
                happened,
                done.isEmpty() ? List.of("nothing was moved") : done,
                risk,
                List.of("understudy status", "understudy events"),
                facts.topology(),
                audience.channels(to));
    }

    /// @param who asked for it
    public static Notice test(State state, Now now, String who, Audience audience) {
        List<String> groups = groups(state);
        List<String> to = audience.of(groups, Severity.CRITICAL);
        return new Notice(
                "T" + state.journaled().nextEvent(),
                "",
                "",
                Kind.TEST,
                Severity.INFO,
                now.wall(),
                now.wall(),
                "a test, nothing is the matter",
                groups,
                to,
                List.of(who + " asked for this mail"),
                List.of("nothing"),
                List.of(),
                List.of("understudy status"),
                new Facts(new Evidence(state, now)).topology(),
                audience.channels(to));
    }

    private static boolean moved(Event event) {
        return event.resource() != null
                && !event.from().equals(event.to())
                && event.to().equals("HELD");
    }

    private static List<String> groups(State state) {
        return state.spec().groups().stream().map(Group::name).toList();
    }
}
