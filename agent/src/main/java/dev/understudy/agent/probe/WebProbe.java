package dev.understudy.agent.probe;

import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/// Asks a web host's own check. UP: an answer from 200 to 399. DOWN: the connection is refused, or an answer of 500
/// and more. Everything else (a time-out, an answer of 400 to 499) is UNKNOWN: it says nothing sure about the
/// service.
public final class WebProbe implements AutoCloseable {

    private final String group;
    private final HttpUrl url;
    private final OkHttpClient client;
    private final ObservationSink sink;
    private @Nullable ProbeLoop loop;

    /// @param checkUrl the group's check, with `{address}` for this host's address
    /// @param timeout for the whole call
    /// @throws IllegalArgumentException when that is no URL of http or https
    public WebProbe(
            String group,
            String checkUrl,
            String address,
            OkHttpClient client,
            ObservationSink sink,
            Duration timeout) {
        this.group = group;
        this.url = HttpUrl.get(checkUrl.replace("{address}", address.contains(":") ? "[" + address + "]" : address));
        this.client = client.newBuilder()
                .callTimeout(timeout)
                .followRedirects(false)
                .retryOnConnectionFailure(false)
                .build();
        this.sink = sink;
    }

    public synchronized void start(Duration interval) {
        if (loop != null) {
            throw new IllegalStateException("started already");
        }
        loop = new ProbeLoop("web-probe-" + group, interval, () -> sink.publish(observe()));
    }

    /// One look; blocks at most for the time-out.
    public Observation.Web observe() {
        // a fresh connection each time: a kept one says nothing about whether new ones are accepted
        Request request =
                new Request.Builder().url(url).header("Connection", "close").build();
        try (Response response = client.newCall(request).execute()) {
            int status = response.code();
            if (status >= 500) {
                return new Observation.Web(group, Health.DOWN, status, "");
            }
            return new Observation.Web(group, status < 400 ? Health.UP : Health.UNKNOWN, status, "");
        } catch (ConnectException e) {
            boolean refused = String.valueOf(e.getCause()).contains("refused")
                    || String.valueOf(e.getMessage()).contains("refused");
            return new Observation.Web(
                    group,
                    refused ? Health.DOWN : Health.UNKNOWN,
                    0,
                    refused ? "refused" : String.valueOf(e.getMessage()));
        } catch (SocketTimeoutException e) {
            return new Observation.Web(group, Health.UNKNOWN, 0, "no answer in time");
        } catch (IOException e) {
            return new Observation.Web(group, Health.UNKNOWN, 0, String.valueOf(e.getMessage()));
        }
    }

    @Override
    public synchronized void close() {
        if (loop != null) {
            loop.close();
        }
    }
}
