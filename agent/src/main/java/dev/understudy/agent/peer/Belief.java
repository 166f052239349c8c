package dev.understudy.agent.peer;

import dev.understudy.agent.peer.HttpLook.Seen;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation.Reach;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What one observer believes of one other side. An answer and a refusal are believed at once. Silence is believed
/// when nothing came for a while: one lost probe is not silence, and neither is a time in which the observer itself
/// did not look (S8). Pure; confined to one thread.
final class Belief {

    private final Duration patience;
    private @Nullable Moment heard;
    private @Nullable Moment looked;
    private boolean everAnswered;

    Belief(Duration patience) {
        this.patience = patience;
    }

    /// @param ended when the look ended
    /// @return what is to be said of the other side, empty while it is not known
    Optional<Seen> after(Seen seen, Moment ended) {
        Moment last = looked;
        Moment since = heard;
        if (since == null || last == null || seen.at().since(last).compareTo(patience) > 0) {
            since = seen.at(); // the observer slept: it knows nothing of that time
        }
        looked = ended;
        heard = since;
        if (seen.reach() == Reach.ANSWERS || seen.reach() == Reach.REFUSES) {
            heard = ended;
            everAnswered = true;
            return Optional.of(seen);
        }
        if (seen.detail().equals(HttpLook.NO_ROUTE) && !everAnswered) {
            return Optional.empty(); // this host is on other networks: no eye at all
        }
        return ended.since(since).compareTo(patience) < 0 ? Optional.empty() : Optional.of(seen);
    }

    /// Nothing is known any more.
    void forget() {
        heard = null;
        looked = null;
        everAnswered = false;
    }
}
