package dev.understudy.agent.lease;

import dev.understudy.wire.json.Json;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32;

/// The floors on disk: `floors` in the state folder, one line of JSON and one with its CRC-32. A write goes to
/// `floors.new`, is synced, renamed over the old file, and the folder is synced: after a crash at any point either the
/// old or the new record is read. One agent a folder, held by a lock. Used from one thread.
public final class FloorStore implements AutoCloseable {

    private final Path folder;
    private final Path file;
    private final FileChannel lockFile;
    private final boolean fresh;
    private DurableRecord record;

    /// @throws IOException with one clear line if the folder cannot be used, another agent uses it, or the file is
    /// damaged (the agent must not start: it would have forgotten what it promised)
    public static FloorStore open(Path folder) throws IOException {
        Files.createDirectories(folder);
        FileChannel lockFile =
                FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = lockFile.tryLock();
            if (lock == null) {
                throw new IOException(folder + " is in use by another agent");
            }
            return new FloorStore(folder, lockFile);
        } catch (OverlappingFileLockException e) {
            lockFile.close();
            throw new IOException(folder + " is in use by another agent", e);
        } catch (IOException e) {
            lockFile.close();
            throw e;
        }
    }

    private FloorStore(Path folder, FileChannel lockFile) throws IOException {
        this.folder = folder;
        this.file = folder.resolve("floors");
        this.lockFile = lockFile;
        this.fresh = !Files.exists(file);
        this.record = fresh ? DurableRecord.EMPTY : read(file);
    }

    /// Whether there was no file: this agent is new here, or its memory was lost.
    public boolean fresh() {
        return fresh;
    }

    /// What is on disk.
    public DurableRecord record() {
        return record;
    }

    /// Returns when the record is on disk; does nothing if it is there already.
    ///
    /// @throws IOException if it is not known to be on disk: [#record()] is still the old one
    public void write(DurableRecord next) throws IOException {
        if (next.equals(record)) {
            return;
        }
        String json = Json.mapper().writeValueAsString(next);
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(json + "\n" + checksum(json) + "\n");
        Path temporary = folder.resolve("floors.new");
        try (FileChannel out = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
        record = next;
    }

    private static DurableRecord read(Path file) throws IOException {
        String[] lines = Files.readString(file, StandardCharsets.UTF_8).split("\n", -1);
        if (lines.length < 2 || !lines[1].equals(checksum(lines[0]))) {
            throw new IOException(file + " is damaged (checksum): this agent cannot know what it promised;"
                    + " remove the file only when this host holds nothing");
        }
        try {
            return MessageCodec.decode(DurableRecord.class, lines[0]);
        } catch (MalformedMessage e) {
            throw new IOException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String checksum(String text) {
        CRC32 crc = new CRC32();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return "%08x".formatted(crc.getValue());
    }

    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
