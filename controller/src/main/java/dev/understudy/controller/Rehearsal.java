package dev.understudy.controller;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

/// `--rehearse`: a whole controller on a temporary folder, with one agent that says hello, so that the JVM can write
/// down which classes a start needs (a class data archive). A start with it takes half the time, and leases lapse
/// while no controller runs.
final class Rehearsal {

    private static final String CLUSTER = """
            cluster: rehearsal
            hosts:
              lb1: {address: 127.0.0.1}
            groups:
              edge: {kind: balancer, mode: automatic, members: [lb1], addresses: [{ip: 192.0.2.10/24, interface: lo}]}
            """;

    private Rehearsal() {}

    static void play() throws Exception {
        Path folder = Files.createTempDirectory("understudy-rehearsal");
        try {
            Path cluster = Files.writeString(folder.resolve("cluster.yml"), CLUSTER);
            Controller.Settings settings = new Controller.Settings(
                    "ctl1", cluster, folder.resolve("state"), "127.0.0.1", freePort(), freePort(), true);
            try (Controller controller = Controller.start(settings, (where, cause) -> {
                throw new IllegalStateException(where, cause);
            })) {
                visit(controller.port());
            }
        } finally {
            delete(folder);
        }
    }

    private static void visit(int port) throws IOException, InterruptedException {
        OkHttpClient client = HttpClients.webSockets(Duration.ZERO);
        CountDownLatch answers = new CountDownLatch(2);
        WebSocket agent = client.newWebSocket(
                new Request.Builder().url("ws://127.0.0.1:" + port + "/agent").build(), new WebSocketListener() {
                    @Override
                    public void onMessage(WebSocket socket, String text) {
                        answers.countDown();
                    }
                });
        agent.send(MessageCodec.encode(new Hello(AgentMessage.VERSION, "", "lb1", "boot", "run", 0)));
        agent.send(MessageCodec.encode(new Heartbeat(1, List.of(), List.of(), 0)));
        boolean answered = answers.await(10, TimeUnit.SECONDS);
        for (String path : List.of("/", "/api/v1/state", "/api/v1/events", "/metrics", "/healthz")) {
            Request request =
                    new Request.Builder().url("http://127.0.0.1:" + port + path).build();
            try (Response response = client.newCall(request).execute()) {
                answered &= response.isSuccessful();
            }
        }
        agent.cancel();
        HttpClients.close(client);
        if (!answered) {
            throw new IllegalStateException("the rehearsal was not answered");
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
