package dev.understudy.agent.database;

import dev.understudy.agent.database.BinlogFile.Transaction;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Turns transactions of binary log files into text that a person can read, with the server's own tool. Fixed
/// arguments, no shell.
final class Decoder {

    /// How much text is written at most, in bytes.
    static final long MOST = 16L << 20;

    private final Dialect sql;

    Decoder(Dialect sql) {
        this.sql = sql;
    }

    /// Writes the transactions' text. Says at its end when it was cut short.
    ///
    /// @param transactions in the order of the log
    /// @throws IOException the tool is missing or failed, the time is over, or this thread was interrupted
    void decode(List<Transaction> transactions, Deadline deadline, OutputStream out) throws IOException {
        long left = MOST;
        for (Transaction run : runs(transactions)) {
            left = decode(run, deadline, out, left);
            if (left <= 0) {
                out.write("\n# cut short here: %d bytes are the limit\n"
                        .formatted(MOST)
                        .getBytes(StandardCharsets.UTF_8));
                return;
            }
        }
    }

    /// Transactions that follow each other in one file as one.
    private static List<Transaction> runs(List<Transaction> transactions) {
        List<Transaction> runs = new ArrayList<>();
        for (Transaction next : transactions) {
            Transaction last = runs.isEmpty() ? null : runs.getLast();
            if (last != null && last.file().equals(next.file()) && last.end() == next.begin()) {
                runs.set(
                        runs.size() - 1,
                        new Transaction(last.gtid(), last.file(), last.begin(), next.end(), last.madeAt()));
            } else {
                runs.add(next);
            }
        }
        return runs;
    }

    private long decode(Transaction run, Deadline deadline, OutputStream out, long most) throws IOException {
        Process process = new ProcessBuilder(sql.decoder(run.file(), run.begin(), run.end()))
                .redirectInput(new File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        Thread killer = Thread.ofVirtual().name("decoder-limit").start(() -> {
            try {
                if (!process.waitFor(
                        Math.max(1, deadline.left().toMillis()), java.util.concurrent.TimeUnit.MILLISECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt(); // the decoder has ended
            }
        });
        try (InputStream text = process.getInputStream()) {
            long left = most;
            byte[] buffer = new byte[1 << 16];
            int read = text.read(buffer);
            while (read > 0 && left > 0) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted");
                }
                int taken = Math.toIntExact(Math.min(read, left));
                out.write(buffer, 0, taken);
                left -= taken;
                read = left > 0 ? text.read(buffer) : 0;
            }
            if (left <= 0) {
                return left;
            }
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException(
                        deadline.isOver()
                                ? "not decoded in time"
                                : "the decoder of " + run.file() + " exited with " + exit);
            }
            return left;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } finally {
            killer.interrupt();
            process.destroyForcibly();
        }
    }
}
