package dev.understudy.agent.database;

import dev.understudy.protocol.GtidList;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
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

    private static final int EVENT_TYPE_OFFSET = 5;
    private static final int GTID_EVENT = 162;
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
        primary.run(
                "SET @master_binlog_checksum = @@global.binlog_checksum, @mariadb_slave_capability = 4,"
                        + " @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0,"
                        + " @slave_connect_state = '" + position + "'",
                SHORT);
        primary.driver().setNetworkTimeout(Runnable::run, Math.toIntExact(Math.max(1, timeout.toMillis())));
        Dump dump = new Dump();
        primary.driver().getClient().execute(dump, false);
        return dump.answer;
    }

    /// COM_BINLOG_DUMP, read up to the first transaction, the end or an error. The connection is of no use
    /// afterwards.
    private static final class Dump implements ClientMessage {
        private Answer answer = new Answer.Unclear("the primary did not answer");

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
                if (end || (packet.length > EVENT_TYPE_OFFSET && (packet[EVENT_TYPE_OFFSET] & 0xff) == GTID_EVENT)) {
                    answer = new Answer.Present();
                    return null;
                }
            }
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
