package dev.understudy.agent.fake;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.AgentMessage.RestartNotice;
import dev.understudy.protocol.Circle;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ControllerMessage.Welcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import mockwebserver3.Dispatcher;
import mockwebserver3.MockResponse;
import mockwebserver3.MockWebServer;
import mockwebserver3.RecordedRequest;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import org.jspecify.annotations.Nullable;

/// A controller on a real WebSocket server that does what the test tells it: welcomes with a spec, acknowledges
/// heartbeats with the grants that are set, sends orders that answer the latest heartbeat, records everything.
public final class FakeController implements AutoCloseable {

    public final List<Hello> hellos = new CopyOnWriteArrayList<>();
    public final List<Heartbeat> heartbeats = new CopyOnWriteArrayList<>();
    public final List<CommandReply> replies = new CopyOnWriteArrayList<>();
    public final List<RestartNotice> notices = new CopyOnWriteArrayList<>();
    public final List<AgentMessage.Diverged> diverged = new CopyOnWriteArrayList<>();
    public final Map<ResourceId, Grant> grants = new ConcurrentHashMap<>();
    public volatile boolean acknowledges = true;
    public volatile long term = 1;
    public volatile long noticeGrantMillis;

    private final MockWebServer server = new MockWebServer();
    private final List<WebSocket> sockets = new CopyOnWriteArrayList<>();
    private final ClusterSpec spec;
    private volatile @Nullable WebSocket socket;
    private volatile long latest;

    public FakeController(ClusterSpec spec) throws IOException {
        this.spec = spec;
        server.setDispatcher(new Dispatcher() {
            @Override
            public MockResponse dispatch(RecordedRequest request) {
                return new MockResponse.Builder()
                        .webSocketUpgrade(new Session())
                        .build();
            }
        });
        server.start();
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + server.getPort());
    }

    public void send(ControllerMessage message) {
        WebSocket to = socket;
        if (to == null || !to.send(MessageCodec.encode(message))) {
            throw new IllegalStateException("no agent is connected");
        }
    }

    /// Orders the command as an answer to the latest heartbeat.
    public void order(Command command) {
        order(command, 0);
    }

    /// Orders it with the knowledge that every epoch up to `released` is released.
    public void order(Command command, long released) {
        send(new Order(latest, term, spec.timing().ttl().toMillis(), released, command));
    }

    /// Acknowledges every heartbeat from now on with this grant.
    public void grant(ResourceId resource, long epoch) {
        grants.put(resource, new Grant(resource, epoch, spec.timing().ttl().toMillis()));
    }

    /// Like [#grant(ResourceId, long)], for a holder that lives on the consent of these members.
    public void grant(ResourceId resource, long epoch, Circle circle) {
        grants.put(resource, new Grant(resource, epoch, spec.timing().ttl().toMillis(), circle));
    }

    public void drop() {
        WebSocket to = socket;
        if (to != null) {
            to.close(1001, "dropped by the test");
        }
    }

    public Optional<CommandReply> reply(String id) {
        return replies.stream().filter(r -> r.commandId().equals(id)).findFirst();
    }

    /// Where the agent stood with the resource in its latest heartbeat.
    public LeaseReport report(ResourceId resource) {
        return heartbeats.isEmpty()
                ? new LeaseReport(resource, 0, 0, 0)
                : heartbeats.getLast().leases().stream()
                        .filter(r -> r.resource().equals(resource))
                        .findFirst()
                        .orElse(new LeaseReport(resource, 0, 0, 0));
    }

    @Override
    public void close() {
        sockets.forEach(s -> s.close(1001, "the test is over"));
        server.close();
    }

    private final class Session extends WebSocketListener {
        @Override
        public void onMessage(WebSocket from, String text) {
            AgentMessage message;
            try {
                message = MessageCodec.decodeAgent(text);
            } catch (MalformedMessage e) {
                throw new IllegalStateException(e);
            }
            switch (message) {
                case Hello hello -> {
                    hellos.add(hello);
                    socket = from;
                    sockets.add(from);
                    send(new Welcome(spec.cluster(), term, 1, spec));
                }
                case Heartbeat heartbeat -> {
                    latest = heartbeat.seq();
                    heartbeats.add(heartbeat);
                    acknowledge(heartbeat.seq(), List.copyOf(grants.values()));
                }
                case CommandReply reply -> replies.add(reply);
                case AgentMessage.Diverged answer -> diverged.add(answer);
                case RestartNotice notice -> {
                    notices.add(notice);
                    long millis = noticeGrantMillis;
                    if (millis > 0) {
                        acknowledge(
                                notice.seq(),
                                grants.values().stream()
                                        .map(g -> new Grant(g.resource(), g.epoch(), millis))
                                        .toList());
                    }
                }
            }
        }

        private void acknowledge(long seq, List<Grant> with) {
            if (acknowledges) {
                send(new Acknowledgement(seq, term, with));
            }
        }

        @Override
        public void onClosing(WebSocket from, int code, String reason) {
            from.close(code, null);
        }

        @Override
        public void onFailure(WebSocket from, Throwable problem, @Nullable Response response) {
            // the agent went away or was dropped; it comes back
        }
    }
}
