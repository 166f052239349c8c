package dev.understudy.controller.mail;

import dev.understudy.core.State;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.NoticeChange;
import dev.understudy.wire.metrics.Metrics;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands over what waits in the journal, for one channel, in its order; what was handed over is written down. What
/// cannot be handed over now is tried again, after 2 s at first and a minute at most, and everything after it
/// waits. What the other side refuses for good three times is given up, so that it holds nothing else up.
///
/// Between the other side's word and the journal's a controller can be killed: then the next one sends the same
/// message again, under the same id. A message is never lost for that.
final class Postman implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(Postman.class);
    private static final Duration IDLE = Duration.ofMillis(200);
    private static final Duration FIRST_WAIT = Duration.ofSeconds(2);
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);
    private static final int TRIES_OF_REFUSED = 3;

    /// Hands one over; blocks.
    interface Handing {
        Delivery hand(Notice notice, State state);
    }

    private final Channel channel;
    private final String name;
    private final Site site;
    private final Handing handing;
    private final Metrics metrics;
    private final Set<String> handed = new HashSet<>();
    private final Map<String, Integer> refusals = new HashMap<>();
    private volatile String trouble = "";
    private Duration wait = FIRST_WAIT;

    Postman(Channel channel, Site site, Handing handing, Metrics metrics) {
        this.channel = channel;
        this.name = channel.name().toLowerCase(Locale.ROOT);
        this.site = site;
        this.handing = handing;
        this.metrics = metrics;
        for (Delivery.Result result : Delivery.Result.values()) {
            var _ = count(result);
        }
        metrics.gauge(
                "understudy_notifications_waiting",
                "Notices that are to be sent",
                () -> site.leading().map(s -> (double) waiting(s)).orElse(0.0),
                "channel",
                name);
    }

    private Metrics.Count count(Delivery.Result result) {
        return metrics.counter(
                "understudy_notifications_total",
                "Attempts to send a notice, by their end: done, later, refused",
                "channel",
                name,
                "result",
                result.name().toLowerCase(Locale.ROOT));
    }

    private long waiting(State state) {
        return state.journaled().notices().outbox().stream()
                .filter(n -> n.pending().contains(channel))
                .count();
    }

    /// Why the last attempt failed, empty when it did not.
    String trouble() {
        return trouble;
    }

    @Override
    public void run() {
        try {
            while (true) {
                Optional<State> state = site.sending();
                Optional<Notice> next = state.flatMap(s -> s.journaled().notices().outbox().stream()
                        .filter(n -> n.pending().contains(channel))
                        .findFirst());
                if (next.isEmpty()) {
                    TimeUnit.NANOSECONDS.sleep(IDLE.toNanos());
                } else {
                    deliver(next.get(), state.get());
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void deliver(Notice notice, State state) throws InterruptedException {
        if (handed.contains(notice.id())) {
            written(notice, "");
            return;
        }
        Delivery delivery = handing.hand(notice, state);
        count(delivery.result()).increment();
        switch (delivery.result()) {
            case DONE -> {
                handed.add(notice.id());
                wait = FIRST_WAIT;
                trouble = "";
                LOG.info("notice={} channel={} sent=true answer=\"{}\"", notice.id(), name, delivery.text());
                written(notice, name + " " + notice.id() + " (" + notice.title() + ") sent: " + delivery.text());
            }
            case LATER -> {
                told(notice, delivery, "later");
                pause();
            }
            case REFUSED -> {
                told(notice, delivery, "refused");
                if (refusals.merge(notice.id(), 1, Integer::sum) >= TRIES_OF_REFUSED) {
                    handed.add(notice.id());
                    refusals.remove(notice.id());
                    written(notice, name + " " + notice.id() + " given up, refused three times: " + delivery.text());
                } else {
                    pause();
                }
            }
        }
    }

    private void written(Notice notice, String text) throws InterruptedException {
        String told = text.isEmpty() ? name + " " + notice.id() + " sent" : text;
        if (site.tell(notices -> NoticeChange.delivered(notices, notice.id(), channel), told)) {
            handed.remove(notice.id());
        } else {
            TimeUnit.NANOSECONDS.sleep(IDLE.toNanos());
        }
    }

    private void told(Notice notice, Delivery delivery, String what) {
        if (!trouble.equals(delivery.text())) {
            LOG.warn("notice={} channel={} sent=false again={} cause=\"{}\"", notice.id(), name, what, delivery.text());
        }
        trouble = delivery.text();
    }

    private void pause() throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(wait.toNanos());
        wait = wait.multipliedBy(2);
        if (wait.compareTo(LONGEST_WAIT) > 0) {
            wait = LONGEST_WAIT;
        }
    }
}
