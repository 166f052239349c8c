package dev.understudy.agent.database;

import dev.understudy.agent.database.BinlogFile.Header;
import dev.understudy.agent.database.BinlogFile.Transaction;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.GtidList.Gtid;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.mariadb.jdbc.Statement;
import org.mariadb.jdbc.client.Completion;
import org.mariadb.jdbc.client.Context;
import org.mariadb.jdbc.client.socket.Reader;
import org.mariadb.jdbc.client.socket.Writer;
import org.mariadb.jdbc.client.util.ClosableLock;
import org.mariadb.jdbc.export.ExceptionFactory;
import org.mariadb.jdbc.message.ClientMessage;

/// Asks a MariaDB primary whether its binary log *has* a position (S17), before anything is changed here: its own
/// dump thread, in strict mode, is asked to start from there, exactly as a replica would, and answers with an error
/// or with the events after it. Sequence numbers alone would hide divergence, and `mariadb-binlog
/// --read-from-remote-server` does not ask in strict mode: a hole in the sequence passed it.
///
/// Needs REPLICATION SLAVE only. See the MariaDB sources, `check_slave_start_position` and `send_event_to_slave`.
final class BinlogPresence {

    /// What the primary says of a position.
    sealed interface Answer {
        record Present() implements Answer {}

        /// Transactions here that the primary's history does not have.
        record Diverged(String reason) implements Answer {}

        /// The primary no longer has the binary logs that would be needed.
        record Purged(String reason) implements Answer {}

        record Unclear(String reason) implements Answer {}
    }

    /// Of an event in a packet: one byte that says it is one, then the event's own.
    private static final int HEADER = 20;
    /// The dump ends at the log's end instead of waiting for more.
    private static final short NON_BLOCKING = 1;

    private static final Duration SHORT = Duration.ofSeconds(2);

    private BinlogPresence() {}

    /// @param position where this server would start to follow: one GTID a domain
    /// @param state every domain and server that this server's binary log has seen
    /// @param timeout for the whole dump up to the first transaction after the position
    static Answer ask(Session primary, GtidList position, GtidList state, Duration timeout) throws SQLException {
        List<Map<String, String>> rows = primary.query("SELECT @@global.gtid_binlog_state AS state", SHORT);
        GtidList theirs = GtidList.parse(rows.getFirst().getOrDefault("state", ""));
        GtidList extra = state.and(position).beyond(theirs);
        if (!extra.isEmpty()) {
            return new Answer.Diverged("transactions that the primary lacks: up to " + extra);
        }
        Dump dump = new Dump(null);
        dump(primary, position, dump, timeout);
        return dump.answer;
    }

    /// Whether the primary has this very transaction after that one. The same GTID alone does not say so: a server
    /// whose binary log was truncated at its start gives the dropped numbers again to whoever writes by hand (S16).
    /// When its first statement was run tells them apart, to the second.
    ///
    /// @param before the transaction before it in its domain, in this server's binary log; the same one when none
    /// is known: then only its number is asked for
    static Answer same(Session primary, Transaction before, Transaction transaction, Duration timeout)
            throws SQLException {
        List<Map<String, String>> rows = primary.query("SELECT @@global.gtid_binlog_pos AS position", SHORT);
        GtidList theirs = GtidList.parse(rows.getFirst().getOrDefault("position", ""));
        long domain = transaction.gtid().domain();
        List<Gtid> from = new ArrayList<>(
                theirs.gtids().stream().filter(g -> g.domain() != domain).toList());
        from.add(before.gtid());
        boolean numberOnly = before.equals(transaction);
        Dump dump = new Dump(numberOnly ? null : domain);
        dump(primary, new GtidList(from), dump, timeout);
        if (numberOnly || !(dump.answer instanceof Answer.Present)) {
            return dump.answer;
        }
        Gtid found = dump.found;
        if (found == null || !found.equals(transaction.gtid())) {
            return new Answer.Diverged("after " + before.gtid() + " the primary has "
                    + (found == null ? "nothing" : found) + ", this server has " + transaction.gtid());
        }
        boolean known = dump.madeAt != 0 && transaction.madeAt() != 0;
        return known && dump.madeAt != transaction.madeAt()
                ? new Answer.Diverged(transaction.gtid() + " is another transaction on the primary: made at "
                        + Instant.ofEpochSecond(dump.madeAt) + ", here at "
                        + Instant.ofEpochSecond(transaction.madeAt()))
                : new Answer.Present();
    }

    private static void dump(Session primary, GtidList position, Dump dump, Duration timeout) throws SQLException {
        primary.run(
                "SET @master_binlog_checksum = @@global.binlog_checksum, @mariadb_slave_capability = 4,"
                        + " @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0,"
                        + " @slave_connect_state = '" + position + "'",
                SHORT);
        primary.driver().setNetworkTimeout(Runnable::run, Math.toIntExact(Math.max(1, timeout.toMillis())));
        primary.driver().getClient().execute(dump, false);
    }

    /// COM_BINLOG_DUMP, read up to the first transaction (of a domain: with its first statement), the end or an
    /// error. The connection is of no use afterwards.
    private static final class Dump implements ClientMessage {
        private final @Nullable Long domain;
        private Answer answer = new Answer.Unclear("the primary did not answer");
        private @Nullable Gtid found;
        private long madeAt;

        /// @param domain null: the first transaction of any is enough
        Dump(@Nullable Long domain) {
            this.domain = domain;
        }

        @Override
        public int encode(Writer writer, Context context) throws IOException {
            writer.initPacket();
            writer.writeByte(0x12);
            writer.writeInt(4);
            writer.writeShort(NON_BLOCKING);
            writer.writeInt(0); // no server id: a dump thread of a real replica with that id would be ended
            writer.flush();
            return 1;
        }

        @Override
        public @Nullable Completion readPacket(
                Statement statement,
                int fetchSize,
                long maxRows,
                int resultSetConcurrency,
                int resultSetType,
                boolean closeOnCompletion,
                Reader reader,
                Writer writer,
                Context context,
                ExceptionFactory exceptionFactory,
                ClosableLock lock,
                boolean traceEnable,
                ClientMessage message,
                Consumer<String> redirect)
                throws IOException {
            while (true) {
                byte[] packet = reader.readPacket(false);
                int first = packet.length == 0 ? 0xff : packet[0] & 0xff;
                if (first == 0xff) {
                    answer = refused(packet);
                    return null;
                }
                boolean end = first == 0xfe && packet.length < 9;
                if (end || (packet.length > HEADER && isEnough(packet))) {
                    answer = new Answer.Present();
                    return null;
                }
            }
        }

        private boolean isEnough(byte[] packet) {
            Header header = Header.of(Arrays.copyOfRange(packet, 1, packet.length));
            Long wanted = domain;
            if (header.type() == BinlogFile.GTID_EVENT) {
                Gtid gtid = BinlogFile.gtid(header.server(), Arrays.copyOfRange(packet, HEADER, packet.length));
                if (wanted == null || found != null) {
                    return true;
                }
                found = gtid.domain() == wanted ? gtid : null;
                return false;
            }
            if (found == null || !BinlogFile.tellsTime(header.type())) {
                return false;
            }
            madeAt = header.timestamp();
            return true;
        }

        private static Answer refused(byte[] packet) {
            int offset = Math.min(packet.length, packet.length > 3 && packet[3] == '#' ? 9 : 3);
            String reason = new String(Arrays.copyOfRange(packet, offset, packet.length), StandardCharsets.UTF_8);
            if (reason.contains("purged") || reason.contains("too old")) {
                return new Answer.Purged(reason);
            }
            boolean missing = reason.contains("not in the master's binlog")
                    || reason.contains("missing")
                    || reason.contains("diverged");
            return missing ? new Answer.Diverged(reason) : new Answer.Unclear(reason);
        }
    }
}
