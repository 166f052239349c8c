package dev.understudy.controller.loop;

import dev.understudy.controller.journal.Authority;
import dev.understudy.controller.journal.Journal;
import dev.understudy.controller.journal.Journal.Committed;
import dev.understudy.core.Core;
import dev.understudy.core.Decision;
import dev.understudy.core.Decision.Answer;
import dev.understudy.core.Input;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Now;
import dev.understudy.core.OperatorRequest;
import dev.understudy.core.State;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Diverged;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ControllerMessage.AskDiverged;
import dev.understudy.protocol.Moment;
import dev.understudy.wire.metrics.Metrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one loop that owns the state. For each input: what does the core decide; is it on disk; only then send it.
/// I/O runs on other threads, which post here and never wait for it.
///
/// A tick comes every half heartbeat. When the loop finds that it was itself asleep (S8), the core is told before
/// anything else, so that nobody is judged by a silence that was ours; then the mailbox is emptied, and only the tick
/// after that judges again. What people ask meanwhile waits for it.
public final class ControllerLoop {

    /// An agent's message that finds so many waiting is not taken: its connection is closed, and it says all anew.
    static final int MAILBOX_LIMIT = 4096;

    /// At most so many operators' requests wait at one time.
    static final int MAX_ASKED = 64;

    private static final Logger LOG = LoggerFactory.getLogger(ControllerLoop.class);

    /// For crash tests: the process ends, as by SIGKILL, when it has committed so many changes of resources and has
    /// sent nothing yet that follows from the last one. 0: never.
    private static final int CRASH_AFTER = Integer.getInteger("understudy.crash-after-changes", 0);

    private final Journal journal;
    private final Authority authority;
    private final Ticking clock;
    private final FaultHandler faults;
    private final LoopMetrics metrics;
    private final LinkedBlockingQueue<Mail> mailbox = new LinkedBlockingQueue<>();
    private final Map<String, CompletableFuture<Answer>> asked = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Diverged>> questions = new ConcurrentHashMap<>();
    private final Map<String, AgentConnection> connections = new HashMap<>();
    private final Thread thread;
    private @Nullable State state;
    private volatile @Nullable View view;
    private boolean stopped;

    /// What people asked while this controller was catching up; handled after the tick that ends it.
    private final List<Mail> postponed = new ArrayList<>();

    private long changes;

    public ControllerLoop(Journal journal, Authority authority, Ticking clock, FaultHandler faults, Metrics metrics) {
        this.journal = journal;
        this.authority = authority;
        this.clock = clock;
        this.faults = faults;
        this.metrics = new LoopMetrics(metrics, mailbox::size);
        this.thread = Thread.ofPlatform().name("loop").daemon(true).unstarted(this::run);
    }

    public ControllerLoop start() {
        thread.start();
        return this;
    }

    /// Decides nothing more. Waits for the decision under way.
    public void stop() {
        mailbox.add(new Mail.Stop());
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// What was last decided; empty until this controller leads for the first time.
    public Optional<View> view() {
        return Optional.ofNullable(view);
    }

    /// Posts a message; a hello makes the connection its host's one connection.
    public void received(AgentConnection connection, AgentMessage message) {
        if (mailbox.size() >= MAILBOX_LIMIT) {
            metrics.overflowed();
            connection.close("the controller is overloaded");
            return;
        }
        mailbox.add(new Mail.FromAgent(connection, message));
    }

    public void closed(AgentConnection connection) {
        mailbox.add(new Mail.Closed(connection));
    }

    public void leadership(long term, boolean leading) {
        mailbox.add(new Mail.Leadership(term, leading));
    }

    /// Asks the core on behalf of a person. The answer comes once it is on disk.
    ///
    /// @param who for the journal, such as `api 10.0.0.5`
    public CompletableFuture<Answer> ask(String who, OperatorRequest request) {
        String id = UUID.randomUUID().toString();
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        if (asked.size() >= MAX_ASKED) {
            answer.complete(new Answer(id, false, "too many requests are waiting", ""));
            return answer;
        }
        asked.put(id, answer);
        mailbox.add(new Mail.Asked(id, who, request));
        return answer.whenComplete((_, _) -> asked.remove(id));
    }

    /// What a host's agent has decoded of its own transactions. Fails when the agent is not connected; the answer may
    /// never come, so the caller waits for a limited time.
    public CompletableFuture<Diverged> diverged(String host, String group) {
        String id = UUID.randomUUID().toString();
        CompletableFuture<Diverged> answer = new CompletableFuture<>();
        if (questions.size() >= MAX_ASKED) {
            answer.completeExceptionally(new IllegalStateException("too many questions are waiting"));
            return answer;
        }
        questions.put(id, answer);
        mailbox.add(new Mail.Question(host, new AskDiverged(id, group)));
        return answer.whenComplete((_, _) -> questions.remove(id));
    }

    /// Carries no order and no grant: it needs no entry in the journal.
    private void question(String host, AskDiverged question) {
        AgentConnection connection = connections.get(host);
        CompletableFuture<Diverged> waiting = questions.get(question.id());
        if (connection != null) {
            connection.send(question);
        } else if (waiting != null) {
            waiting.completeExceptionally(new IllegalStateException("the agent of " + host + " is not connected"));
        }
    }

    private void run() {
        try {
            Moment due = clock.now().mono();
            while (!stopped) {
                due = turn(due);
            }
        } catch (InterruptedException e) {
            faults.fault("loop", e);
        } catch (RuntimeException | Error e) {
            faults.fault("loop", e);
        }
    }

    /// Handles one piece of mail, or the tick if that is due. Returns when the next tick is due.
    private Moment turn(Moment due) throws InterruptedException {
        Duration heartbeat =
                state == null ? Duration.ofMillis(100) : state.timing().heartbeat();
        Now before = clock.now();
        long wait = Math.max(0, due.since(before.mono()).toNanos());
        Mail mail = wait == 0 ? null : mailbox.poll(wait, TimeUnit.NANOSECONDS);
        Now now = clock.now();
        Duration late = now.mono().since(due);
        if (late.compareTo(heartbeat.multipliedBy(3)) > 0) {
            wokeLate(late);
        }
        if (mail != null) {
            handle(mail);
        }
        if (now.mono().isBefore(due)) {
            return due;
        }
        drain();
        if (stopped) {
            return due;
        }
        metrics.late(late.isNegative() ? Duration.ZERO : late);
        if (state != null) {
            step(new Input.Tick());
            metrics.hosts(state);
            List<Mail> requests = List.copyOf(postponed);
            postponed.clear();
            requests.forEach(this::handle);
        }
        return now.mono().plus(heartbeat.dividedBy(2));
    }

    private void wokeLate(Duration late) {
        LOG.warn("loop_late_ms={}", late.toMillis());
        if (state != null) {
            step(new Input.LoopWasLate(late));
        }
    }

    /// Handles what is in the mailbox now; what comes meanwhile waits for its turn.
    private void drain() {
        for (int waiting = mailbox.size(); waiting > 0 && !stopped; waiting--) {
            Mail mail = mailbox.poll();
            if (mail == null) {
                return;
            }
            handle(mail);
        }
    }

    private void handle(Mail mail) {
        switch (mail) {
            case Mail.Stop _ -> stopped = true;
            case Mail.Leadership(long term, boolean leading) -> lead(term, leading);
            case Mail.FromAgent(AgentConnection connection, AgentMessage message) -> fromAgent(connection, message);
            case Mail.Closed(AgentConnection connection) -> {
                if (connections.remove(connection.host(), connection) && state != null) {
                    LOG.info("agent={} link=lost", connection.host());
                    step(new Input.LinkLost(connection.host()));
                }
            }
            case Mail.Question(String host, AskDiverged question) -> question(host, question);
            case Mail.Asked(String id, String who, OperatorRequest request) -> {
                if (state == null || !state.leading()) {
                    answer(new Answer(id, false, "this controller does not lead", ""));
                } else if (state.catchingUp()) {
                    postponed.add(mail);
                } else {
                    step(new Input.Operator(id, who, request));
                }
            }
        }
    }

    /// A new leader begins with what the journal says; the agents are made to connect anew and so to say all they
    /// see.
    private void lead(long term, boolean leading) {
        LOG.info(
                "leading={} term={} entries={}",
                leading,
                term,
                journal.journaled().entries());
        connections.values().forEach(c -> c.close("the leader changed"));
        connections.clear();
        if (leading) {
            state = State.start(journal.journaled(), term, clock.now());
        }
        if (state != null) {
            step(new Input.LeadershipChanged(term, leading));
        }
    }

    private void fromAgent(AgentConnection connection, AgentMessage message) {
        if (state == null || !state.leading()) {
            connection.close("this controller does not lead");
            return;
        }
        if (message instanceof Hello) {
            AgentConnection older = connections.put(connection.host(), connection);
            if (older != null) {
                older.close("a newer connection of this host has taken its place");
            }
            LOG.info("agent={} link=open", connection.host());
        } else if (!connection.equals(connections.get(connection.host()))) {
            return;
        }
        if (message instanceof Diverged answer) {
            CompletableFuture<Diverged> waiting = questions.get(answer.id());
            if (waiting != null) {
                waiting.complete(answer);
            }
            return;
        }
        step(new Input.AgentReport(connection.host(), message));
    }

    /// Decide, write, send.
    private void step(Input input) {
        State before = state;
        if (before == null) {
            throw new IllegalStateException("no state yet for " + input);
        }
        Now now = clock.now();
        Decision decision = Core.step(before, input, now);
        Committed committed;
        try {
            committed = journal.commit(decision, before.term());
        } catch (Journal.NotLeadingException e) {
            LOG.warn("decision=dropped term={} cause=\"{}\"", before.term(), e.getMessage());
            state = before.leading(before.term(), false);
            decision.answers()
                    .forEach(a -> answer(new Answer(a.requestId(), false, "this controller leads no more", "")));
            return;
        } catch (Journal.CommitFailedException e) {
            faults.fault("journal", e);
            throw new IllegalStateException("the process should have ended", e);
        }
        Moment written = clock.now().mono();
        if (!decision.journal().isEmpty()) {
            metrics.commit(written.since(now.mono()));
            decision.journal().forEach(entry -> {
                LOG.info("{}", entry.event().describe());
                metrics.entry(entry, written);
            });
        }
        changes += decision.journal().stream()
                .filter(JournalEntry.ResourceChanged.class::isInstance)
                .count();
        if (CRASH_AFTER > 0 && changes >= CRASH_AFTER) {
            Runtime.getRuntime().halt(137);
        }
        state = decision.next();
        send(committed, written);
        // before the answer: who asked looks at once for what came of it
        view = new View(decision.next(), now, connections.keySet());
        decision.answers().forEach(this::answer);
        authority.window(decision.next().timing().authorityWindow());
        metrics.input(input.getClass().getSimpleName());
        metrics.state(decision.next(), connections.size());
        metrics.step(clock.now().mono().since(now.mono()));
    }

    private void send(Committed committed, Moment now) {
        List<Decision.Send> permitted = authority.permitted(committed, now);
        if (!permitted.equals(committed.decision().sends())) {
            metrics.withheld();
        }
        for (Decision.Send send : permitted) {
            AgentConnection connection = connections.get(send.host());
            if (connection != null) {
                connection.send(send.message());
            }
        }
    }

    private void answer(Answer answer) {
        CompletableFuture<Answer> waiting = asked.get(answer.requestId());
        if (waiting != null) {
            waiting.complete(answer);
        }
    }
}
