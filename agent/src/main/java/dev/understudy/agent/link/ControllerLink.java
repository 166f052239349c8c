package dev.understudy.agent.link;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.ClockReading;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.AgentMessage.RestartNotice;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The WebSocket to one controller: connects, says hello, sends, and connects again with a short back-off whenever
/// the connection ends or five heartbeats go unanswered. One platform thread; sending never blocks (the connection
/// is given up when a megabyte waits to be sent).
public final class ControllerLink implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ControllerLink.class);
    private static final long MAX_QUEUED_BYTES = 1 << 20;
    private static final int UNANSWERED_HEARTBEATS = 5;
    private static final Duration WELCOME_WITHIN = Duration.ofSeconds(2);
    private static final Duration BACK_OFF = Duration.ofMillis(100);
    private static final Duration BACK_OFF_AT_MOST = Duration.ofSeconds(1);
    private static final Duration AFTER_REFUSAL = Duration.ofSeconds(5);

    private final URI controller;
    private final OkHttpClient client;
    private final LinkHandler handler;
    private final Observations observations;
    private final Thread thread;
    private final AtomicReference<@Nullable Connection> current = new AtomicReference<>();
    private volatile Duration heartbeat = Duration.ofMillis(200);
    private volatile boolean closed;
    private volatile boolean down; // said so in the log

    public ControllerLink(URI controller, OkHttpClient client, LinkHandler handler, Observations observations) {
        this.controller = controller;
        this.client = client;
        this.handler = handler;
        this.observations = observations;
        thread = Thread.ofPlatform()
                .name("link " + controller.getHost())
                .daemon(true)
                .unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    public URI controller() {
        return controller;
    }

    /// Whether the controller has welcomed this agent on a connection that stands.
    public boolean ready() {
        Connection connection = current.get();
        return connection != null && connection.ready;
    }

    public void heartbeatInterval(Duration interval) {
        heartbeat = interval;
    }

    /// Sends a heartbeat with what changed on this connection. On the lease thread alone.
    public void heartbeat(long seq, List<LeaseReport> leases, long lateMillis) {
        Connection connection = current.get();
        if (connection == null || !connection.ready) {
            return;
        }
        Observations.Batch batch = observations.since(connection.sentVersion);
        if (connection.send(new Heartbeat(seq, leases, batch.observations(), lateMillis, connection.reading()))) {
            connection.sentVersion = batch.version();
            connection.unanswered();
        }
    }

    public void restartNotice(long seq, long millis) {
        Connection connection = current.get();
        if (connection != null && connection.ready) {
            connection.send(new RestartNotice(seq, millis));
        }
    }

    @Override
    public void close() {
        closed = true;
        Connection connection = current.get();
        if (connection != null && connection.socket != null) {
            connection.socket.close(1000, "the agent stops");
        }
        thread.interrupt();
    }

    private void reply(AgentMessage reply) {
        Connection connection = current.get();
        if (connection != null && connection.ready) {
            connection.send(reply);
        }
    }

    private void run() {
        Duration backOff = BACK_OFF;
        try {
            while (!closed) {
                Connection connection = new Connection();
                current.set(connection);
                String reason;
                try {
                    reason = connection.live();
                } finally {
                    current.set(null);
                }
                boolean wasReady = connection.ready;
                connection.abandon();
                if (closed) {
                    return;
                }
                if (wasReady || connection.refused || !down) {
                    LOG.warn("event=link-down controller={} reason=\"{}\"", controller, reason);
                }
                down = true;
                backOff = wasReady ? BACK_OFF : longer(backOff);
                Thread.sleep(connection.refused ? AFTER_REFUSAL : jittered(backOff));
            }
        } catch (InterruptedException e) {
            if (!closed) {
                LOG.error("event=link-thread-interrupted controller={}", controller);
            }
        }
    }

    private static Duration longer(Duration backOff) {
        Duration twice = backOff.multipliedBy(2);
        return twice.compareTo(BACK_OFF_AT_MOST) > 0 ? BACK_OFF_AT_MOST : twice;
    }

    /// Between half and all of it, so that agents do not come back in step.
    private static Duration jittered(Duration backOff) {
        long nanos = backOff.toNanos();
        return Duration.ofNanos(ThreadLocalRandom.current().nextLong(nanos / 2, nanos + 1));
    }

    /// The latest heartbeat that was answered, and when (nanoTime).
    private record Answer(long seq, long nanos) {}

    /// One connection, from connecting to its end.
    private final class Connection extends WebSocketListener {
        private final CountDownLatch ended = new CountDownLatch(1);
        private final AtomicReference<String> reason = new AtomicReference<>("");
        private @Nullable WebSocket socket;
        private volatile boolean ready;
        private volatile boolean refused;
        private volatile long unansweredSince; // nanoTime, 0 for none
        private volatile Answer answer = new Answer(0, 0);
        private long sentVersion; // confined to the lease thread

        /// Lives until the connection ends and says why.
        String live() throws InterruptedException {
            URI agentUri = controller.resolve("/agent");
            socket = client.newWebSocket(
                    new Request.Builder().url(agentUri.toString()).build(), this);
            long welcomeBy = System.nanoTime() + WELCOME_WITHIN.toNanos();
            while (!ended.await(heartbeat.toNanos(), TimeUnit.NANOSECONDS)) {
                long now = System.nanoTime();
                long since = unansweredSince;
                if (!ready && now - welcomeBy > 0) {
                    end("no welcome within " + WELCOME_WITHIN.toSeconds() + " s");
                } else if (since != 0
                        && now - since
                                > heartbeat.multipliedBy(UNANSWERED_HEARTBEATS).toNanos()) {
                    end(UNANSWERED_HEARTBEATS + " heartbeats unanswered");
                }
            }
            return String.valueOf(reason.get());
        }

        void abandon() {
            ready = false;
            if (socket != null) {
                socket.cancel();
            }
        }

        void unanswered() {
            if (unansweredSince == 0) {
                unansweredSince = System.nanoTime() | 1;
            }
        }

        /// The clock that leases are counted with, now: before the heartbeat that carries it is sent.
        ClockReading reading() {
            Answer latest = answer;
            return new ClockReading(System.nanoTime(), latest.seq, latest.nanos);
        }

        boolean send(AgentMessage message) {
            WebSocket to = socket;
            if (to == null) {
                return false;
            }
            if (to.queueSize() > MAX_QUEUED_BYTES || !to.send(MessageCodec.encode(message))) {
                end("the connection does not take messages");
                return false;
            }
            return true;
        }

        private void end(String why) {
            reason.compareAndSet("", why);
            ended.countDown();
        }

        @Override
        public void onOpen(WebSocket webSocket, Response response) {
            webSocket.send(MessageCodec.encode(handler.hello()));
        }

        @Override
        public void onMessage(WebSocket webSocket, String text) {
            ControllerMessage message;
            try {
                message = MessageCodec.decodeController(text);
            } catch (MalformedMessage e) {
                end("malformed message: " + e.getMessage());
                return;
            }
            switch (message) {
                case ControllerMessage.Welcome welcome -> welcomed(welcome);
                case ControllerMessage.Refusal refusal -> {
                    refused = true;
                    end("refused: " + refusal.reason());
                }
                case ControllerMessage.Acknowledgement acknowledgement -> {
                    unansweredSince = 0;
                    answer = new Answer(acknowledgement.seq(), System.nanoTime());
                    handler.acknowledged(acknowledgement);
                }
                case ControllerMessage.AskDiverged question -> {
                    if (ready) {
                        handler.diverged(question, ControllerLink.this::reply);
                    }
                }
                case ControllerMessage.Order order -> {
                    if (ready) {
                        handler.order(order, ControllerLink.this::reply);
                    }
                }
            }
        }

        private void welcomed(ControllerMessage.Welcome welcome) {
            var _ = handler.welcome(welcome).handle((_, problem) -> {
                if (problem != null) {
                    refused = true;
                    end("welcome not accepted: " + problem.getMessage());
                } else if (!ready) {
                    ready = true;
                    down = false;
                    LOG.info(
                            "event=link-up controller={} cluster={} term={} spec_version={}",
                            controller,
                            welcome.cluster(),
                            welcome.term(),
                            welcome.specVersion());
                }
                return null;
            });
        }

        @Override
        public void onMessage(WebSocket webSocket, okio.ByteString bytes) {
            end("a binary message");
        }

        @Override
        public void onClosing(WebSocket webSocket, int code, String why) {
            end("closed by the controller: " + code + " " + why);
        }

        @Override
        public void onClosed(WebSocket webSocket, int code, String why) {
            end("closed by the controller: " + code + " " + why);
        }

        @Override
        public void onFailure(WebSocket webSocket, Throwable t, @Nullable Response response) {
            end(t.toString());
        }
    }
}
