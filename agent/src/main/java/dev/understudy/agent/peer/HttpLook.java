package dev.understudy.agent.peer;

import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation.Reach;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.SocketException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import okhttp3.Call;
import okhttp3.Connection;
import okhttp3.ConnectionPool;
import okhttp3.EventListener;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;

/// One GET at another host, and what came back from there. Any answer in HTTP is an answer; a reset says that a
/// kernel lives; a connection that is accepted and then silent says that a process hangs. Thread-safe.
final class HttpLook {

    /// The detail of a look that could not even leave this host.
    static final String NO_ROUTE = "no route from here";

    private final OkHttpClient kept;
    private final OkHttpClient fresh;

    /// @param at when the look began
    /// @param detail stable words: an equal observation is sent once
    record Seen(Moment at, Reach reach, String detail) {}

    HttpLook(OkHttpClient client) {
        kept = client.newBuilder().eventListenerFactory(HttpLook::phases).build();
        fresh = kept.newBuilder()
                .connectionPool(new ConnectionPool(0, 1, TimeUnit.NANOSECONDS))
                .build();
    }

    /// Over a connection that is kept, if there is one: cheap. What goes wrong on a kept one proves nothing and is
    /// tried again at once on a new one.
    Seen again(HttpUrl url, Duration within) {
        Phases phases = new Phases();
        Seen seen = look(kept, new Request.Builder().url(url), phases, within);
        return seen.reach() != Reach.ANSWERS && phases.reused ? anew(url, within) : seen;
    }

    /// Over a new connection, as a new client would.
    Seen anew(HttpUrl url, Duration within) {
        return look(fresh, new Request.Builder().url(url).header("Connection", "close"), new Phases(), within);
    }

    private static Seen look(OkHttpClient client, Request.Builder request, Phases phases, Duration within) {
        Moment at = new Moment(System.nanoTime());
        Call call = client.newCall(request.tag(Phases.class, phases).build());
        call.timeout().timeout(within.toNanos(), TimeUnit.NANOSECONDS);
        try (Response response = call.execute()) {
            return new Seen(at, Reach.ANSWERS, response.code() < 400 ? "" : "HTTP " + response.code());
        } catch (SSLException e) {
            return new Seen(at, Reach.ANSWERS, "no TLS as expected");
        } catch (IOException e) {
            return failed(at, e, phases.connected);
        }
    }

    private static Seen failed(Moment at, IOException problem, boolean connected) {
        String words = (problem.getMessage() + " " + problem.getCause()).toLowerCase(Locale.ROOT);
        if (problem instanceof ConnectException && words.contains("refused")) {
            return new Seen(at, Reach.REFUSES, "refused");
        }
        if (problem instanceof SocketException && words.contains("reset")) {
            return new Seen(at, Reach.REFUSES, "reset");
        }
        if (words.contains("network is unreachable")) {
            return new Seen(at, Reach.SILENT, NO_ROUTE);
        }
        if (connected) {
            boolean ended = words.contains("end of stream") || words.contains("closed");
            return new Seen(at, Reach.HANGS, ended ? "closed without an answer" : "no answer in time");
        }
        return new Seen(at, Reach.SILENT, "");
    }

    private static EventListener phases(Call call) {
        Phases phases = call.request().tag(Phases.class);
        return phases == null ? EventListener.NONE : phases;
    }

    /// How far a call came.
    private static final class Phases extends EventListener {
        private volatile boolean connecting;
        private volatile boolean connected;
        private volatile boolean reused;

        @Override
        public void connectStart(Call call, InetSocketAddress address, Proxy proxy) {
            connecting = true;
        }

        @Override
        public void secureConnectStart(Call call) {
            connected = true;
        }

        @Override
        public void connectionAcquired(Call call, Connection connection) {
            connected = true;
            reused = !connecting;
        }
    }
}
