package dev.understudy.agent.database;

import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The connections that are kept open to the server on this host, one a purpose, so that a server whose connections
/// are exhausted (error 1040) cannot shut its agent out. Thread-safe.
final class Sessions implements AutoCloseable {

    enum Purpose {
        PROBE,
        ACT,
        FENCE,
        /// Ends what another of these runs.
        KILL,
        /// The heartbeat row's own: it may wait for an acknowledgement for as long as nobody acknowledges. Only the
        /// thread that keeps the row asks for it.
        HEARTBEAT,
        /// What is read for Prometheus: nothing else waits for it.
        SCRAPE
    }

    private static final class Slot {
        private final ReentrantLock lock = new ReentrantLock();
        private volatile @Nullable Session session;
    }

    private final DatabaseLocal local;
    private final Map<Purpose, Slot> slots = new EnumMap<>(Purpose.class);

    Sessions(DatabaseLocal local) {
        this.local = local;
        for (Purpose purpose : Purpose.values()) {
            slots.put(purpose, new Slot());
        }
    }

    /// The session kept for this purpose, opened again if it was closed or does not answer (the server was
    /// restarted).
    Session of(Purpose purpose, Duration timeout) throws SQLException {
        Slot slot = slot(purpose);
        slot.lock.lock();
        try {
            Session session = slot.session;
            if (session != null && answers(session, timeout)) {
                return session;
            }
            Session fresh = Session.local(local, timeout);
            slot.session = fresh;
            return fresh;
        } finally {
            slot.lock.unlock();
        }
    }

    private static boolean answers(Session session, Duration timeout) {
        if (!session.isOpen()) {
            return false;
        }
        try {
            session.run("DO 1", timeout);
            return true;
        } catch (SQLException e) {
            session.close();
            return false;
        }
    }

    private Slot slot(Purpose purpose) {
        Slot slot = slots.get(purpose);
        if (slot == null) {
            throw new IllegalStateException("no slot for " + purpose);
        }
        return slot;
    }

    /// Whether the session of this purpose is the same as ever since it was opened.
    boolean isOpen(Purpose purpose) {
        Session session = slot(purpose).session;
        return session != null && session.isOpen();
    }

    /// Closes what may hang; the next use opens it again.
    void drop(Purpose purpose) {
        Session session = slot(purpose).session;
        if (session != null) {
            session.close();
        }
    }

    /// Connection ids of the agent itself.
    Set<Long> ids() {
        Set<Long> ids = new HashSet<>();
        for (Slot slot : slots.values()) {
            Session session = slot.session;
            if (session != null) {
                ids.add(session.id());
            }
        }
        return ids;
    }

    @Override
    public void close() {
        for (Purpose purpose : Purpose.values()) {
            drop(purpose);
        }
    }
}
