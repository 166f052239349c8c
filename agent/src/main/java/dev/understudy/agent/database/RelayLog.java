package dev.understudy.agent.database;

import dev.understudy.agent.database.ServerView.ReplicaView;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.GtidList.Gtid;
import dev.understudy.protocol.Outcome;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a replica that was started again still has in its relay log and has not applied. After a power cut of the whole
/// site a row that was acknowledged may be nowhere else: every server has truncated its binary log's unflushed tail
/// (S16). The server itself forgets how far it had received, and purges these files at the next start of replication
/// by GTID (S18, S25). Until then they can be read, and applied from a file and position; the transactions keep their
/// GTIDs.
///
/// One command at a time, on the caller's thread.
final class RelayLog {

    private static final Logger log = LoggerFactory.getLogger(RelayLog.class);

    private static final int PAGE = 512;
    private static final Set<String> ENDS = Set.of("COMMIT", "ROLLBACK");
    private static final Duration STOP = Duration.ofSeconds(3);
    private static final Duration WAIT_SLICE = Duration.ofMillis(250);

    private final Server server;
    private final Dialect sql;

    RelayLog(Server server) {
        this.server = server;
        this.sql = server.sql();
    }

    /// One event of a relay log file.
    ///
    /// @param type as the server names it: Gtid, Query, Xid
    record Event(String type, long position, String info) {}

    /// Whole transactions that were received and not applied.
    ///
    /// @param file the relay log file of the first of them
    /// @param position where in that file it begins
    /// @param last the last of each domain
    record Unapplied(String file, long position, GtidList last) {}

    /// Empty too when replication has run since the server's start: then the server knows what it has received, and
    /// these files are gone.
    Optional<Unapplied> unapplied(Session session, ServerView view) throws SQLException {
        ReplicaView replica = view.replica();
        if (replica == null
                || !replica.receiverStopped()
                || replica.applierRuns()
                || !replica.received().isEmpty()) {
            return Optional.empty();
        }
        return scan(session, view);
    }

    private Optional<Unapplied> scan(Session session, ServerView view) throws SQLException {
        Scan scan = new Scan(view.position());
        String file = sql.relayLogFile(session, Server.STATEMENT);
        while (!file.isEmpty() && read(session, file, scan)) {
            file = next(file);
        }
        return scan.result();
    }

    /// Applies what a replica that stays behind on purpose (MASTER_DELAY) has received, at once. Only for one that is
    /// cut
    /// off from its primary: both threads are stopped for a moment, and the delay is gone for good.
    Outcome hurry(Session session, ReplicaView replica, Deadline deadline) throws SQLException {
        server.stop(session, STOP, timeout -> sql.stopReplication(session, timeout));
        log.warn(
                "event=delay-removed group={} seconds={} received={}",
                server.group().name(),
                replica.delaySeconds(),
                replica.received());
        Optional<Unapplied> unapplied = scan(session, server.view(session));
        return unapplied.isPresent() ? apply(session, unapplied.get(), deadline) : Outcome.Done.withoutFacts();
    }

    /// Applies them. Done when they are, and the replica is as it was: stopped, and by GTID.
    Outcome apply(Session session, Unapplied unapplied, Deadline deadline) throws SQLException {
        sql.applyFrom(session, unapplied.file(), unapplied.position(), Server.STATEMENT);
        sql.startApplier(session, Server.STATEMENT);
        Outcome outcome = await(session, unapplied.last(), deadline);
        server.stop(session, STOP, timeout -> sql.stopReplication(session, timeout));
        if (outcome instanceof Outcome.Done) {
            sql.followByGtid(session, Server.STATEMENT);
            log.warn(
                    "event=relay-log-applied group={} file={} position={} up_to={}",
                    server.group().name(),
                    unapplied.file(),
                    unapplied.position(),
                    unapplied.last());
        }
        return outcome;
    }

    private Outcome await(Session session, GtidList last, Deadline deadline) throws SQLException {
        while (true) {
            ServerView view = server.view(session);
            if (view.applied().reached(last)) {
                return new Outcome.Done(Map.of("applied", view.position().toString()));
            }
            ReplicaView replica = view.replica();
            String progress = "applied " + view.applied() + " of " + last + " in the relay log";
            if (replica != null && replica.applierErrno() != 0) {
                return new Outcome.Failed("the applier is broken, " + progress + ": error " + replica.applierErrno()
                        + ": " + replica.error());
            }
            if (deadline.isOver()) {
                return new Outcome.Failed("not caught up in time: " + progress);
            }
            sql.awaitApplied(session, last, deadline.left(WAIT_SLICE));
        }
    }

    /// Reads a file to its end, in pages. False if there is no such file, or its end cannot be read: an event that was
    /// being written when the power went was never acknowledged, and nothing comes after it.
    private boolean read(Session session, String file, Scan scan) throws SQLException {
        long after = 0;
        int page = PAGE;
        while (true) {
            try {
                List<Event> events = sql.relayEvents(session, file, after, page, Server.STATEMENT);
                events.forEach(event -> scan.see(file, event));
                if (events.size() < page) {
                    return true;
                }
                after = events.getLast().position();
            } catch (SQLException e) {
                if (sql.noSuchLog(e)) {
                    return false;
                }
                if (!sql.unreadableLog(e)) {
                    throw e;
                }
                if (page == 1) {
                    log.warn(
                            "event=relay-log-ends-early group={} file={} after={}: {}",
                            server.group().name(),
                            file,
                            after,
                            Server.describe(e));
                    return false;
                }
                page /= 2; // the rows before the broken event came to nothing with it
            }
        }
    }

    /// The name of the file after this one: the number at its end is one more.
    static String next(String file) {
        int dot = file.lastIndexOf('.');
        String number = file.substring(dot + 1);
        return file.substring(0, dot + 1) + ("%0" + number.length() + "d").formatted(Long.parseLong(number) + 1);
    }

    /// Finds whole transactions in a stream of events.
    static final class Scan {
        private final GtidList applied;
        private GtidList last = new GtidList(List.of());
        private String firstFile = "";
        private long firstPosition;
        private @Nullable Gtid open;
        private boolean single;
        private String openFile = "";
        private long openPosition;

        Scan(GtidList applied) {
            this.applied = applied;
        }

        void see(String file, Event event) {
            switch (event.type()) {
                case "Gtid" -> {
                    // BEGIN GTID 0-1-7 cid=3, or GTID 0-1-8 where one statement is the whole transaction
                    single = !event.info().startsWith("BEGIN");
                    open = gtid(event.info());
                    openFile = file;
                    openPosition = event.position();
                }
                case "Xid", "XA_prepare" -> close();
                case "Query", "Query_compressed" -> {
                    if (single || ENDS.contains(event.info())) {
                        close();
                    }
                }
                default -> {} // part of a transaction, or none of the replicated history
            }
        }

        private void close() {
            Gtid whole = open;
            open = null;
            single = false;
            if (whole == null) {
                return;
            }
            GtidList one = new GtidList(List.of(whole));
            if (applied.reached(one)) {
                return;
            }
            if (firstFile.isEmpty()) {
                firstFile = openFile;
                firstPosition = openPosition;
            }
            last = last.merge(one);
        }

        private static Gtid gtid(String info) {
            String rest = info.substring(info.indexOf("GTID ") + "GTID ".length());
            int end = rest.indexOf(' ');
            return GtidList.parse(end < 0 ? rest : rest.substring(0, end))
                    .gtids()
                    .getFirst();
        }

        Optional<Unapplied> result() {
            return firstFile.isEmpty() ? Optional.empty() : Optional.of(new Unapplied(firstFile, firstPosition, last));
        }
    }
}
