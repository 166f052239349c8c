package dev.understudy.controller;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.ClockReading;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import org.jspecify.annotations.Nullable;

/// An agent of a balancer host, with a real connection, the real codec and the real lease half, and a balancer that
/// is only said to exist. Reconnects like a real one.
final class BalancerAgent implements AutoCloseable {

    static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");

    private final String host;
    private final int port;
    private final OkHttpClient client = HttpClients.webSockets(Duration.ZERO);
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon(true).factory());
    private final LeaseHolder leases = new LeaseHolder(new Floors(0, List.of()));
    final List<ControllerMessage> heard = new CopyOnWriteArrayList<>();
    private @Nullable WebSocket socket;
    private Health health = Health.UP;
    private boolean welcome;
    private boolean news = true;
    private boolean mute;
    private boolean detached;
    private boolean kept;
    private long seq;
    private long answered;
    private long answeredNanos;
    private double clockRate = 1;
    private long clockSince = System.nanoTime();
    private long clockShowed = clockSince;

    BalancerAgent(String host, int port) {
        this.host = host;
        this.port = port;
        var _ = timer.scheduleAtFixedRate(this::beat, 0, 50, TimeUnit.MILLISECONDS);
    }

    /// HAProxy died (or lives again): the agent fences itself and says so at once.
    synchronized void service(Health now) {
        health = now;
        news = true;
        if (now == Health.DOWN) {
            leases.lease(ADDRESS).ifPresent(lease -> leases.released(ADDRESS, lease.epoch()));
        }
        beat();
    }

    /// Says nothing any more, with its connection open.
    synchronized void mute(boolean now) {
        mute = now;
    }

    /// Left as it is, by order.
    synchronized boolean detached() {
        return detached;
    }

    synchronized boolean holds() {
        return leases.lease(ADDRESS).filter(l -> l.liveAt(now())).isPresent();
    }

    synchronized long epoch() {
        return leases.lease(ADDRESS).map(LeaseHolder.Lease::epoch).orElse(0L);
    }

    synchronized Duration leaseLeft() {
        return leases.lease(ADDRESS).map(l -> l.deadline().since(now())).orElse(Duration.ZERO);
    }

    private synchronized void beat() {
        if (socket == null) {
            connect();
            return;
        }
        leases.expired(now()).forEach(lease -> leases.released(lease.resource(), lease.epoch()));
        if (!welcome || mute) {
            return;
        }
        seq++;
        List<Observation> observations = news
                ? List.of(
                        new Observation.Balancer(
                                "edge",
                                health == Health.DOWN ? ServiceState.ENDED : ServiceState.RUNNING,
                                health,
                                1,
                                "",
                                List.of(new Observation.ServerState("app", "web1", "UP")),
                                ""),
                        new Observation.Address(ADDRESS, holds() || kept, true, true, ""),
                        new Observation.Attachment(ADDRESS, detached))
                : List.of();
        news = false;
        leases.heartbeatSent(seq, now());
        ClockReading clock = new ClockReading(clock(), answered, answeredNanos);
        send(new Heartbeat(seq, leases.report(now()), observations, 0, clock));
    }

    private void connect() {
        welcome = false;
        news = true;
        socket = client.newWebSocket(
                new Request.Builder().url("ws://127.0.0.1:" + port + "/agent").build(), new Listener());
        send(new Hello(AgentMessage.VERSION, "", host, "boot", "run", 0));
    }

    private void send(AgentMessage message) {
        if (socket != null) {
            socket.send(MessageCodec.encode(message));
        }
    }

    private synchronized void received(ControllerMessage message) {
        heard.add(message);
        switch (message) {
            case ControllerMessage.Welcome _ -> welcome = true;
            case ControllerMessage.Refusal _ -> {}
            case ControllerMessage.AskDiverged question ->
                send(new AgentMessage.Diverged(
                        question.id(),
                        question.group(),
                        "/state/diverged/shopdb-0-31-17.txt",
                        List.of("0-31-17"),
                        "### INSERT <b>INTO</b> `shop`.`entry`\n",
                        true));
            case ControllerMessage.Acknowledgement ack -> {
                answered = ack.seq();
                answeredNanos = clock();
                leases.acknowledged(ack.seq(), ack.term(), ack.grants(), now());
            }
            case ControllerMessage.Order order ->
                send(new CommandReply(order.command().id(), obey(order), List.of()));
        }
    }

    private Outcome obey(ControllerMessage.Order order) {
        return switch (leases.ordered(order, now())) {
            case Verdict.Rejected rejected -> rejected.outcome();
            case Verdict.Accepted accepted -> {
                switch (order.command()) {
                    case Command.TakeAddress take -> {
                        leases.take(take.resource(), take.epoch(), accepted.deadline());
                        kept = false;
                    }
                    case Command.Release release -> leases.released(release.resource(), release.releasedEpoch());
                    case Command.CloseEpoch _ -> {}
                    case Command.Detach detach -> {
                        kept = leases.lease(detach.resource()).isPresent();
                        leases.lease(detach.resource())
                                .ifPresent(lease -> leases.released(detach.resource(), lease.epoch()));
                        detached = true;
                    }
                    case Command.Attach _ -> detached = false;
                    default -> throw new IllegalStateException("not for a balancer: " + order);
                }
                news = true;
                yield Outcome.Done.withoutFacts();
            }
        };
    }

    /// What it says that its clock shows.
    private long clock() {
        return clockShowed + (long) ((System.nanoTime() - clockSince) * clockRate);
    }

    /// From now on.
    synchronized void clockRate(double rate) {
        clockShowed = clock();
        clockSince = System.nanoTime();
        clockRate = rate;
    }

    private static Moment now() {
        return new Moment(System.nanoTime());
    }

    private synchronized void lost(WebSocket gone) {
        if (gone.equals(socket)) {
            socket = null;
        }
    }

    @Override
    public synchronized void close() {
        timer.shutdownNow();
        HttpClients.close(client);
    }

    private final class Listener extends WebSocketListener {
        @Override
        public void onMessage(WebSocket from, String text) {
            try {
                received(MessageCodec.decodeController(text));
            } catch (MalformedMessage e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void onClosing(WebSocket from, int code, String reason) {
            from.close(code, reason);
            lost(from);
        }

        @Override
        public void onFailure(WebSocket from, Throwable cause, @Nullable Response response) {
            lost(from);
        }
    }
}
