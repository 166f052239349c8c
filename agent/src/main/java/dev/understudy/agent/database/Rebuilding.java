package dev.understudy.agent.database;

import dev.understudy.agent.act.LeaseCheck;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Copying;
import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything about copies of a server's data on one host: giving one, receiving one, putting it in the data's place,
/// and removing the old data when the server follows. Thread-safe.
final class Rebuilding implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Rebuilding.class);

    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration TOLD_EACH = Duration.ofSeconds(1);

    private final Server server;
    private final DataFolder folder;
    private final CopySource source;
    private final CopyTarget target;
    private final AtomicBoolean clearing = new AtomicBoolean();
    private final ReentrantLock swapping = new ReentrantLock();
    private boolean recovered;
    private Observation.@Nullable Data told;
    private long toldAt;

    /// @param listen where receivers of copies connect to
    Rebuilding(Server server, InetSocketAddress listen) {
        this.server = server;
        folder = new DataFolder(server);
        source = new CopySource(server, listen);
        target = new CopyTarget(server);
    }

    /// What was begun before a crash of this agent is ended.
    private void recover(DataSwap swap) {
        swapping.lock();
        try {
            swap.recover().ifPresent(what -> log.warn("event=data-recovered folder={} what=\"{}\"", swap.data(), what));
        } catch (IOException e) {
            log.error("event=data-not-recovered folder={} reason=\"{}\"", swap.data(), e.toString());
        } finally {
            swapping.unlock();
        }
    }

    DataFolder folder() {
        return folder;
    }

    /// A second old at most.
    synchronized Observation.Data data() {
        if (!recovered && !swapping.isLocked()) {
            folder.swap().ifPresent(this::recover);
            recovered = true;
        }
        folder.lookAgain();
        Observation.Data last = told;
        if (last != null && System.nanoTime() - toldAt < TOLD_EACH.toNanos()) {
            return last;
        }
        Optional<Copying> copying = target.now().or(source::now);
        String missing = server.sql().copyPrograms().stream()
                .filter(program -> !Tool.exists(program))
                .findFirst()
                .map(program -> program + " is not installed")
                .orElse("");
        Observation.Data next = new Observation.Data(
                server.group().name(),
                folder.bytes(),
                folder.free(),
                missing,
                missing.isEmpty() ? folder.cannotReceive() : missing,
                copying.orElse(null));
        told = next;
        toldAt = System.nanoTime();
        return next;
    }

    Outcome offer(Command.OfferCopy order) {
        if (folder.bytes() < 0) {
            folder.look();
        }
        return folder.bytes() < 0
                ? new Outcome.Failed("the size of its data is not known")
                : source.offer(order, folder.bytes());
    }

    /// A plan needs this server: whatever locks a backup takes must not delay it.
    void makeWay(String verb) {
        source.end("the donor is needed for " + verb);
    }

    Outcome receive(Command.ReceiveCopy order) {
        folder.swap().ifPresent(this::recover);
        return folder.swap()
                .map(swap -> target.receive(order, swap))
                .orElseGet(() -> new Outcome.Refused("unsupported", "the data folder is not known"));
    }

    Outcome end(Command.EndCopy order) {
        source.end(order.copy(), "the copy is not wanted any more");
        return folder.swap().map(swap -> target.end(order.copy(), swap)).orElseGet(Outcome.Done::withoutFacts);
    }

    /// Each step may be the last one before a crash; repeated, it goes on from there.
    Outcome adopt(Command.AdoptCopy order, LeaseCheck lease) {
        DataSwap swap = folder.swap().orElse(null);
        if (swap == null) {
            return new Outcome.Refused("unsupported", "the data folder is not known");
        }
        if (lease.live()) {
            return new Outcome.Refused("lease", "this host holds the role: its data are not replaced");
        }
        swapping.lock();
        try {
            swap.recover();
            if (!isHere(swap, order.copy())) {
                Outcome replaced = replace(swap, order.copy());
                if (!(replaced instanceof Outcome.Done)) {
                    return replaced;
                }
            }
            return start(swap);
        } catch (IOException e) {
            return new Outcome.Failed("the data could not be replaced: " + e.getMessage());
        } catch (SQLException e) {
            return new Outcome.Failed("the server with the new data: " + Server.describe(e));
        } finally {
            swapping.unlock();
        }
    }

    private static boolean isHere(DataSwap swap, String copy) throws IOException {
        return DataSwap.marker(swap.data()).filter(m -> m.copy().equals(copy)).isPresent();
    }

    private Outcome replace(DataSwap swap, String copy) throws IOException {
        boolean ready = DataSwap.marker(swap.fresh())
                .filter(marker -> marker.copy().equals(copy))
                .isPresent();
        if (!ready) {
            return new Outcome.Refused("missing", "there is no complete copy " + copy + " here");
        }
        if (isWritable()) {
            return new Outcome.Refused("writable", "the server is writable: its data are not replaced");
        }
        Outcome stopped = server.service().stop();
        if (!(stopped instanceof Outcome.Done) || server.service().mainPid() != 0) {
            return new Outcome.Failed("the server could not be stopped: " + stopped.describe());
        }
        swap.putAside();
        if (server.service().mainPid() != 0) {
            return new Outcome.Failed("somebody started the server while its data were being replaced");
        }
        swap.putInPlace();
        log.warn("event=data-replaced group={} copy={} old={}", server.group().name(), copy, swap.old());
        return Outcome.Done.withoutFacts();
    }

    /// A server that does not answer is not writable for anybody.
    private boolean isWritable() {
        try {
            return !server.view(server.act()).readOnly();
        } catch (SQLException e) {
            return false;
        }
    }

    private Outcome start(DataSwap swap) throws IOException, SQLException {
        Outcome started = server.service().start();
        if (started instanceof Outcome.Failed) {
            return started;
        }
        Deadline deadline = Deadline.in(START);
        Session session = null;
        while (session == null) {
            try {
                session = server.act();
            } catch (SQLException e) {
                if (deadline.isOver()) {
                    return new Outcome.Failed("the server does not answer with the new data: " + Server.describe(e));
                }
                Replication.pause();
            }
        }
        ServerView view = server.view(session);
        if (!view.readOnly()) {
            server.sql().setReadOnly(session, true, Server.STATEMENT);
        }
        Optional<DataSwap.Marker> marker = DataSwap.marker(swap.data());
        GtidList state = GtidList.parse(marker.map(DataSwap.Marker::state).orElse(""));
        String position = marker.map(DataSwap.Marker::position).orElse("");
        server.sql().seed(session, GtidList.parse(position), state, Server.STATEMENT);
        swap.seeded();
        return new Outcome.Done(Map.of(Command.ReceiveCopy.POSITION, position));
    }

    /// Why the server must not be told to follow: it has a copy's data and was never told where it stands.
    Optional<String> unseeded() {
        DataSwap swap = folder.swap().orElse(null);
        try {
            return swap == null
                    ? Optional.empty()
                    : DataSwap.marker(swap.data())
                            .filter(marker -> !marker.seeded())
                            .map(marker -> "its data are those of copy " + marker.copy()
                                    + ", which was not put in place to its end: it has to be rebuilt again");
        } catch (IOException e) {
            return Optional.of("it cannot be told whether its data are its own: " + e.getMessage());
        }
    }

    /// The server follows, or does not: what was kept beside the data is removed when it does.
    void follows(BooleanSupplier does) {
        DataSwap swap = folder.known().orElse(null);
        if (swap != null
                && (Files.exists(swap.old()) || Files.exists(swap.data().resolve(DataSwap.MARKER)))
                && !swapping.isLocked()
                && does.getAsBoolean()
                && clearing.compareAndSet(false, true)) {
            Thread.ofVirtual().name("old-data").start(() -> {
                try {
                    DataSwap.remove(swap.old());
                    Files.deleteIfExists(swap.data().resolve(DataSwap.MARKER));
                    folder.look();
                    log.info("event=old-data-removed folder={}", swap.old());
                } catch (IOException e) {
                    log.warn("event=old-data-left folder={} reason=\"{}\"", swap.old(), e.toString());
                } finally {
                    clearing.set(false);
                }
            });
        }
    }

    @Override
    public void close() {
        source.close();
        target.close();
    }
}
