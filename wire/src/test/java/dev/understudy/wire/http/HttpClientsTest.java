package dev.understudy.wire.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Socket;
import java.time.Duration;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.Test;

class HttpClientsTest {

    /// With Nagle's algorithm each step of a plan took 40 ms longer on the wire.
    @Test
    void sockets_send_at_once() throws Exception {
        OkHttpClient client = HttpClients.webSockets(Duration.ZERO);
        try (Socket socket = client.socketFactory().createSocket()) {
            assertThat(socket.getTcpNoDelay()).isTrue();
        } finally {
            HttpClients.close(client);
        }
    }
}
