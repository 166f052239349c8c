package dev.understudy.core.simulator;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.Moment;
import java.time.Duration;

/// An agent's connection to one controller: says hello, sends, and connects anew when five heartbeats go unanswered.
/// A connection has a number; what belongs to another one is not looked at.
final class SimLink {

    private static final Duration WELCOME_WITHIN = Duration.ofSeconds(2);
    private static final int UNANSWERED = 5;

    private final Site site;
    private final SimAgent agent;
    private final SimController controller;
    private long number;
    private boolean ready;
    private boolean idle;
    private Moment since;
    private boolean waits;
    private Moment unanswered;
    private long backOff = 100;
    private long answered;
    private long answeredNanos;

    SimLink(Site site, SimAgent agent, SimController controller) {
        this.site = site;
        this.agent = agent;
        this.controller = controller;
        since = agent.now();
        unanswered = since;
    }

    boolean ready() {
        return ready;
    }

    void connect() {
        number = site.nextNumber();
        ready = false;
        idle = false;
        waits = false;
        answered = 0;
        answeredNanos = 0;
        since = agent.now();
        send(agent.hello());
    }

    AgentMessage.ClockReading reading() {
        return new AgentMessage.ClockReading(agent.now().nanos(), answered, answeredNanos);
    }

    /// Called with every heartbeat interval.
    void watch(Duration heartbeat) {
        Moment now = agent.now();
        if (idle) {
            return;
        }
        if (!ready && now.since(since).compareTo(WELCOME_WITHIN) > 0) {
            end();
        } else if (ready && waits && now.since(unanswered).compareTo(heartbeat.multipliedBy(UNANSWERED)) > 0) {
            end();
        }
    }

    void send(AgentMessage message) {
        long mine = number;
        site.network.send(
                agent.host.name, controller.name, () -> controller.arrived(agent.host.name, mine, this, message));
        if (message instanceof AgentMessage.Heartbeat && !waits) {
            waits = true;
            unanswered = agent.now();
        }
    }

    /// From the controller, to whatever process is here now.
    void arrived(long connection, ControllerMessage message) {
        agent.task(() -> {
            if (connection != number || idle) {
                return;
            }
            switch (message) {
                case ControllerMessage.Welcome welcome -> {
                    agent.apply(welcome.spec());
                    ready = true;
                    backOff = 100;
                }
                case ControllerMessage.Refusal _ -> end();
                case ControllerMessage.AskDiverged _ -> {} // asked by no one here
                case ControllerMessage.Acknowledgement ack -> {
                    waits = false;
                    if (ack.seq() > answered) {
                        answered = ack.seq();
                        answeredNanos = agent.now().nanos();
                    }
                    agent.acknowledged(ack);
                }
                case ControllerMessage.Order order -> {
                    if (ready) {
                        agent.commands.order(order, this::send);
                    }
                }
            }
        });
    }

    /// The controller closed it, or nobody answers.
    void closed(long connection) {
        agent.task(() -> {
            if (connection == number && !idle) {
                end();
            }
        });
    }

    private void end() {
        ready = false;
        idle = true;
        agent.host.machine.later(backOff, agent.life, this::connect);
        backOff = Math.min(1000, backOff * 2);
    }
}
