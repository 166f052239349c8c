package dev.understudy.agent.probe;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;

/// HAProxy's runtime socket (HAProxy Management Guide, section 9.3): one command a connection, the answer ends with
/// the connection. Thread-safe.
public final class RuntimeSocket {

    private static final int ANSWER_LIMIT_BYTES = 8 * 1024 * 1024;

    private final Path path;
    private final Duration timeout;

    /// @param timeout for connecting, asking and the whole answer together
    public RuntimeSocket(Path path, Duration timeout) {
        this.path = path;
        this.timeout = timeout;
    }

    /// Nobody accepts: no such socket, or nobody listens on it any more.
    public static final class Closed extends IOException {
        Closed(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// Asks one command and returns the answer without the empty line at its end.
    ///
    /// @throws Closed nobody listens
    /// @throws IOException it was accepted but not answered in time, or broken off
    public String ask(String command) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (SocketChannel channel = connect();
                Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            SelectionKey key = channel.register(selector, SelectionKey.OP_WRITE);
            ByteBuffer request = ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.UTF_8));
            while (request.hasRemaining()) {
                await(selector, deadline, command);
                channel.write(request);
            }
            key.interestOps(SelectionKey.OP_READ);
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            ByteBuffer part = ByteBuffer.allocate(16 * 1024);
            while (true) {
                await(selector, deadline, command);
                int got = channel.read(part);
                if (got < 0) {
                    return answer.toString(StandardCharsets.UTF_8).strip();
                }
                byte[] bytes = new byte[part.position()];
                part.flip().get(bytes);
                part.clear();
                answer.writeBytes(bytes);
                if (answer.size() > ANSWER_LIMIT_BYTES) {
                    throw new IOException("the answer to '" + command + "' is longer than " + ANSWER_LIMIT_BYTES);
                }
            }
        }
    }

    /// A local socket connects at once, is refused at once, or waits while the backlog is full: the last is told
    /// apart by non-blocking mode, where Linux answers EAGAIN.
    private SocketChannel connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.configureBlocking(false);
            if (!channel.connect(UnixDomainSocketAddress.of(path))) {
                throw new IOException("connecting to " + path + " does not finish");
            }
            return channel;
        } catch (ConnectException | NoSuchFileException e) {
            channel.close();
            throw new Closed("nobody listens on " + path, e);
        } catch (IOException e) {
            channel.close();
            if (String.valueOf(e.getMessage()).contains("No such file")
                    || String.valueOf(e.getMessage()).contains("refused")) {
                throw new Closed("nobody listens on " + path, e);
            }
            throw e;
        }
    }

    private static void await(Selector selector, long deadline, String command) throws IOException {
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) {
            throw new IOException("'" + command + "' was not answered in time");
        }
        selector.selectedKeys().clear();
        if (selector.select(millis) == 0 && System.nanoTime() >= deadline) {
            throw new IOException("'" + command + "' was not answered in time");
        }
    }
}
