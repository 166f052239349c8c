package dev.understudy.agent.database;

import dev.understudy.protocol.GtidList.Gtid;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Transactions in MariaDB's binary log files, read from the files themselves: also when the server is dead, and
/// without a right of its own. Reads headers only. See the MariaDB documentation, "Binlog Event Header" and "Gtid
/// Event".
final class BinlogFile {

    /// A transaction and where it stands.
    ///
    /// @param begin offset of its first event in the file
    /// @param end offset behind its last event
    /// @param madeAt when its first statement was run, in seconds since 1970. A replica's binary log keeps it, the
    /// time of its GTID event (the commit) it does not keep [both seen]. 0: not known
    record Transaction(Gtid gtid, Path file, long begin, long end, long madeAt) {}

    static final int GTID_EVENT = 162;

    private static final int MAGIC = 4;
    private static final int HEADER = 19;
    private static final int GTID_BODY = 12;
    private static final int START_ENCRYPTION_EVENT = 164;
    private static final Set<Integer> BETWEEN = Set.of(3, 4, 15, 161, 163); // stop, rotate, format, checkpoint, list
    /// What may stand before the statement: annotation, INTVAR, RAND, USER_VAR.
    private static final Set<Integer> BEFORE_STATEMENT = Set.of(160, 5, 13, 14);

    private BinlogFile() {}

    /// Whether an event of this type tells when the statement was run.
    static boolean tellsTime(int type) {
        return type != GTID_EVENT && !BETWEEN.contains(type) && !BEFORE_STATEMENT.contains(type);
    }

    /// The files that an index names, oldest first.
    static List<Path> named(Path index) throws IOException {
        Path folder = index.toAbsolutePath().getParent();
        List<Path> files = new ArrayList<>();
        for (String line : Files.readAllLines(index)) {
            if (!line.isBlank() && folder != null) {
                files.add(folder.resolve(line.strip()));
            }
        }
        return files;
    }

    /// The latest transactions, oldest first, at most so many.
    static List<Transaction> latest(Path index, int most) throws IOException {
        List<Path> files = named(index);
        List<Transaction> latest = new ArrayList<>();
        for (int i = files.size() - 1; i >= 0 && latest.size() < most; i--) {
            latest.addAll(0, latestOf(files.get(i), most - latest.size()));
        }
        return latest;
    }

    /// The latest transactions of one file. What is still being written at its end is left out.
    static List<Transaction> latestOf(Path file, int most) throws IOException {
        Deque<Transaction> latest = new ArrayDeque<>();
        long size = Files.size(file);
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            in.skipNBytes(MAGIC);
            long offset = MAGIC;
            Transaction open = null;
            while (offset + HEADER <= size) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted while reading " + file);
                }
                Header header = Header.of(in.readNBytes(HEADER));
                long end = offset + header.length;
                if (header.length < HEADER || end > size) {
                    break;
                }
                byte[] body = header.type == GTID_EVENT ? in.readNBytes(GTID_BODY) : new byte[0];
                in.skipNBytes(header.length - HEADER - body.length);
                if (header.type == START_ENCRYPTION_EVENT) {
                    throw new IOException(file + " is encrypted");
                }
                open = next(open, header, body, file, offset, end, latest, most);
                offset = end;
            }
            if (open != null) {
                add(latest, open, most);
            }
        }
        return List.copyOf(latest);
    }

    private static @Nullable Transaction next(
            @Nullable Transaction open,
            Header header,
            byte[] body,
            Path file,
            long begin,
            long end,
            Deque<Transaction> latest,
            int most) {
        if (header.type == GTID_EVENT || BETWEEN.contains(header.type)) {
            if (open != null) {
                add(latest, open, most);
            }
            return header.type == GTID_EVENT ? new Transaction(gtid(header.server, body), file, begin, end, 0) : null;
        }
        if (open == null) {
            return null;
        }
        long madeAt = open.madeAt == 0 && tellsTime(header.type) ? header.timestamp : open.madeAt;
        return new Transaction(open.gtid, file, open.begin, end, madeAt);
    }

    private static void add(Deque<Transaction> latest, Transaction transaction, int most) {
        latest.addLast(transaction);
        if (latest.size() > most) {
            latest.removeFirst();
        }
    }

    /// @param body of a GTID event, its first 12 bytes
    static Gtid gtid(long server, byte[] body) {
        ByteBuffer bytes = ByteBuffer.wrap(body).order(ByteOrder.LITTLE_ENDIAN);
        long sequence = bytes.getLong();
        return new Gtid(Integer.toUnsignedLong(bytes.getInt()), server, sequence);
    }

    /// The common head of every event.
    record Header(long timestamp, int type, long server, long length) {
        static Header of(byte[] bytes) {
            ByteBuffer head = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            return new Header(
                    Integer.toUnsignedLong(head.getInt()),
                    head.get() & 0xff,
                    Integer.toUnsignedLong(head.getInt()),
                    Integer.toUnsignedLong(head.getInt()));
        }
    }

    /// Copies the part of a binary log file that begins with this offset, behind the file's own first event, without
    /// which nobody can read the rest.
    static void copyTail(Path file, long begin, Path to) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
                var out = Files.newOutputStream(to)) {
            byte[] head = in.readNBytes(MAGIC + HEADER);
            Header format = Header.of(java.util.Arrays.copyOfRange(head, MAGIC, head.length));
            out.write(head);
            out.write(in.readNBytes(Math.toIntExact(format.length - HEADER)));
            long offset = MAGIC + format.length;
            in.skipNBytes(Math.max(0, begin - offset));
            in.transferTo(out);
        }
    }
}
