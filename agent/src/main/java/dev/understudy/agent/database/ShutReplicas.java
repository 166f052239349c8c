package dev.understudy.agent.database;

import dev.understudy.protocol.Outcome;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The replicas that this server, a primary, does not hear: they have left the ackers, or are about to (S14). Thread-
/// safe.
final class ShutReplicas {

    private static final Logger log = LoggerFactory.getLogger(ShutReplicas.class);

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Server server;
    private @Nullable Set<String> known;

    ShutReplicas(Server server) {
        this.server = server;
    }

    /// Shut out first, so that none of its connections is a new one; then its dump threads are ended, with whom the
    /// acknowledgements go that they have not read; then the position is read.
    Outcome shutOut(String address) throws SQLException {
        Outcome shut = shut(address);
        if (!(shut instanceof Outcome.Done)) {
            return new Outcome.Failed(address + " could not be shut out: " + shut.describe());
        }
        Session session = server.act();
        Deadline deadline = Deadline.in(PATIENCE);
        if (!endDumps(session, address, deadline)) {
            return new Outcome.Failed("the dump threads of " + address + " have not ended");
        }
        String position = server.sql().look(session, Server.STATEMENT).binlog().toString();
        log.info(
                "event=replica-shut-out group={} address={} position={}",
                server.group().name(),
                address,
                position);
        return new Outcome.Done(Map.of("binlog", position));
    }

    synchronized Outcome letIn(String address) {
        Outcome opened = server.door().open(address);
        if (opened instanceof Outcome.Done) {
            remember(address, false);
            log.info("event=replica-let-in group={} address={}", server.group().name(), address);
        }
        return opened;
    }

    /// The epoch in which anybody was shut out here is over.
    synchronized Outcome letEverybodyIn() {
        if (all().isEmpty()) {
            return Outcome.Done.withoutFacts();
        }
        Outcome opened = server.door().openAll();
        if (opened instanceof Outcome.Done) {
            known = Set.of();
        }
        return opened;
    }

    /// Somebody may have flushed the kernel's rules: whoever was shut out is shut out again.
    void keep(Session session) throws SQLException {
        for (String address : all()) {
            if (shutAgain(address)) {
                endDumps(session, address, Deadline.in(Duration.ZERO));
            }
        }
    }

    private synchronized Outcome shut(String address) {
        remember(address, true);
        return server.door().shut(address);
    }

    /// Unless it was let in meanwhile.
    private synchronized boolean shutAgain(String address) {
        return all().contains(address) && server.door().shut(address) instanceof Outcome.Done;
    }

    private boolean endDumps(Session session, String address, Deadline deadline) throws SQLException {
        Set<Long> killed = new HashSet<>();
        while (true) {
            Set<Long> dumps = server.sql().dumpsOf(session, address, Server.STATEMENT);
            for (long id : dumps) {
                if (killed.add(id)) {
                    server.sql().kill(session, id, false, Server.STATEMENT);
                }
            }
            if (dumps.isEmpty() || deadline.isOver()) {
                return dumps.isEmpty();
            }
            Replication.pause();
        }
    }

    private synchronized void remember(String address, boolean shut) {
        Set<String> now = new HashSet<>(all());
        if (shut) {
            now.add(address);
        } else {
            now.remove(address);
        }
        known = now;
    }

    /// An agent that has just started finds what an earlier one left in the kernel.
    private synchronized Set<String> all() {
        Set<String> now = known;
        if (now == null) {
            now = server.door().shutOut().orElse(Set.of());
            known = now;
        }
        return Set.copyOf(now);
    }
}
