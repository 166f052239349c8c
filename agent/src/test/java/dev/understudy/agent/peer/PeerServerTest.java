package dev.understudy.agent.peer;

import static dev.understudy.agent.peer.Members.ADDRESS;
import static dev.understudy.agent.peer.Members.SPEC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
import dev.understudy.protocol.ResourceId;
import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What the peer port lets through to the lease thread, and what not.
class PeerServerTest {

    private static final ConsentRequest GOOD = new ConsentRequest("shop", "h1", ADDRESS, 5, 17, 2, 1500);
    private static final String ALIVE = "GET /alive HTTP/1.1\r\nHost: h2\r\n";

    private final OkHttpClient client = HttpClients.peers();
    private final List<ConsentRequest> asked = new CopyOnWriteArrayList<>();
    private volatile Optional<ClusterSpec> spec = Optional.of(SPEC);
    private PeerServer server;

    @BeforeEach
    void start() throws IOException {
        server = PeerServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), "h2", () -> spec, request -> {
                    asked.add(request);
                    return CompletableFuture.completedFuture(
                            new Consent(request.resource(), request.epoch(), request.seq(), true, ""));
                });
    }

    @AfterEach
    void close() {
        server.close();
        HttpClients.close(client);
    }

    private record Answer(int status, String text) {}

    private Answer post(String body) throws IOException {
        return call(request("/consent").post(RequestBody.create(body.getBytes(StandardCharsets.UTF_8))));
    }

    private Answer post(ConsentRequest question) throws IOException {
        return post(MessageCodec.encode(question));
    }

    private Request.Builder request(String path) {
        return new Request.Builder().url("http://127.0.0.1:" + server.port() + path);
    }

    private Answer call(Request.Builder request) throws IOException {
        try (Response response = client.newCall(request.build()).execute()) {
            return new Answer(response.code(), response.body().string());
        }
    }

    @Test
    void a_question_of_another_member_is_asked_and_answered() throws Exception {
        Answer answer = post(GOOD);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(MessageCodec.decodePeer(answer.text())).isEqualTo(new Consent(ADDRESS, 5, 17, true, ""));
        assertThat(asked).containsExactly(GOOD);
    }

    @Test
    void an_agent_that_lives_says_so() throws Exception {
        assertThat(call(request("/alive"))).isEqualTo(new Answer(204, ""));
    }

    @Test
    void whoever_may_not_ask_is_refused_with_one_line_and_nothing_is_promised() throws Exception {
        List<Answer> answers = new ArrayList<>();
        answers.add(post(new ConsentRequest("other", "h1", ADDRESS, 5, 17, 2, 1500)));
        answers.add(post(new ConsentRequest("shop", "other", ADDRESS, 5, 17, 2, 1500)));
        answers.add(post(new ConsentRequest("shop", "h2", ADDRESS, 5, 17, 2, 1500)));
        answers.add(post(new ConsentRequest("shop", "nobody", ADDRESS, 5, 17, 2, 1500)));
        answers.add(post(new ConsentRequest("shop", "h1", new ResourceId("edge", "192.0.2.77"), 5, 17, 2, 1500)));
        answers.add(post(new ConsentRequest("shop", "h1", ResourceId.primary("none"), 5, 17, 2, 1500)));
        assertThat(answers).extracting(Answer::status).containsOnly(403);
        assertThat(answers).allSatisfy(a -> assertThat(a.text().lines()).hasSize(1));
        assertThat(asked).isEmpty();
    }

    @Test
    void what_is_no_question_is_refused_with_one_line_and_nothing_is_promised() throws Exception {
        String good = MessageCodec.encode(GOOD);
        List<Answer> answers = new ArrayList<>();
        answers.add(post(""));
        answers.add(post("{"));
        answers.add(post(MessageCodec.encode(new Consent(ADDRESS, 5, 17, true, ""))));
        answers.add(post(good.replace("\"epoch\"", "\"epok\"")));
        answers.add(post(good.replace(":5,", ":0,")));
        answers.add(post(good.replace(":5,", ":\"5\",")));
        answers.add(post(good.replace("1500", "86400000")));
        answers.add(post(good.replace("1500", "-1")));
        assertThat(answers).extracting(Answer::status).containsOnly(400);
        assertThat(answers).allSatisfy(a -> assertThat(a.text().lines()).hasSize(1));
        assertThat(post(good + " ".repeat(PeerServer.LONGEST_QUESTION)).status())
                .isEqualTo(413);
        assertThat(call(request("/consent")).status()).isEqualTo(405);
        assertThat(call(request("/alive").post(RequestBody.create(new byte[0]))).status())
                .isEqualTo(405);
        assertThat(call(request("/")).status()).isEqualTo(404);
        spec = Optional.empty();
        assertThat(post(GOOD).status()).isEqualTo(503);
        assertThat(asked).isEmpty();
    }

    @Test
    void clients_that_send_half_a_request_do_not_keep_the_others_out() throws Exception {
        List<Socket> halves = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                Socket half = new Socket(InetAddress.getLoopbackAddress(), server.port());
                half.getOutputStream().write(ALIVE.getBytes(StandardCharsets.US_ASCII));
                halves.add(half);
            }
            OkHttpClient patient =
                    client.newBuilder().readTimeout(Duration.ofSeconds(60)).build();
            await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> {
                try (Response response =
                        patient.newCall(request("/alive").build()).execute()) {
                    return response.code() == 204;
                }
            });
        } finally {
            for (Socket half : halves) {
                half.close();
            }
        }
    }
}
