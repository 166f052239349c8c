package dev.understudy.lab.measure;

import dev.understudy.lab.site.LabHost;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Clients that keep their connections: each is opened once, and asks a request after the other through it, as
/// browsers and API clients do. What happens to a connection stays with it: none is opened again.
public final class KeptConnections implements AutoCloseable {

    private static final int LIMIT_MILLIS = 2000;

    private final byte[] request;
    private final InetSocketAddress target;
    private final int count;
    private final Duration pause;
    private final Thread thread;
    private final List<String> failures = new ArrayList<>();
    private long rounds;
    private volatile boolean stopped;

    private KeptConnections(LabHost host, String address, int port, int count, Duration pause) {
        this.target = new InetSocketAddress(InetAddress.ofLiteral(address), port);
        this.request = ("GET / HTTP/1.1\r\nHost: " + address + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
        this.count = count;
        this.pause = pause;
        this.thread = host.network().threads("kept").newThread(this::run);
    }

    /// @param pause between two requests of a connection: shorter than the server keeps an idle one
    public static KeptConnections start(LabHost host, String address, int port, int count, Duration pause) {
        var kept = new KeptConnections(host, address, port, count, pause);
        kept.thread.start();
        return kept;
    }

    /// How often every connection that lives has been answered.
    public synchronized long rounds() {
        return rounds;
    }

    /// What became of each connection that does not live any more.
    public synchronized List<String> failures() {
        return List.copyOf(failures);
    }

    @Override
    public void close() {
        stopped = true;
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Socket socket = new Socket();
                sockets.add(socket);
                socket.setTcpNoDelay(true);
                socket.setSoTimeout(LIMIT_MILLIS);
                socket.connect(target, LIMIT_MILLIS);
            }
        } catch (IOException e) {
            failed("connect: " + e.getMessage());
        }
        while (!stopped) {
            sockets.removeIf(socket -> !answered(socket));
            synchronized (this) {
                rounds++;
            }
            try {
                Thread.sleep(pause);
            } catch (InterruptedException e) {
                return;
            }
        }
        sockets.forEach(KeptConnections::close);
    }

    private boolean answered(Socket socket) {
        try {
            socket.getOutputStream().write(request);
            String head = head(socket.getInputStream());
            int length = head.lines()
                    .filter(line -> line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:"))
                    .mapToInt(line -> Integer.parseInt(
                            line.substring("content-length:".length()).strip()))
                    .findFirst()
                    .orElse(-1);
            if (!head.startsWith("HTTP/1.1 200") || length < 0) {
                throw new IOException(head.lines().findFirst().orElse("no answer"));
            }
            if (socket.getInputStream().readNBytes(length).length < length) {
                throw new IOException("closed in the middle of an answer");
            }
            return true;
        } catch (IOException e) {
            failed(String.valueOf(e.getMessage()));
            close(socket);
            return false;
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("closed");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private synchronized void failed(String reason) {
        failures.add(reason);
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is closed
        }
    }
}
