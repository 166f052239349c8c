package dev.understudy.agent.database;

import dev.understudy.protocol.Command.ReceiveCopy;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation.CopyStep;
import dev.understudy.protocol.Observation.Copying;
import dev.understudy.protocol.Outcome;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The receiving side of a copy: fetches it into a folder beside the data, has the server's program make it
/// consistent, and marks it as ready. The data and the server are not touched. One at a time. Thread-safe.
final class CopyTarget implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(CopyTarget.class);

    private static final Duration CONNECT = Duration.ofSeconds(5);
    /// The donor gives a sign of life every two seconds.
    private static final Duration SILENCE = Duration.ofSeconds(15);
    /// What a copy needs beside its size: its redo log, and what is written while it is made.
    private static final long MARGIN = 64L << 20;

    private final Server server;
    private @Nullable Receipt current;

    CopyTarget(Server server) {
        this.server = server;
    }

    private static final class Receipt {
        final String copy;
        final CopyProgress progress;
        private @Nullable AutoCloseable open;
        private boolean ended;

        Receipt(ReceiveCopy order) {
            copy = order.ticket().copy();
            progress = new CopyProgress(copy, CopyStep.RECEIVING, order.bytes());
        }

        /// What is to be closed when the copy is not wanted any more.
        synchronized void holds(AutoCloseable next) throws IOException {
            open = next;
            if (ended) {
                end();
                throw new IOException("the copy is not wanted any more");
            }
        }

        synchronized void end() {
            ended = true;
            AutoCloseable closing = open;
            if (closing != null) {
                try {
                    closing.close();
                } catch (Exception e) {
                    log.debug("event=close-failed reason=\"{}\"", e.toString());
                }
            }
        }

        synchronized boolean ended() {
            return ended;
        }
    }

    /// Room that a copy of so many bytes needs.
    static long needed(long bytes) {
        return bytes + bytes / 10 + MARGIN;
    }

    synchronized Optional<Copying> now() {
        return Optional.ofNullable(current).map(receipt -> receipt.progress.now());
    }

    /// Takes as long as it takes; [#end] from another thread ends it.
    Outcome receive(ReceiveCopy order, DataSwap swap) {
        Receipt receipt = new Receipt(order);
        synchronized (this) {
            if (current != null) {
                return new Outcome.Refused("busy", current.copy + " is being received");
            }
            current = receipt;
        }
        try {
            Optional<DataSwap.Marker> ready = DataSwap.marker(swap.fresh());
            if (ready.isPresent() && ready.get().copy().equals(receipt.copy)) {
                return done(ready.get().position());
            }
            DataSwap.remove(swap.fresh());
            long room = swap.room();
            if (room < needed(order.bytes())) {
                return new Outcome.Refused(
                        "space",
                        "%s has room for %d MiB beside the old data, and %d are needed"
                                .formatted(swap.fresh().getParent(), room >> 20, needed(order.bytes()) >> 20));
            }
            return done(fetch(order, swap, receipt));
        } catch (IOException | RuntimeException e) {
            String why = receipt.ended() ? "the copy is not wanted any more" : describe(e);
            log.warn("event=copy-not-received copy={} reason=\"{}\"", receipt.copy, why);
            return new Outcome.Failed(why + clear(swap));
        } finally {
            synchronized (this) {
                current = null;
                notifyAll();
            }
        }
    }

    private static Outcome done(String position) {
        return new Outcome.Done(Map.of(ReceiveCopy.POSITION, position));
    }

    private static String describe(Exception e) {
        return switch (e) {
            case CopyWire.Ended ended -> "the donor ended it: " + ended.getMessage();
            case CopyWire.Untrusted _ -> String.valueOf(e.getMessage());
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }

    private static String clear(DataSwap swap) {
        try {
            DataSwap.remove(swap.fresh());
            return "";
        } catch (IOException e) {
            return "; what came of it is still in " + swap.fresh() + ": " + e.getMessage();
        }
    }

    private String fetch(ReceiveCopy order, DataSwap swap, Receipt receipt) throws IOException {
        Path folder = swap.begin();
        GtidList history;
        log.info("event=copy-begins copy={} from={}:{}", receipt.copy, order.address(), order.port());
        try (Socket socket = new Socket()) {
            receipt.holds(socket);
            socket.connect(new InetSocketAddress(order.address(), order.port()), Math.toIntExact(CONNECT.toMillis()));
            socket.setSoTimeout(Math.toIntExact(SILENCE.toMillis()));
            CopyWire.Receiver receiver = CopyWire.connect(
                    order.ticket(),
                    new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 17)),
                    new DataOutputStream(socket.getOutputStream()));
            history = GtidList.parse(unpack(receiver, folder, receipt));
        } catch (java.net.ConnectException e) {
            throw new IOException("the donor does not await a receiver: the copy was given, or has ended", e);
        } catch (java.net.SocketTimeoutException e) {
            throw new IOException("the donor has said nothing for " + SILENCE.toSeconds() + " s", e);
        } catch (java.io.EOFException e) {
            throw new IOException(
                    "the stream broke after " + receipt.progress.now().bytes() + " bytes", e);
        }
        receipt.progress.enter(CopyStep.PREPARING);
        run(server.sql().prepare(folder), "prepare", receipt);
        String position = server.sql().backupPosition(folder);
        run(List.of("sync", "--file-system", folder.toString()), "sync", receipt);
        String state = history.upTo(GtidList.parse(position)).toString();
        swap.ready(new DataSwap.Marker(receipt.copy, position, state, false));
        receipt.progress.enter(CopyStep.READY);
        log.info("event=copy-ready copy={} position={}", receipt.copy, position);
        return position;
    }

    /// Returns the donor's history.
    private String unpack(CopyWire.Receiver receiver, Path folder, Receipt receipt) throws IOException {
        try (Tool unpacker = Tool.start(server.sql().unpack(folder), "", words("unpack"))) {
            try (OutputStream files = unpacker.process().getOutputStream()) {
                int came = receiver.next();
                while (came >= 0) {
                    if (came > 0) {
                        write(receiver.buffer(), came, files, unpacker);
                        receipt.progress.add(came);
                    }
                    came = receiver.next();
                }
            }
            unpacker.finish();
        }
        return receiver.history();
    }

    private static void write(byte[] bytes, int count, OutputStream files, Tool unpacker) throws IOException {
        try {
            files.write(bytes, 0, count);
        } catch (IOException e) {
            if (!unpacker.process().isAlive()) {
                unpacker.finish(); // its own words say more than the broken pipe
            }
            throw e;
        }
    }

    private void run(List<String> command, String name, Receipt receipt) throws IOException {
        try (Tool tool = Tool.start(command, "", words(name))) {
            receipt.holds(tool);
            tool.process().getInputStream().transferTo(OutputStream.nullOutputStream());
            tool.finish();
        }
    }

    private Path words(String program) {
        return server.local().besideCopies(program + "-" + server.group().name() + ".log");
    }

    /// Ends the receiving of the copy and removes what came of it, or what is ready. Waits for it.
    synchronized Outcome end(String copy, DataSwap swap) {
        Receipt receipt = current;
        if (receipt != null && receipt.copy.equals(copy)) {
            receipt.end();
            Deadline deadline = Deadline.in(Duration.ofSeconds(30));
            while (receipt.equals(current)) {
                if (deadline.isOver()) {
                    return new Outcome.Unknown("what receives the copy has not ended yet");
                }
                try {
                    wait(deadline.left().toMillis());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return new Outcome.Unknown("interrupted");
                }
            }
        }
        try {
            Optional<DataSwap.Marker> ready = DataSwap.marker(swap.fresh());
            if (current == null
                    && ready.map(marker -> marker.copy().equals(copy)).orElse(true)) {
                DataSwap.remove(swap.fresh());
            }
            return Outcome.Done.withoutFacts();
        } catch (IOException e) {
            return new Outcome.Failed("the copy could not be removed: " + e.getMessage());
        }
    }

    @Override
    public synchronized void close() {
        if (current != null) {
            current.end();
        }
    }
}
