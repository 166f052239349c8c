package dev.understudy.controller.web;

import dev.understudy.controller.loop.AgentConnection;
import dev.understudy.controller.loop.ControllerLoop;
import dev.understudy.controller.loop.View;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import io.javalin.websocket.WsConfig;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The agents' WebSocket: checks the hello, then passes messages to the loop. A host may have one connection; which
/// one that is, the loop decides (the newest).
///
/// Runs on the server's threads; never blocks.
final class AgentLink {

    /// A connection that says nothing for so long is closed; agents send a heartbeat each second or faster.
    static final Duration IDLE = Duration.ofSeconds(15);

    /// More messages waiting to be written than this: the connection is closed, and the agent comes back.
    static final int MAX_OUTGOING = 128;

    private static final Logger LOG = LoggerFactory.getLogger(AgentLink.class);
    private static final int POLICY = 1008;
    private static final int GOING_AWAY = 1001;
    private static final int TRY_AGAIN = 1013;

    private final ControllerLoop loop;
    private final Map<String, Socket> greeted = new ConcurrentHashMap<>();

    AgentLink(ControllerLoop loop) {
        this.loop = loop;
    }

    void configure(WsConfig ws) {
        ws.onConnect(context -> {
            context.session.setIdleTimeout(IDLE);
            context.session.setMaxOutgoingFrames(MAX_OUTGOING);
        });
        ws.onMessage(context -> received(context.sessionId(), context.session, context.message()));
        ws.onBinaryMessage(context -> context.session.close(POLICY, "text only", Callback.NOOP));
        ws.onClose(context -> {
            Socket socket = greeted.remove(context.sessionId());
            if (socket != null) {
                loop.closed(socket);
            }
        });
        // The close follows by itself; who it was and why is told there.
        ws.onError(context -> LOG.debug("agent link error", context.error()));
    }

    private void received(String id, Session session, String text) {
        Socket known = greeted.get(id);
        AgentMessage message;
        try {
            message = MessageCodec.decodeAgent(text);
        } catch (MalformedMessage e) {
            refuse(session, "malformed message: " + e.getMessage());
            return;
        }
        if (known != null && message instanceof Hello) {
            refuse(session, "a connection has one hello");
        } else if (known != null) {
            loop.received(known, message);
        } else if (message instanceof Hello hello) {
            View view = loop.view().orElse(null);
            ClusterSpec spec = view == null ? null : view.state().journaled().spec();
            if (view == null || !view.state().leading() || spec == null) {
                session.close(TRY_AGAIN, "this controller does not lead yet", Callback.NOOP);
                return;
            }
            Optional<String> refusal = refusal(hello, spec);
            if (refusal.isPresent()) {
                refuse(session, refusal.get());
            } else {
                Socket socket = new Socket(hello.host(), session);
                greeted.put(id, socket);
                loop.received(socket, hello);
            }
        } else {
            refuse(session, "the first message must be a hello");
        }
    }

    /// Why an agent may not speak to this cluster at all; empty if it may.
    private static Optional<String> refusal(Hello hello, ClusterSpec spec) {
        if (hello.version() != AgentMessage.VERSION) {
            return Optional.of(
                    "the agent speaks version " + hello.version() + ", this controller " + AgentMessage.VERSION);
        }
        if (!hello.cluster().isEmpty() && !hello.cluster().equals(spec.cluster())) {
            return Optional.of("this is cluster " + spec.cluster() + ", the agent belongs to " + hello.cluster());
        }
        if (spec.host(hello.host()).isEmpty()) {
            return Optional.of("host '" + hello.host() + "' is not declared in cluster " + spec.cluster());
        }
        return Optional.empty();
    }

    private static void refuse(Session session, String reason) {
        LOG.warn("agent=refused from={} reason=\"{}\"", session.getRemoteSocketAddress(), reason);
        String refusal = MessageCodec.encode(new ControllerMessage.Refusal(reason));
        String shortReason = reason.substring(0, Math.min(reason.length(), 100));
        session.sendText(
                refusal,
                Callback.from(() -> session.close(POLICY, shortReason, Callback.NOOP), _ -> session.disconnect()));
    }

    /// One greeted connection.
    private static final class Socket implements AgentConnection {
        private final String host;
        private final Session session;

        Socket(String host, Session session) {
            this.host = host;
            this.session = session;
        }

        @Override
        public String host() {
            return host;
        }

        @Override
        public void send(ControllerMessage message) {
            session.sendText(MessageCodec.encode(message), Callback.from(() -> {}, cause -> {
                LOG.debug("agent={} cannot be written to", host, cause);
                session.disconnect();
            }));
        }

        @Override
        public void close(String reason) {
            LOG.info("agent={} link=closed reason=\"{}\"", host, reason);
            session.close(GOING_AWAY, reason, Callback.NOOP);
        }
    }
}
