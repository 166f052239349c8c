package dev.understudy.core.plan;

import dev.understudy.core.Decision;
import dev.understudy.core.Decision.Answer;
import dev.understudy.core.Decision.Send;
import dev.understudy.core.Event;
import dev.understudy.core.Event.Candidate;
import dev.understudy.core.HostView;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.Now;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState;
import dev.understudy.core.State;
import dev.understudy.core.State.Sent;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One step in the making: the state as it changes, and what is to be journaled, sent and answered. Confined to one
/// call of [dev.understudy.core.Core#step].
public final class Turn {

    private State state;
    private final Now now;
    private final List<Send> sends = new ArrayList<>();
    private final List<JournalEntry> journal = new ArrayList<>();
    private final List<Answer> answers = new ArrayList<>();

    public Turn(State state, Now now) {
        this.state = state;
        this.now = now;
    }

    public State state() {
        return state;
    }

    public Now now() {
        return now;
    }

    public Evidence evidence() {
        return new Evidence(state, now);
    }

    public void become(State next) {
        state = next;
    }

    public Decision decision() {
        return new Decision(state, sends, journal, answers);
    }

    public void send(String host, ControllerMessage message) {
        sends.add(new Send(host, message));
    }

    public void answer(String requestId, boolean accepted, String text, String event) {
        answers.add(new Answer(requestId, accepted, text, event));
    }

    /// The id that the next event will get, `E12`, and the plan that begins with it, `P12`.
    public String nextEventId() {
        return "E" + state.journaled().nextEvent();
    }

    public String nextPlanId() {
        return "P" + state.journaled().nextEvent();
    }

    /// Journals the entry and applies it.
    public void record(JournalEntry entry) {
        journal.add(entry);
        state = state.with(state.journaled().apply(entry));
    }

    /// Journals the new state of a resource and remembers when its phase began.
    public void enter(ResourceState next, Event event) {
        record(new JournalEntry.ResourceChanged(next, event));
        state = state.entered(next.id(), now.mono());
    }

    /// An event about a resource; `before` is its state before the change, `after` the state that it enters.
    public Event event(
            ResourceState before,
            ResourceState after,
            String row,
            String situation,
            String text,
            List<Candidate> candidates) {
        Plan plan = after.plan() != null ? after.plan() : before.plan();
        return new Event(
                nextEventId(),
                now.wall(),
                plan == null ? "" : plan.id(),
                after.id(),
                row,
                situation,
                before.phaseName(),
                after.phaseName(),
                after.holder(),
                after.epoch(),
                text,
                evidence().lines(after.id()),
                candidates);
    }

    /// An event of the whole cluster.
    public Event event(String text) {
        return new Event(nextEventId(), now.wall(), "", null, "", "", "", "", null, 0, text, List.of(), List.of());
    }

    /// Notes a situation in which nothing is done, once until it changes.
    public void noteOnce(
            ResourceState resource,
            String subject,
            String row,
            String situation,
            String text,
            List<Candidate> candidates) {
        if (situation.equals(state.said().get(subject))) {
            return;
        }
        state = state.saying(subject, situation);
        record(new JournalEntry.Noted(event(resource, resource, row, situation, text, candidates)));
    }

    /// The situation is an ordinary one: what was noted before may be noted again when it comes back.
    public void nothingToSay(String subject) {
        if (state.said().containsKey(subject) && !"".equals(state.said().get(subject))) {
            state = state.saying(subject, "");
        }
    }

    /// Makes sure that the order with this id has reached the host: sends it, and sends it again, with the same id,
    /// when no answer came. Returns its outcome once there is one.
    public Optional<Outcome> ensure(String host, String id, Function<String, Command> command) {
        Sent sent = state.orders().get(id);
        if (sent == null) {
            order(host, id, command.apply(id), 0);
            return Optional.empty();
        }
        Outcome outcome = sent.outcome();
        boolean unknown = outcome instanceof Outcome.Unknown;
        if ((outcome == null || unknown) && now.mono().since(sent.at()).compareTo(Deadlines.REPEAT) > 0) {
            order(host, id, command.apply(id), sent.attempts());
        }
        return unknown ? Optional.empty() : Optional.ofNullable(outcome);
    }

    /// Like [#ensure], for work that is tried for ever: after a failure the same order is given again, with another
    /// id, when `pause` is over.
    public Optional<Sent> persist(String host, String base, Duration pause, Function<String, Command> command) {
        Sent sent = state.orders().get(base);
        int attempts = sent == null ? 0 : sent.attempts();
        boolean failed = sent != null
                && sent.outcome() != null
                && !(sent.outcome() instanceof Outcome.Unknown)
                && now.mono().since(sent.answeredAt()).compareTo(pause) > 0;
        boolean silent = sent != null
                && (sent.outcome() == null || sent.outcome() instanceof Outcome.Unknown)
                && now.mono().since(sent.at()).compareTo(Deadlines.FOLLOWING) > 0;
        if (sent == null || failed || silent) {
            String id = base + "#" + (attempts + 1);
            if (deliver(host, command.apply(id))) {
                remember(base, new Sent(host, now.mono(), state.term(), null, now.mono(), attempts + 1));
            }
        }
        return Optional.ofNullable(state.orders().get(base));
    }

    /// An answer arrived.
    public void answered(String commandId, Outcome outcome) {
        int attempt = commandId.lastIndexOf('#');
        String key = attempt < 0 ? commandId : commandId.substring(0, attempt);
        Sent sent = state.orders().get(key);
        if (sent == null) {
            return;
        }
        if (attempt >= 0 && Integer.parseInt(commandId, attempt + 1, commandId.length(), 10) != sent.attempts()) {
            return; // an answer to an earlier attempt
        }
        remember(key, new Sent(sent.host(), sent.at(), sent.term(), outcome, now.mono(), sent.attempts()));
    }

    /// Orders of a host whose agent has restarted may have been lost: they are given again at once.
    public void forgetUnanswered(String host) {
        Map<String, Sent> next = new HashMap<>(state.orders());
        next.values().removeIf(s -> s.host().equals(host) && s.outcome() == null);
        state = state.withOrders(next);
    }

    /// Answered and old orders are forgotten: the table stays small.
    public void prune() {
        if (state.orders().size() > 256) {
            Map<String, Sent> next = new HashMap<>(state.orders());
            next.values().removeIf(s -> now.mono().since(s.at()).compareTo(Duration.ofMinutes(2)) > 0);
            state = state.withOrders(next);
        }
    }

    private void order(String host, String id, Command command, int attempts) {
        if (deliver(host, command)) {
            remember(id, new Sent(host, now.mono(), state.term(), null, now.mono(), attempts));
        }
    }

    /// Sends the order in answer to the host's latest heartbeat; false while it has sent none. An order that takes a
    /// lease is a grant (S2) and is counted as one.
    private boolean deliver(String host, Command command) {
        HostView view = state.hosts().get(host);
        if (view == null || !view.connected() || view.seq() == 0) {
            return false;
        }
        Duration ttl = state.timing().ttl();
        if (command.takesLease()) {
            state = state.with(state.leases().granted(command.resource(), ttl, now.mono()));
        }
        send(host, new ControllerMessage.Order(view.seq(), state.term(), ttl.toMillis(), command));
        return true;
    }

    private void remember(String key, Sent sent) {
        Map<String, Sent> next = new HashMap<>(state.orders());
        next.put(key, sent);
        state = state.withOrders(next);
    }

    /// The present state of a resource.
    public @Nullable ResourceState resource(ResourceId id) {
        return state.journaled().resources().get(id);
    }
}
