package dev.understudy.agent.act.net;

import dev.understudy.agent.sys.NetworkNamespace;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One long-lived `nft -i`. A line is one transaction, however many commands it holds; it succeeds or fails as a
/// whole.
///
/// nft says nothing when a transaction has succeeded, so each line is followed by a fence: a word that is no
/// command. nft answers it with an error that repeats the word, and what came before that is the answer to the
/// line. The parser refuses the fence by itself, without the kernel.
///
/// nft keeps every line in its history, about 550 bytes a renewal (measured, nft 1.0.6), so the process is replaced
/// after [#LINES_PER_PROCESS] lines, and whenever it has died or not answered in time. Thread-safe.
final class NftClient implements AutoCloseable {

    static final int LINES_PER_PROCESS = 5_000;
    static final String PROGRAM = "nft";

    private static final Logger LOG = LoggerFactory.getLogger(NftClient.class);
    private static final String FENCE = "understudy_fence_";

    private final NetworkNamespace namespace;
    private final Duration timeout;
    private final String program;
    private @Nullable Session session;
    private boolean closed;
    private long fences;

    /// What nft said.
    ///
    /// @param error the first error, empty when the transaction succeeded
    /// @param output what it printed, without line ends
    record Reply(String error, List<String> output) {
        Reply {
            output = List.copyOf(output);
        }

        boolean ok() {
            return error.isEmpty();
        }

        String text() {
            return String.join("\n", output);
        }
    }

    /// @param timeout how long an answer may take before the process is killed
    NftClient(NetworkNamespace namespace, Duration timeout, String program) {
        this.namespace = namespace;
        this.timeout = timeout;
        this.program = program;
    }

    /// Runs one transaction.
    ///
    /// @throws IOException nft cannot be started, died or did not answer in time: it is not known what was done
    synchronized Reply run(String line) throws IOException {
        if (line.indexOf('\n') >= 0) {
            throw new IllegalArgumentException("a transaction is one line");
        }
        if (closed) {
            throw new IOException("closed");
        }
        Session current = session;
        if (current != null && (current.lines >= LINES_PER_PROCESS || !current.process.isAlive())) {
            end(current);
            current = null;
        }
        if (current == null) {
            current = new Session(namespace, program);
            session = current;
        }
        try {
            return current.ask(line, FENCE + ++fences, timeout);
        } catch (IOException e) {
            LOG.warn("event=nft-lost reason=\"{}\"", e.getMessage());
            end(current);
            throw e;
        }
    }

    /// The process's id, 0 if there is none now.
    synchronized long pid() {
        return session == null ? 0 : session.process.pid();
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (session != null) {
            end(session);
        }
    }

    private void end(Session old) {
        session = null;
        old.process.destroyForcibly();
    }

    private static final class Session {
        private static final String END = "\0end";

        private final Process process;
        private final OutputStream input;
        private final BlockingQueue<String> lineQueue = new LinkedBlockingQueue<>();
        private int lines;

        Session(NetworkNamespace namespace, String program) throws IOException {
            ProcessBuilder builder = new ProcessBuilder(namespace.command(List.of(program, "-i")));
            builder.redirectErrorStream(true);
            builder.environment().put("HOME", "/nonexistent"); // no history file
            builder.environment().put("TZ", "UTC");
            builder.environment().put("LC_ALL", "C");
            process = builder.start();
            input = process.getOutputStream();
            Thread.ofVirtual().name("nft-reader").start(this::read);
        }

        Reply ask(String line, String fence, Duration timeout) throws IOException {
            lines++;
            input.write((line + "\n" + fence + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
            long deadline = System.nanoTime() + timeout.toNanos();
            List<String> output = new ArrayList<>();
            String next = next(deadline);
            while (!next.contains(fence)) {
                output.add(next);
                next = next(deadline);
            }
            next(deadline); // the marker under the fence
            if (!output.isEmpty() && output.getLast().contains("Error:")) {
                output.removeLast(); // the fence's own
            }
            String error = output.stream()
                    .filter(l -> l.startsWith("Error:") || l.startsWith("internal:"))
                    .findFirst()
                    .orElse("");
            return new Reply(error, output);
        }

        private String next(long deadline) throws IOException {
            try {
                String line = lineQueue.poll(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                if (line == null) {
                    throw new IOException("nft did not answer in time");
                }
                if (line.equals(END)) {
                    throw new IOException("nft ended");
                }
                return line;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for nft", e);
            }
        }

        private void read() {
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    lineQueue.add(Objects.requireNonNull(line));
                }
            } catch (IOException | UncheckedIOException e) {
                LOG.debug("event=nft-stream-closed reason=\"{}\"", e.getMessage());
            } finally {
                lineQueue.add(END);
            }
        }
    }
}
