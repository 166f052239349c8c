package dev.understudy.agent.database;

import dev.understudy.agent.database.BinlogFile.Transaction;
import dev.understudy.protocol.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a server's start takes from the end of its binary log (S16): the end is copied while the server is dead, and
/// compared when it follows a primary, which has what was acknowledged. The rest is told: nobody acknowledged it, and
/// nobody has it. Thread-safe.
final class DroppedTail {

    private static final Logger log = LoggerFactory.getLogger(DroppedTail.class);

    /// How much of the end is kept, in transactions and in bytes.
    private static final int TRANSACTIONS = 1000;

    private static final long BYTES = 16L << 20;
    private static final Duration DECODING = Duration.ofSeconds(5);

    private final Server server;
    private @Nullable Path index;
    private @Nullable Tail tail;
    private @Nullable String told;
    private final AtomicBoolean dead = new AtomicBoolean();

    /// @param copy has the transactions too, at offsets that are smaller by `shift`
    private record Tail(Path file, long size, List<Transaction> transactions, Path copy, long shift) {
        /// The server has been started since, and took something.
        boolean isShorter() throws IOException {
            return Files.exists(file) && Files.size(file) < size;
        }
    }

    DroppedTail(Server server) {
        this.server = server;
    }

    /// Where the server's binary log is: asked for while it lives.
    synchronized void index(Path file) {
        index = file;
    }

    void lives() {
        dead.set(false);
    }

    /// The server's process has ended by itself. Returns at once; the copying is done on a thread of its own, once.
    void died() {
        if (dead.compareAndSet(false, true)) {
            Thread.ofVirtual().name("binary-log-tail").start(this::keep);
        }
    }

    synchronized boolean knowsIndex() {
        return index != null;
    }

    /// The server is dead and about to be started again.
    synchronized void keep() {
        if (index == null) {
            return;
        }
        try {
            if (tail != null && tail.isShorter()) {
                return; // of an earlier death, and not compared yet
            }
            Path last = BinlogFile.named(index).getLast();
            List<Transaction> transactions = new ArrayList<>(BinlogFile.latestOf(last, TRANSACTIONS));
            long size = Files.size(last);
            transactions.removeIf(transaction -> size - transaction.begin() > BYTES);
            if (!transactions.isEmpty()) {
                Path copy = new DivergedFiles(server.local().diverged())
                        .beside(server.group().name() + ".tail");
                long begin = transactions.getFirst().begin();
                BinlogFile.copyTail(last, begin, copy);
                long shift = begin - (Files.size(copy) - (size - begin));
                tail = new Tail(last, size, List.copyOf(transactions), copy, shift);
                told = null;
            }
        } catch (IOException e) {
            log.warn(
                    "event=binary-log-unread group={} reason=\"{}\"",
                    server.group().name(),
                    e.toString());
        }
    }

    /// The data that it was about were replaced.
    synchronized void forget() {
        tail = null;
        told = null;
        index = null;
    }

    /// What the last start took and the primary lacks, as a clause; empty if nothing is missed. The server lives.
    synchronized Optional<String> missing(Command.Follow command, ExtraTransactions extras) {
        Tail kept = tail;
        if (kept != null) {
            tail = null;
            try {
                told = compare(kept, command, extras);
            } catch (IOException | SQLException e) {
                log.warn(
                        "event=tail-not-compared group={} reason=\"{}\"",
                        server.group().name(),
                        e.toString());
                tail = kept; // at the next order
            }
        }
        return Optional.ofNullable(told);
    }

    private static @Nullable String compare(Tail kept, Command.Follow command, ExtraTransactions extras)
            throws IOException, SQLException {
        Deadline deadline = Deadline.in(DECODING);
        if (!kept.isShorter()) {
            return null; // or purged meanwhile: nothing can be said
        }
        long size = Files.size(kept.file());
        List<Transaction> dropped = kept.transactions().stream()
                .filter(transaction -> transaction.begin() >= size)
                .toList();
        List<Transaction> missing = extras.beyond(command, kept.transactions(), deadline).stream()
                .filter(dropped::contains)
                .map(t -> new Transaction(
                        t.gtid(), kept.copy(), t.begin() - kept.shift(), t.end() - kept.shift(), t.madeAt()))
                .toList();
        return missing.isEmpty()
                ? null
                : extras.told(missing, "dropped-", "dropped at the server's start, acknowledged by nobody", deadline);
    }
}
