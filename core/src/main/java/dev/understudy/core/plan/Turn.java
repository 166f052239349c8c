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

    /// Whether the request has been answered in this turn, and with a refusal.
    public boolean refused(String requestId) {
        return answers.stream().anyMatch(a -> a.requestId().equals(requestId) && !a.accepted());
    }

    public boolean hasAnswer(String requestId) {
        return answers.stream().anyMatch(a -> a.requestId().equals(requestId));
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
        if (entry instanceof JournalEntry.ResourceChanged changed) {
            ResourceState next = changed.next();
            state = state.with(state.leases().begun(next.id(), next.epoch()));
        }
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

    /// Tells something of the whole cluster that is not about one resource.
    public void note(String situation, String text, List<String> evidence) {
        record(new JournalEntry.Noted(new Event(
                nextEventId(), now.wall(), "", null, "", situation, "", "", null, 0, text, evidence, List.of())));
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

    /// When an order that was answered is given again, with another id.
    public enum Again {
        NEVER,
        /// it failed or was refused
        AFTER_FAILURE,
        /// it is still wanted, whatever the answer was
        ALWAYS
    }

    /// Makes sure that an order has reached the host: sends it, and sends it again, with the same id, while no
    /// answer comes; after an answer, another attempt with another id as `again` and `pause` say. Returns where it
    /// stands.
    public Optional<Sent> ensure(
            String host, String key, Again again, Duration pause, Function<String, Command> command) {
        Sent sent = state.orders().get(key);
        if (sent == null) {
            order(host, key, 0, command);
        } else {
            Outcome outcome = sent.outcome();
            boolean bound = outcome != null && !(outcome instanceof Outcome.Unknown) && Sent.waits(outcome);
            if (bound) {
                if (now.mono().since(sent.answeredAt()).compareTo(state.timing().heartbeat()) > 0) {
                    order(host, key, sent.attempts() + 1, command);
                }
                return Optional.ofNullable(state.orders().get(key));
            }
            boolean answered = outcome != null && !(outcome instanceof Outcome.Unknown);
            boolean failed = answered && !(sent.outcome() instanceof Outcome.Done);
            if (!answered && now.mono().since(sent.at()).compareTo(Deadlines.REPEAT) > 0) {
                order(host, key, sent.attempts(), command);
            } else if (((failed && again == Again.AFTER_FAILURE) || (answered && again == Again.ALWAYS))
                    && now.mono().since(sent.answeredAt()).compareTo(pause) > 0) {
                order(host, key, sent.attempts() + 1, command);
            }
        }
        return Optional.ofNullable(state.orders().get(key));
    }

    /// Asks every member that the holder may be living on to close its epoch (S5).
    void closeEpoch(ResourceState resource, Function<String, String> key) {
        for (String member : evidence().heardClosers(resource)) {
            if (!evidence().closed(member, resource.id(), resource.epoch())) {
                ensure(
                        member,
                        key.apply(member),
                        Again.AFTER_FAILURE,
                        Deadlines.REPEAT,
                        order -> new Command.CloseEpoch(order, resource.id(), resource.epoch() + 1));
            }
        }
    }

    /// An answer arrived.
    public void answered(String commandId, Outcome outcome) {
        int mark = commandId.lastIndexOf('#');
        String key = mark < 0 ? commandId : commandId.substring(0, mark);
        int attempt = mark < 0 ? 0 : Integer.parseInt(commandId, mark + 1, commandId.length(), 10);
        Sent sent = state.orders().get(key);
        if (sent != null && attempt == sent.attempts()) {
            remember(key, new Sent(sent.host(), sent.at(), sent.term(), outcome, now.mono(), sent.attempts()));
        }
    }

    /// Orders of a host whose agent has restarted may have been lost: they are given again at once.
    public void forgetUnanswered(String host) {
        Map<String, Sent> next = new HashMap<>(state.orders());
        next.values().removeIf(s -> s.host().equals(host) && s.outcome() == null);
        state = state.withOrders(next);
    }

    /// The order with this key was never given, as far as later turns are concerned.
    void forget(String key) {
        Map<String, Sent> next = new HashMap<>(state.orders());
        next.remove(key);
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

    private void order(String host, String key, int attempt, Function<String, Command> command) {
        if (deliver(host, command.apply(attempt == 0 ? key : key + "#" + attempt))) {
            remember(key, new Sent(host, now.mono(), state.term(), null, now.mono(), attempt));
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
            state = state.with(state.leases().granted(command.resource(), command.epoch(), ttl, now.mono()));
        }
        long below = command.epoch() - 1;
        boolean stands = evidence().standsFor(host, command.resource()) > 0;
        boolean over = stands
                ? evidence().over(command.resource(), below)
                : evidence().releasedByItsHolder(command.resource(), below);
        long released = over ? below : 0;
        send(host, new ControllerMessage.Order(view.seq(), state.term(), ttl.toMillis(), released, command));
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
