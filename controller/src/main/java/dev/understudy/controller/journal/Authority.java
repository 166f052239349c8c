package dev.understudy.controller.journal;

import dev.understudy.controller.journal.Journal.Committed;
import dev.understudy.core.Decision.Send;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// May this controller grant leases now? Only within the authority window from the *start* of its last linearizable
/// read in the same term (S4): a leader that was deposed while it slept must not renew anything.
///
/// One virtual thread reads every quarter of the window. [#permitted] is called by the loop at sending.
public final class Authority implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Authority.class);

    private record Proof(long term, Moment start) {}

    private final Journal journal;
    private final Supplier<Moment> clock;
    private volatile Duration window;
    private volatile @Nullable Proof proof;
    private final Thread reader;
    private volatile boolean closed;

    public Authority(Journal journal, Supplier<Moment> clock, Duration window) {
        this.journal = journal;
        this.clock = clock;
        this.window = window;
        this.reader = Thread.ofVirtual().name("authority").unstarted(this::readAgainAndAgain);
    }

    public Authority start() {
        reader.start();
        return this;
    }

    /// Another profile is in force.
    public void window(Duration next) {
        window = next;
    }

    /// Whether this controller has authority in the term now.
    public boolean holds(long term, Moment now) {
        Proof last = proof;
        return last != null && last.term() == term && now.since(last.start()).compareTo(window) < 0;
    }

    /// What of a committed decision may be sent now. Without authority an acknowledgement goes without its grants,
    /// and an order that takes a lease does not go at all: it is decided again.
    public List<Send> permitted(Committed committed, Moment now) {
        List<Send> sends = committed.decision().sends();
        if (holds(committed.term(), now)) {
            return sends;
        }
        List<Send> allowed = new ArrayList<>();
        for (Send send : sends) {
            ControllerMessage message = send.message();
            switch (message) {
                case Acknowledgement ack ->
                    allowed.add(new Send(send.host(), new Acknowledgement(ack.seq(), ack.term(), List.of())));
                case Order order -> {
                    if (!order.command().takesLease()) {
                        allowed.add(send);
                    }
                }
                case ControllerMessage.Welcome _, ControllerMessage.Refusal _, ControllerMessage.AskDiverged _ ->
                    allowed.add(send);
            }
        }
        return allowed;
    }

    private void readAgainAndAgain() {
        boolean failing = true;
        while (!closed) {
            try {
                failing = !readOnce(failing);
                TimeUnit.NANOSECONDS.sleep(window.toNanos() / 4);
            } catch (InterruptedException _) {
                return;
            }
        }
    }

    /// One read; true if it gave authority.
    private boolean readOnce(boolean wasFailing) throws InterruptedException {
        Moment start = clock.get();
        try {
            long term = journal.linearizableRead().get(window.toNanos(), TimeUnit.NANOSECONDS);
            proof = new Proof(term, start);
            if (wasFailing) {
                LOG.info("authority=held term={}", term);
            }
            return true;
        } catch (ExecutionException | TimeoutException e) {
            if (!wasFailing) {
                LOG.warn(
                        "authority=unproven cause=\"{}\"",
                        e.getCause() == null ? e : e.getCause().getMessage());
            }
            return false;
        }
    }

    @Override
    public void close() {
        closed = true;
        reader.interrupt();
    }
}
