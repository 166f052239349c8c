package dev.understudy.agent.status;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Where the agent's HTTP servers are made. What a client may take of them is bounded: connections, and the seconds
/// that one request may last (a client that sends half a request gives its thread back). Answers leave at once
/// (`TCP_NODELAY`).
public final class HttpServers {

    /// Connections that a server of this process keeps; a further one is closed.
    private static final int CONNECTIONS = 128;

    static {
        // read once by the JDK's server (module jdk.httpserver) when the first one is made
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("sun.net.httpserver.maxReqTime", "5");
        System.setProperty("sun.net.httpserver.maxRspTime", "5");
        System.setProperty("jdk.httpserver.maxConnections", String.valueOf(CONNECTIONS));
    }

    private HttpServers() {}

    /// @throws IOException if the port cannot be bound; says which
    public static HttpServer create(InetSocketAddress listen) throws IOException {
        try {
            return HttpServer.create(listen, CONNECTIONS);
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen at " + listen.getHostString() + ":" + listen.getPort() + ": " + e.getMessage(), e);
        }
    }

    /// A few threads that go when they have nothing to do. Every connection has room in the queue.
    public static ExecutorService threads(String name, int atMost) {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                atMost,
                atMost,
                30,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(2 * CONNECTIONS),
                Thread.ofPlatform().name(name).daemon(true).factory());
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }
}
