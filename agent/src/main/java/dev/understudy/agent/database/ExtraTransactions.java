package dev.understudy.agent.database;

import dev.understudy.agent.database.BinlogFile.Transaction;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.GtidList.Gtid;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which transactions this server has, or had, that the primary lacks, and what is in them: for the person who has to
/// decide what becomes of them. Takes a few seconds at most and changes nothing on any server.
final class ExtraTransactions {

    private static final Logger log = LoggerFactory.getLogger(ExtraTransactions.class);

    /// How far back is looked, in transactions.
    static final int LOOKED_AT = 10_000;
    /// How many are named in a file's head, and how many in a sentence.
    private static final int LISTED = 1000;

    private static final int NAMED = 8;
    private static final Duration REMOTE = Duration.ofSeconds(2);
    /// Whoever waits for the answer waits for this too.
    private static final Duration LIMIT = Duration.ofSeconds(4);

    private final Server server;
    private final Dialect sql;
    private final DivergedFiles files;
    private final Decoder decoder;

    ExtraTransactions(Server server) {
        this.server = server;
        this.sql = server.sql();
        this.files = new DivergedFiles(server.local().diverged());
        this.decoder = new Decoder(sql);
    }

    /// Whether what this server wrote last is what the primary has under the same number; null if it is, or cannot be
    /// compared. A number is given twice when a binary log was truncated at its server's start (S16).
    BinlogPresence.Answer.@Nullable Diverged reused(
            Command.Follow command, Session session, ServerView view, Deadline deadline) throws SQLException {
        List<Gtid> own = view.binlog().gtids().stream()
                .filter(gtid -> gtid.server() == view.serverId())
                .toList();
        if (own.isEmpty()) {
            return null;
        }
        List<Transaction> latest;
        try {
            latest = sql.latest(session, LOOKED_AT);
        } catch (IOException e) {
            log.warn(
                    "event=binary-log-unread group={} reason=\"{}\"",
                    server.group().name(),
                    e.toString());
            return null;
        }
        for (Gtid gtid : own) {
            List<Transaction> domain = byDomain(latest).getOrDefault(gtid.domain(), List.of());
            if (domain.size() > 1 && domain.getLast().gtid().equals(gtid)) {
                BinlogPresence.Answer answer = same(command, domain.get(domain.size() - 2), domain.getLast(), deadline);
                if (answer instanceof BinlogPresence.Answer.Diverged diverged) {
                    return diverged;
                }
            }
        }
        return null;
    }

    /// Finds and decodes the transactions of this server's binary log that the primary lacks. A clause that names
    /// them and the file, or says why it cannot.
    String told(Command.Follow command, Session session, Deadline deadline) {
        Deadline end = Deadline.in(deadline.left(LIMIT));
        try {
            List<Transaction> extra = beyond(command, sql.latest(session, LOOKED_AT), end);
            return extra.isEmpty()
                    ? "which they are is not known"
                    : told(extra, "", "only here: " + source(command) + " lacks them", end);
        } catch (IOException | SQLException e) {
            return "which they are cannot be told: " + e.getMessage();
        }
    }

    /// Of the transactions, oldest first, those that the primary lacks: in each domain all after the last that both
    /// have.
    List<Transaction> beyond(Command.Follow command, List<Transaction> transactions, Deadline deadline)
            throws SQLException {
        List<Transaction> extra = new ArrayList<>();
        for (List<Transaction> domain : byDomain(transactions).values()) {
            extra.addAll(domain.subList(common(command, domain, deadline), domain.size()));
        }
        return transactions.stream().filter(extra::contains).toList();
    }

    /// How many of a domain's transactions both have: what is common comes first.
    private int common(Command.Follow command, List<Transaction> domain, Deadline deadline) throws SQLException {
        int common = 0;
        int extra = domain.size();
        while (common < extra) {
            int middle = (common + extra) / 2;
            if (has(command, domain, middle, deadline)) {
                common = middle + 1;
            } else {
                extra = middle;
            }
        }
        return common;
    }

    private boolean has(Command.Follow command, List<Transaction> domain, int index, Deadline deadline)
            throws SQLException {
        Transaction transaction = domain.get(index);
        BinlogPresence.Answer answer = same(command, domain.get(Math.max(0, index - 1)), transaction, deadline);
        return switch (answer) {
            case BinlogPresence.Answer.Present _, BinlogPresence.Answer.Purged _ -> true;
            case BinlogPresence.Answer.Diverged _ -> false;
            case BinlogPresence.Answer.Unclear unclear ->
                throw new SQLException("the primary's binary log could not be compared: " + unclear.reason());
        };
    }

    private BinlogPresence.Answer same(
            Command.Follow command, Transaction before, Transaction transaction, Deadline deadline)
            throws SQLException {
        try (Session primary =
                Session.remote(server.local(), command.primaryAddress(), command.port(), deadline.left(REMOTE))) {
            return sql.sameAt(primary, before, transaction, deadline.left());
        }
    }

    /// Decodes them into a file. A clause that names them and the file.
    ///
    /// @param kind goes into the file's name
    /// @param what for the first line of the file: what is the matter with them
    String told(List<Transaction> extra, String kind, String what, Deadline deadline) {
        List<String> names =
                extra.stream().map(transaction -> transaction.gtid().toString()).toList();
        String more = names.size() > NAMED ? " and " + (names.size() - NAMED) + " more" : "";
        String named = names.stream().limit(NAMED).collect(Collectors.joining(" ")) + more;
        String count = names.size() == 1 ? "1 transaction" : names.size() + " transactions";
        try {
            Path file = files.write(
                    server.group().name(),
                    kind + names.getFirst(),
                    count + " " + what + ", decoded at " + Instant.now().truncatedTo(ChronoUnit.SECONDS),
                    names.subList(0, Math.min(LISTED, names.size())),
                    out -> decoder.decode(extra, deadline, out));
            log.warn(
                    "event=transactions-decoded group={} transactions=\"{}\" file={}",
                    server.group().name(),
                    named,
                    file);
            return count + ": " + named + ", decoded in " + file;
        } catch (IOException e) {
            log.warn(
                    "event=transactions-not-decoded group={} reason=\"{}\"",
                    server.group().name(),
                    e.toString());
            return count + ": " + named + ", not decoded: " + e.getMessage();
        }
    }

    private static String source(Command.Follow command) {
        return command.primaryAddress() + ":" + command.port();
    }

    private static Map<Long, List<Transaction>> byDomain(List<Transaction> transactions) {
        return transactions.stream()
                .collect(Collectors.groupingBy(t -> t.gtid().domain(), TreeMap::new, Collectors.toList()));
    }
}
