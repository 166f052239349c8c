package dev.understudy.agent.database;

import dev.understudy.protocol.Command.OfferCopy;
import dev.understudy.protocol.CopyTicket;
import dev.understudy.protocol.Observation.CopyStep;
import dev.understudy.protocol.Observation.Copying;
import dev.understudy.protocol.Outcome;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The giving side of a copy: waits for one receiver that knows the ticket, then runs the server's backup program and
/// sends what it writes. One offer at a time; a new one ends the one before. Thread-safe.
final class CopySource implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(CopySource.class);

    /// Connections that do not know the ticket, until the offer ends.
    private static final int STRANGERS = 16;

    private static final Duration GREETING = Duration.ofSeconds(5);
    private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(2);
    /// A frame that is not taken for so long is taken by nobody.
    private static final Duration STUCK = Duration.ofSeconds(60);

    private final Server server;
    private final InetSocketAddress listen;
    private @Nullable Offer current;

    /// @param listen where receivers connect to while there is an offer; port 0 for any
    CopySource(Server server, InetSocketAddress listen) {
        this.server = server;
        this.listen = listen;
    }

    private static final class Offer {
        final CopyTicket ticket;
        final ServerSocket door;
        final CopyProgress progress;
        final Throttle throttle;
        final Deadline until;
        volatile @Nullable Socket connection;
        volatile @Nullable Tool backup;
        volatile String ended = "";
        volatile long writingSince;

        Offer(OfferCopy order, long bytes, ServerSocket door) {
            this.ticket = order.ticket();
            this.door = door;
            this.progress = new CopyProgress(ticket.copy(), CopyStep.GIVING, bytes);
            this.throttle = new Throttle(order.bytesPerSecond());
            this.until = Deadline.in(Duration.ofMillis(order.timeoutMillis()));
        }

        void end(String why) {
            if (ended.isEmpty()) {
                ended = why;
            }
            close(door);
            Socket open = connection;
            if (open != null) {
                close(open);
            }
            Tool running = backup;
            if (running != null) {
                running.process().destroyForcibly(); // it may hold a lock, and say nothing for long
            }
        }
    }

    /// @param bytes how much there is, about
    synchronized Outcome offer(OfferCopy order, long bytes) {
        end("another copy was ordered");
        ServerSocket door;
        try {
            door = new ServerSocket();
            door.setReuseAddress(true);
            door.bind(listen, 1);
        } catch (IOException e) {
            return new Outcome.Failed("cannot listen at " + listen + " for a receiver: " + e.getMessage());
        }
        Offer offer = new Offer(order, bytes, door);
        current = offer;
        Thread.ofPlatform().name("copy " + offer.ticket.copy()).daemon(true).start(() -> serve(offer));
        return new Outcome.Done(
                Map.of(OfferCopy.PORT, Integer.toString(door.getLocalPort()), OfferCopy.BYTES, Long.toString(bytes)));
    }

    synchronized Optional<Copying> now() {
        return Optional.ofNullable(current).map(offer -> offer.progress.now());
    }

    /// Ends the copy with that name, if there is one.
    synchronized void end(String copy, String why) {
        if (current != null && current.ticket.copy().equals(copy)) {
            end(why);
        }
    }

    /// Ends whatever copy is being given.
    synchronized void end(String why) {
        Offer offer = current;
        if (offer != null) {
            offer.end(why);
            current = null;
        }
    }

    @Override
    public void close() {
        end("the agent is stopped");
    }

    private void serve(Offer offer) {
        String copy = offer.ticket.copy();
        try {
            if (await(offer)) {
                log.info(
                        "event=copy-given copy={} bytes={}",
                        copy,
                        offer.progress.now().bytes());
            }
        } catch (IOException | RuntimeException e) {
            String why = offer.ended.isEmpty() ? String.valueOf(e.getMessage()) : offer.ended;
            log.warn("event=copy-not-given copy={} reason=\"{}\"", copy, why);
        } finally {
            offer.end("over");
            synchronized (this) {
                if (offer.equals(current)) {
                    current = null;
                }
            }
        }
    }

    private boolean await(Offer offer) throws IOException {
        for (int strangers = 0; strangers < STRANGERS; ) {
            offer.door.setSoTimeout(Math.toIntExact(offer.until.left().toMillis()));
            try (Socket socket = offer.door.accept()) {
                offer.connection = socket;
                socket.setSoTimeout(Math.toIntExact(GREETING.toMillis()));
                DataOutputStream out =
                        new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), 1 << 17));
                CopyWire.Sender sender;
                try {
                    sender = CopyWire.accept(offer.ticket, new DataInputStream(socket.getInputStream()), out);
                } catch (IOException e) {
                    strangers++;
                    log.warn(
                            "event=copy-stranger copy={} address={} reason=\"{}\"",
                            offer.ticket.copy(),
                            socket.getInetAddress().getHostAddress(),
                            e.getMessage());
                    continue;
                }
                close(offer.door); // one connection is all
                give(offer, sender);
                return true;
            } catch (SocketTimeoutException e) {
                throw new IOException("no receiver came in time", e);
            }
        }
        throw new IOException("too many connections that do not know the token");
    }

    private void give(Offer offer, CopyWire.Sender sender) throws IOException {
        Thread signs = Thread.ofVirtual().name("copy-alive").start(() -> keepAlive(offer, sender));
        Path temporary = Files.createTempDirectory("understudy-copy");
        Path words = server.local().besideCopies("backup-" + server.group().name() + ".log");
        log.info("event=copy-begins copy={}", offer.ticket.copy());
        String history = history();
        try (Tool backup = Tool.start(
                        server.sql()
                                .backup(server.local().socket(), server.local().user(), temporary),
                        server.local().password(),
                        words);
                InputStream data = backup.process().getInputStream()) {
            offer.backup = backup;
            if (!offer.ended.isEmpty()) {
                throw new IOException(offer.ended);
            }
            byte[] buffer = new byte[CopyWire.LARGEST];
            int read = data.read(buffer);
            while (read > 0) {
                offer.throttle.take(read);
                send(offer, sender, buffer, read);
                offer.progress.add(read);
                read = data.read(buffer);
            }
            try {
                backup.finish();
            } catch (IOException e) {
                sender.failed(String.valueOf(e.getMessage()));
                throw e;
            }
            sender.end(history);
        } finally {
            signs.interrupt();
            DataSwap.remove(temporary);
        }
    }

    /// Who has written what, as this server's binary log knows it: the copy has the data and not the log.
    private String history() throws IOException {
        try {
            return server.view(server.act()).binlogState().toString();
        } catch (SQLException e) {
            throw new IOException("the state of the binary log cannot be read: " + Server.describe(e), e);
        }
    }

    private static void send(Offer offer, CopyWire.Sender sender, byte[] buffer, int length) throws IOException {
        offer.writingSince = System.nanoTime();
        try {
            sender.data(buffer, length);
        } catch (IOException e) {
            throw offer.ended.isEmpty() ? new IOException("the receiver is gone: " + e.getMessage(), e) : e;
        } finally {
            offer.writingSince = 0;
        }
    }

    /// Shows the receiver that this side lives while the backup has nothing to say, and ends a copy that nobody takes.
    private static void keepAlive(Offer offer, CopyWire.Sender sender) {
        try {
            while (true) {
                Thread.sleep(SIGN_OF_LIFE);
                long since = offer.writingSince;
                if (since == 0) {
                    sender.alive();
                } else if (System.nanoTime() - since > STUCK.toNanos()) {
                    offer.end("the receiver has taken nothing for " + STUCK.toSeconds() + " s");
                    return;
                }
            }
        } catch (IOException e) {
            offer.end("the receiver is gone: " + e.getMessage());
        } catch (InterruptedException e) {
            // the copy is over
        }
    }

    private static void close(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            log.debug("event=close-failed reason=\"{}\"", e.toString());
        }
    }
}
