package dev.understudy.agent.database;

import dev.understudy.agent.act.LeaseCheck;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Lets the primary run the scheduled events of the site. An event that comes to a server by replication sleeps there
/// (SLAVESIDE_DISABLED), so that one server alone runs it; after a move they would sleep everywhere. Waking one is
/// replicated, and puts it to sleep on the others, the old primary among them.
///
/// On a replica one that somebody disabled looks like one that runs. So the primary keeps a replicated list of those
/// that run, and a new primary wakes those on it.
///
/// Sees only what the account may see: without the privilege EVENT there is nothing to do. For the thread of
/// [HeartbeatKeeper].
final class EventKeeper {

    /// Between two looks: somebody may create an event on a replica's behalf, or restore a dump.
    static final Duration INTERVAL = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(EventKeeper.class);

    /// A scheduled event.
    ///
    /// @param definer whose rights it runs with, `user@host` or a role; kept
    record ScheduledEvent(String schema, String name, String definer, State state) {

        enum State {
            RUNS,
            DISABLED,
            /// it came by replication
            SLEEPS
        }

        String key() {
            return schema + "." + name;
        }
    }

    private final Server server;
    private final Fence fence;
    private final LongSupplier clock;
    private long looked;
    private long lookedIn;
    private String told = "";

    EventKeeper(Server server, Fence fence, LongSupplier clock) {
        this.server = server;
        this.fence = fence;
        this.clock = clock;
    }

    /// On a server that is writable under a lease of this epoch.
    ///
    /// @param seen [Fence#closings] from before the server was seen to be writable
    void keep(Session session, long epoch, LeaseCheck lease, long seen) {
        if (epoch == lookedIn && clock.getAsLong() - looked < INTERVAL.toNanos()) {
            return;
        }
        looked = clock.getAsLong();
        lookedIn = epoch;
        try {
            List<ScheduledEvent> events = server.sql().events(session, Server.STATEMENT);
            if (!events.isEmpty()) {
                fence.whileOpen(lease, seen, () -> server.sql().createEventTable(session));
                Set<String> listed = server.sql().runningEvents(session, Server.STATEMENT);
                for (ScheduledEvent event : events) {
                    keep(session, event, listed.contains(event.key()), lease, seen);
                }
            }
            tell("");
        } catch (SQLException e) {
            tell(Server.describe(e));
        }
    }

    private void keep(Session session, ScheduledEvent event, boolean listed, LeaseCheck lease, long seen)
            throws SQLException {
        switch (event.state()) {
            case RUNS, DISABLED -> {
                boolean runs = event.state() == ScheduledEvent.State.RUNS;
                if (runs != listed) {
                    server.sql().listEvent(session, event, runs);
                }
            }
            case SLEEPS -> {
                if (listed) {
                    fence.whileOpen(lease, seen, () -> server.sql().wakeEvent(session, event));
                    log.info(
                            "event=scheduled-event-woken group={} name={}",
                            server.group().name(),
                            event.key());
                }
            }
        }
    }

    private void tell(String problem) {
        if (!problem.equals(told) && !problem.isEmpty()) {
            log.warn(
                    "event=scheduled-events-sleep group={} problem=\"{}\"",
                    server.group().name(),
                    problem);
        }
        told = problem;
    }
}
