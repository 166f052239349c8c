package dev.understudy.wire.http;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;

/// The one place where an HTTP or WebSocket client is made (TLS comes in here later). Nothing is retried or
/// redirected behind the caller's back: a failure is seen at once. Each client owns threads and connections: make
/// few, keep them, and [#close] them.
public final class HttpClients {

    private static final Duration CONNECT = Duration.ofSeconds(1);
    private static final int PEER_REQUESTS = 64;

    private HttpClients() {}

    /// For requests with answers.
    ///
    /// @param call the longest time for one call, from connecting to the answer's last byte
    public static OkHttpClient requests(Duration call) {
        return base().callTimeout(call).readTimeout(call).writeTimeout(call).build();
    }

    /// For WebSockets. They have no read time-out: who uses one notices silence by what it expects to hear.
    ///
    /// @param ping interval of WebSocket pings, after two of which without a pong the socket fails; zero for none
    public static OkHttpClient webSockets(Duration ping) {
        return base().readTimeout(Duration.ZERO).pingInterval(ping).build();
    }

    /// For many short requests to a few other agents, each with a time-out of its own ([okhttp3.Call#timeout]), over
    /// connections that are kept.
    public static OkHttpClient peers() {
        Dispatcher dispatcher = new Dispatcher();
        dispatcher.setMaxRequests(PEER_REQUESTS);
        dispatcher.setMaxRequestsPerHost(PEER_REQUESTS);
        return base().dispatcher(dispatcher)
                .connectionPool(new ConnectionPool(PEER_REQUESTS, 1, TimeUnit.MINUTES))
                .build();
    }

    /// Ends the client's threads and idle connections.
    public static void close(OkHttpClient client) {
        client.dispatcher().cancelAll();
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }

    private static OkHttpClient.Builder base() {
        return new OkHttpClient.Builder()
                .connectTimeout(CONNECT)
                .writeTimeout(CONNECT)
                .retryOnConnectionFailure(false)
                .followRedirects(false)
                .fastFallback(false)
                .socketFactory(new PromptSockets());
    }
}
