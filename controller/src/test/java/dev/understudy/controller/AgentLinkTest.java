package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.ControllerMessage.Refusal;
import dev.understudy.protocol.ControllerMessage.Welcome;
import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentLinkTest {

    @TempDir
    Path folder;

    private final OkHttpClient client = HttpClients.webSockets(Duration.ZERO);
    private Site site;

    @BeforeEach
    void start() throws Exception {
        site = new Site(folder.resolve("state"));
        site.start(Site.PAIR, true);
    }

    @AfterEach
    void stop() throws Exception {
        HttpClients.close(client);
        site.close();
    }

    @Test
    void aHelloIsAnsweredWithTheSpecAndHeartbeatsWithTheirNumber() {
        Line line = connect();
        line.say(hello("", "lb1", AgentMessage.VERSION));
        line.say(new Heartbeat(41, List.of(), List.of(), 0));

        await().until(() -> line.heard.size() >= 2);
        assertThat(line.heard.getFirst()).isInstanceOfSatisfying(Welcome.class, welcome -> {
            assertThat(welcome.cluster()).isEqualTo("pair");
            assertThat(welcome.specVersion()).isEqualTo(1);
            assertThat(welcome.spec().host("lb1")).isPresent();
        });
        assertThat(line.heard.get(1))
                .isInstanceOfSatisfying(
                        Acknowledgement.class, ack -> assertThat(ack.seq()).isEqualTo(41));
    }

    @Test
    void whoDoesNotBelongHereIsRefusedWithAReason() {
        assertThat(refusal(hello("", "lb9", AgentMessage.VERSION)))
                .isEqualTo("host 'lb9' is not declared in cluster pair");
        assertThat(refusal(hello("other", "lb1", AgentMessage.VERSION)))
                .isEqualTo("this is cluster pair, the agent belongs to other");
        assertThat(refusal(hello("pair", "lb1", AgentMessage.VERSION + 1)))
                .isEqualTo("the agent speaks version 2, this controller 1");
        assertThat(refusal(new Heartbeat(1, List.of(), List.of(), 0))).isEqualTo("the first message must be a hello");
        assertThat(site.controller().view().orElseThrow().connected()).isEmpty();
    }

    @Test
    void textThatIsNoMessageIsRefused() {
        Line line = connect();
        line.socket.send("{\"type\":\"hello\"}");
        await().until(() -> line.closed);
        assertThat(line.heard)
                .singleElement()
                .isInstanceOfSatisfying(
                        Refusal.class, r -> assertThat(r.reason()).startsWith("malformed message: "));
    }

    @Test
    void aNewerConnectionOfAHostTakesThePlaceOfTheOlder() {
        Line older = connect();
        older.say(hello("pair", "lb1", AgentMessage.VERSION));
        await().until(() -> !older.heard.isEmpty());
        Line newer = connect();
        newer.say(hello("pair", "lb1", AgentMessage.VERSION));

        await().until(() -> older.closed && !newer.heard.isEmpty());
        newer.say(new Heartbeat(1, List.of(), List.of(), 0));
        await().until(() -> newer.heard.stream().anyMatch(Acknowledgement.class::isInstance));
        assertThat(newer.closed).isFalse();
        assertThat(site.controller().view().orElseThrow().connected()).containsExactly("lb1");
    }

    @Test
    void anEndedConnectionIsNoticed() {
        Line line = connect();
        line.say(hello("", "lb2", AgentMessage.VERSION));
        await().until(() -> site.controller().view().orElseThrow().connected().contains("lb2"));

        line.socket.cancel();

        await().until(() -> site.controller().view().orElseThrow().connected().isEmpty());
        assertThat(site.controller().view().orElseThrow().state().hosts())
                .hasEntrySatisfying("lb2", host -> assertThat(host.connected()).isFalse());
    }

    private String refusal(AgentMessage first) {
        Line line = connect();
        line.say(first);
        await().until(() -> line.closed);
        assertThat(line.heard).hasSize(1);
        return ((Refusal) line.heard.getFirst()).reason();
    }

    private static Hello hello(String cluster, String host, int version) {
        return new Hello(version, cluster, host, "boot", "run", 0);
    }

    private Line connect() {
        return new Line(
                client,
                new Request.Builder()
                        .url("ws://127.0.0.1:" + site.port() + "/agent")
                        .build());
    }

    /// One connection, and what came over it.
    private static final class Line extends WebSocketListener {
        final List<ControllerMessage> heard = new CopyOnWriteArrayList<>();
        volatile boolean closed;
        private final WebSocket socket;

        Line(OkHttpClient client, Request request) {
            socket = client.newWebSocket(request, this);
        }

        void say(AgentMessage message) {
            socket.send(MessageCodec.encode(message));
        }

        @Override
        public void onMessage(WebSocket from, String text) {
            try {
                heard.add(MessageCodec.decodeController(text));
            } catch (MalformedMessage e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void onClosing(WebSocket from, int code, String reason) {
            from.close(code, reason);
            closed = true;
        }
    }
}
