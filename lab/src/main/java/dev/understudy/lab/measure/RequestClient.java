package dev.understudy.lab.measure;

import dev.understudy.lab.measure.Timeline.Attempt;
import dev.understudy.lab.site.LabHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// A crowd of clients: a new connection with one GET every interval, whether the earlier ones were answered or not.
/// One thread inside the client's host does it all. A request fails when it is refused, reset, answered otherwise
/// than 200, or not answered within two seconds: long enough for TCP to send a lost first packet again (after one),
/// so that what counts as failed is what a user would see fail. How long nobody was answered at all is the outage.
public final class RequestClient implements AutoCloseable {

    private static final long LIMIT = Duration.ofSeconds(2).toNanos();
    private static final int MOST_IN_FLIGHT = 400;
    private static final int LARGEST_ANSWER = 4096;

    private final Timeline timeline = new Timeline();
    private final byte[] request;
    private final InetSocketAddress target;
    private final long interval;
    private final Thread thread;
    private final Set<Request> inFlight = new LinkedHashSet<>();
    private volatile boolean stopped;

    private RequestClient(LabHost host, String address, int port, Duration interval) {
        this.target = new InetSocketAddress(literal(address), port);
        this.interval = interval.toNanos();
        this.request = ("GET / HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        this.thread = host.network().threads("requests").newThread(this::run);
    }

    public static RequestClient start(LabHost host, String address, int port, Duration interval) {
        var client = new RequestClient(host, address, port, interval);
        client.thread.start();
        return client;
    }

    public Timeline timeline() {
        return timeline;
    }

    @Override
    public void close() {
        stopped = true;
        try {
            thread.join(Duration.ofSeconds(2));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static final class Request {
        private final long start;
        private final SocketChannel channel;
        private final ByteBuffer answer = ByteBuffer.allocate(LARGEST_ANSWER);

        Request(long start, SocketChannel channel) {
            this.start = start;
            this.channel = channel;
        }
    }

    private void run() {
        try (Selector selector = Selector.open()) {
            long next = System.nanoTime();
            while (!stopped) {
                long now = System.nanoTime();
                while (next <= now) {
                    begin(selector, next);
                    next += interval;
                }
                selector.select(key -> advance(key), Math.max(1, (next - System.nanoTime()) / 1_000_000));
                expire();
            }
            List.copyOf(inFlight).forEach(this::forget);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void begin(Selector selector, long start) {
        if (inFlight.size() >= MOST_IN_FLIGHT) {
            timeline.add(new Attempt(start, System.nanoTime(), "too many requests hang already"));
            return;
        }
        try {
            SocketChannel channel = SocketChannel.open();
            channel.configureBlocking(false);
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            Request fresh = new Request(start, channel);
            inFlight.add(fresh);
            try {
                channel.connect(target);
                channel.register(selector, SelectionKey.OP_CONNECT, fresh);
            } catch (IOException e) {
                end(fresh, "connect: " + e.getMessage());
            }
        } catch (IOException e) {
            timeline.add(new Attempt(start, System.nanoTime(), "open: " + e.getMessage()));
        }
    }

    private void advance(SelectionKey key) {
        if (!(key.attachment() instanceof Request current)) {
            throw new IllegalStateException("a key without its request");
        }
        try {
            if (key.isConnectable()) {
                current.channel.finishConnect();
                current.channel.write(ByteBuffer.wrap(request));
                key.interestOps(SelectionKey.OP_READ);
            } else if (key.isReadable()) {
                int read = current.channel.read(current.answer);
                if (read < 0 || !current.answer.hasRemaining()) {
                    judge(current);
                }
            }
        } catch (IOException e) {
            end(current, e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }

    private void judge(Request request) {
        String answer = new String(request.answer.array(), 0, request.answer.position(), StandardCharsets.US_ASCII);
        if (answer.startsWith("HTTP/1.1 200")) {
            end(request, "");
        } else {
            end(
                    request,
                    answer.isEmpty()
                            ? "closed without an answer"
                            : answer.lines().findFirst().orElse(answer));
        }
    }

    private void expire() {
        long now = System.nanoTime();
        while (!inFlight.isEmpty()) {
            Request oldest = inFlight.iterator().next();
            if (now - oldest.start < LIMIT) {
                return;
            }
            end(oldest, "no answer within two seconds");
        }
    }

    private void end(Request request, String failure) {
        forget(request);
        timeline.add(new Attempt(request.start, System.nanoTime(), failure));
    }

    private void forget(Request request) {
        inFlight.remove(request);
        try {
            request.channel.close();
        } catch (IOException e) {
            // it is closed
        }
    }

    private static InetAddress literal(String address) {
        return InetAddress.ofLiteral(address);
    }
}
