package dev.understudy.controller.mail;

import dev.understudy.controller.config.ClusterFile;
import dev.understudy.controller.journal.Authority;
import dev.understudy.controller.loop.ControllerLoop;
import dev.understudy.controller.loop.Ticking;
import dev.understudy.controller.loop.View;
import dev.understudy.core.Decision.Answer;
import dev.understudy.core.Now;
import dev.understudy.core.OperatorRequest;
import dev.understudy.core.State;
import dev.understudy.core.notice.NoticeChange;
import dev.understudy.core.notice.Notices;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The site as those who tell people see it: what the loop has published, and the way to have something written
/// down. Any thread.
final class Site {

    static final String WHO = "mailer";

    private static final Duration ANSWER = Duration.ofSeconds(10);

    /// What a deposed leader has begun to send is over by then.
    private static final Duration SETTLED = Duration.ofSeconds(10);

    /// A view older than this means that the loop hangs.
    private static final Duration STALE = Duration.ofSeconds(10);

    private record Read(String text, NoticeSettings settings) {}

    private final ControllerLoop loop;
    private final Authority authority;
    private final Ticking clock;
    private volatile Read read = new Read("", NoticeSettings.NONE);

    Site(ControllerLoop loop, Authority authority, Ticking clock) {
        this.loop = loop;
        this.authority = authority;
        this.clock = clock;
    }

    Now now() {
        return clock.now();
    }

    /// The state, if this controller leads and its view is not stale.
    Optional<State> leading() {
        return loop.view()
                .filter(v -> now().mono().since(v.at().mono()).compareTo(STALE) < 0)
                .map(View::state)
                .filter(s -> s.leading() && s.journaled().spec() != null);
    }

    /// The state, if something may be sent: nobody else leads, nor did a moment ago.
    Optional<State> sending() {
        return leading()
                .filter(s -> authority.holds(s.term(), now().mono())
                        && now().mono().since(s.startedAt()).compareTo(SETTLED) >= 0);
    }

    NoticeSettings settings(State state) {
        String text = state.journaled().specText();
        Read known = read;
        if (known.text().equals(text)) {
            return known.settings();
        }
        NoticeSettings settings = ClusterFile.parse("cluster.yml", text) instanceof ClusterFile.Result.Good good
                ? good.notices()
                : NoticeSettings.NONE;
        read = new Read(text, settings);
        return settings;
    }

    /// Has it written down.
    ///
    /// @return null if it was not, and the caller has to look anew
    @Nullable
    Answer tell(NoticeChange change, String text) throws InterruptedException {
        try {
            Answer answer =
                    loop.ask(WHO, new OperatorRequest.Tell(change, text)).get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
            return answer.accepted() ? answer : null;
        } catch (TimeoutException | ExecutionException e) {
            return null;
        }
    }

    /// A change of what people are told, made from what is written down now; tried again when something else was
    /// written down meanwhile.
    interface Change {
        NoticeChange of(Notices notices);
    }

    /// @return whether it was written down
    boolean tell(Change change, String text) throws InterruptedException {
        for (int tries = 0; tries < 10; tries++) {
            Optional<State> state = leading();
            if (state.isEmpty()) {
                return false;
            }
            if (tell(change.of(state.get().journaled().notices()), text) != null) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return false;
    }
}
