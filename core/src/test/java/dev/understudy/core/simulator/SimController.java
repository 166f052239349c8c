package dev.understudy.core.simulator;

import dev.understudy.core.Core;
import dev.understudy.core.Decision;
import dev.understudy.core.Decision.Send;
import dev.understudy.core.Input;
import dev.understudy.core.Now;
import dev.understudy.core.OperatorRequest;
import dev.understudy.core.State;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One controller: the real [Core] in a shell that decides, commits, and only then sends, within its authority
/// window (S4). What it believes of its leadership can be old.
final class SimController {

    /// An agent's connection as this process knows it.
    private record Connection(long number, SimLink link) {}

    final String name;
    final Machine machine;
    private final Site site;
    private final Dice dice;
    private final Map<String, Connection> connections = new TreeMap<>();
    private final Map<String, Observation.Settings> told = new TreeMap<>();
    private final Map<String, Long> toldSeq = new TreeMap<>();
    private Life life = new Life();
    private boolean running;
    private boolean quorumLost;
    private @Nullable State state;
    private long provenTerm;
    private Moment provenAt = new Moment(0);
    private Moment dueTick = new Moment(0);
    private int crashAfterChanges;
    private long requests;
    private long ticks;

    SimController(Site site, String name, double drift) {
        this.site = site;
        this.name = name;
        dice = new Dice(site.seed, name);
        machine = new Machine(name, site.agenda, dice, drift);
        machine.onThaw(this::thawed);
    }

    boolean running() {
        return running;
    }

    boolean quorumLost() {
        return quorumLost;
    }

    void loseQuorum(boolean lost) {
        quorumLost = lost;
    }

    @Nullable
    State state() {
        return state;
    }

    boolean believesItLeads() {
        return running && state != null && state.leading();
    }

    Now now() {
        return new Now(machine.now(), Instant.ofEpochSecond(1_000_000_000L, site.agenda.now()));
    }

    /// Ends this process when it has committed so many more decisions, before anything of the last one is sent.
    void crashAfter(int changes) {
        crashAfterChanges = changes;
    }

    void start() {
        if (running) {
            return;
        }
        running = true;
        life = new Life();
        provenTerm = 0;
        if (site.journal.leader() == null || site.journal.leader() == this) {
            lead(site.journal.elect(this));
        }
        readAgain();
        tick(ticks);
    }

    void crash() {
        if (!running) {
            return;
        }
        site.tell(() -> name + ": controller process ends");
        running = false;
        life.end();
        state = null;
        connections.clear();
        crashAfterChanges = 0;
    }

    /// It hears that it leads.
    void lead(long term) {
        machine.run(life, () -> {
            closeAll();
            told.clear();
            toldSeq.clear();
            State fresh = State.start(site.journal.journaled(), term, now());
            state = Tampered.start(site, fresh, now());
            step(new Input.LeadershipChanged(term, true));
            state = Tampered.start(site, state, now());
            if (state != null && state.journaled().spec() == null) {
                ask(new OperatorRequest.Apply(site.spec(), ""));
            }
        });
    }

    /// It hears that another one leads.
    void deposed(long term) {
        machine.run(life, () -> {
            closeAll();
            if (state != null) {
                step(new Input.LeadershipChanged(term, false));
            }
        });
    }

    private void closeAll() {
        connections.forEach((host, connection) -> close(host, connection));
        connections.clear();
    }

    private void close(String host, Connection connection) {
        site.network.send(name, host, () -> connection.link.closed(connection.number));
    }

    void ask(OperatorRequest request) {
        machine.run(life, () -> {
            if (!believesItLeads()) {
                return;
            }
            if (state != null && state.catchingUp()) {
                machine.later(1, life, () -> ask(request));
            } else {
                step(new Input.Operator("r" + ++requests, "operator", request));
            }
        });
    }

    void arrived(String host, long number, SimLink link, AgentMessage message) {
        machine.run(life, () -> {
            Connection known = connections.get(host);
            if (!believesItLeads()) {
                close(host, new Connection(number, link));
            } else if (message instanceof AgentMessage.Hello) {
                if (known == null || known.number < number) {
                    connections.put(host, new Connection(number, link));
                }
                told.remove(host);
                toldSeq.remove(host);
                step(new Input.AgentReport(host, message));
            } else if (known == null) {
                close(host, new Connection(number, link));
            } else if (known.number == number) {
                hear(host, message);
                step(new Input.AgentReport(host, Tampered.report(site, host, message)));
            }
        });
    }

    /// The settings that the agent has told this leader last; null for none.
    Observation.@Nullable Settings told(String host) {
        return told.get(host);
    }

    private void hear(String host, AgentMessage message) {
        List<Observation> seen = List.of();
        if (message instanceof AgentMessage.Heartbeat beat) {
            boolean overtaken = beat.seq() < toldSeq.getOrDefault(host, 0L);
            toldSeq.merge(host, beat.seq(), Math::max);
            seen = overtaken ? List.of() : beat.observations();
        } else if (message instanceof AgentMessage.CommandReply reply) {
            seen = reply.observations();
        }
        seen.stream()
                .filter(Observation.Settings.class::isInstance)
                .forEach(settings -> told.put(host, (Observation.Settings) settings));
    }

    /// The agent's process, or its host, is gone and the network says so.
    void linkLost(String host) {
        machine.run(life, () -> {
            if (believesItLeads() && connections.remove(host) != null) {
                step(new Input.LinkLost(host));
            }
        });
    }

    /// Nobody may be judged by a silence that was this controller's own (S8). What waited is heard before the tick
    /// that is overdue.
    private void thawed() {
        Duration late = machine.now().since(dueTick);
        if (state != null && late.compareTo(state.timing().heartbeat().multipliedBy(3)) > 0) {
            step(new Input.LoopWasLate(late));
            ticks++;
            long overdue = ticks;
            machine.later(0, life, () -> tick(overdue));
        }
    }

    private void tick(long number) {
        if (number != ticks) {
            return; // it was overdue: another one has taken its place
        }
        if (state != null) {
            step(new Input.Tick());
            Tampered.deaths(site, state, machine.now())
                    .forEach((host, death) -> step(new Input.AgentReport(host, death)));
        }
        TimingProfile timing = state == null ? TimingProfile.STANDARD : state.timing();
        Duration pause = timing.heartbeat().dividedBy(2);
        dueTick = machine.now().plus(pause);
        machine.later(pause, life, () -> tick(number));
    }

    /// A linearizable read, again and again: it proves authority from its start.
    private void readAgain() {
        Moment start = machine.now();
        long term = site.journal.term();
        machine.later(Duration.ofNanos(dice.millis(0, 5)), life, () -> {
            if (site.journal.leads(this, term)) {
                provenTerm = term;
                provenAt = start;
            }
        });
        machine.later(window().dividedBy(4), life, this::readAgain);
    }

    private Duration window() {
        State known = state;
        return (known == null ? TimingProfile.STANDARD : known.timing()).authorityWindow();
    }

    private boolean hasAuthority(long term) {
        return (provenTerm == term && machine.now().since(provenAt).compareTo(window()) < 0)
                || site.has(Mutation.S4_GRANTS_WITHOUT_AUTHORITY);
    }

    private void step(Input input) {
        State before = state;
        if (before == null) {
            return;
        }
        Decision decision = tampered(before, Core.step(TamperedRules.rested(site, before, now()), input, now()));
        long term = before.term();
        if (input instanceof Input.LeadershipChanged changed) {
            term = changed.term();
        }
        if (!decision.journal().isEmpty()) {
            if (!site.journal.commit(this, term, decision.journal())) {
                site.tell(() -> name + ": decision dropped, leads no more");
                state = before.leading(before.term(), false);
                return;
            }
            if (crashAfterChanges > 0 && --crashAfterChanges == 0) {
                crash();
                machine.later(dice.between(300, 4000), new Life(), this::start);
                return;
            }
        }
        state = decision.next();
        long sentIn = term;
        Consumer<Send> send = s -> send(s, sentIn);
        long commit = decision.journal().isEmpty() ? 0 : dice.millis(1, 8);
        if (commit == 0) {
            decision.sends().stream().sorted(Comparator.comparing(Send::host)).forEach(send);
        } else {
            machine.later(
                    Duration.ofNanos(commit),
                    life,
                    () -> decision.sends().stream()
                            .sorted(Comparator.comparing(Send::host))
                            .forEach(send));
        }
    }

    private Decision tampered(State before, Decision decision) {
        return TamperedRules.decision(site, before, Tampered.decision(site, before, decision));
    }

    private void send(Send send, long term) {
        Connection connection = connections.get(send.host());
        if (connection == null) {
            return;
        }
        ControllerMessage message = send.message();
        if (!hasAuthority(term)) {
            switch (message) {
                case Acknowledgement ack -> message = new Acknowledgement(ack.seq(), ack.term(), java.util.List.of());
                case Order order -> {
                    if (order.command().takesLease()) {
                        return;
                    }
                }
                case ControllerMessage.Welcome _, ControllerMessage.Refusal _, ControllerMessage.AskDiverged _ -> {}
            }
        }
        ControllerMessage sent = message;
        if (sent instanceof ControllerMessage.Welcome) {
            deliver(send.host(), connection, sent);
        } else {
            site.network.send(name, send.host(), () -> connection.link.arrived(connection.number, sent));
        }
    }

    /// A specification is not said again: it is lost only with its connection.
    private void deliver(String host, Connection connection, ControllerMessage message) {
        if (site.network.open(name, host)) {
            site.agenda.in(
                    site.network.streamDelay(name, host), () -> connection.link.arrived(connection.number, message));
        } else if (connection.equals(connections.get(host))) {
            machine.later(200, life, () -> deliver(host, connection, message));
        }
    }
}
