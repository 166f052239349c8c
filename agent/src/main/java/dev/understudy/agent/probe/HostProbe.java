package dev.understudy.agent.probe;

import dev.understudy.protocol.Observation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Basics of the host from /proc (proc(5)) and statvfs. What cannot be read is -1, or an empty boot id.
public final class HostProbe implements AutoCloseable {

    private static final Path PROC = Path.of("/proc");

    private final Path stateFolder;
    private final ObservationSink sink;
    private @Nullable ProbeLoop loop;

    /// @param stateFolder whose file system's free space is told
    public HostProbe(Path stateFolder, ObservationSink sink) {
        this.stateFolder = stateFolder;
        this.sink = sink;
    }

    public synchronized void start(Duration interval) {
        if (loop != null) {
            throw new IllegalStateException("started already");
        }
        loop = new ProbeLoop("host-probe", interval, () -> sink.publish(observe()));
    }

    public Observation.HostBasics observe() {
        return new Observation.HostBasics(bootId(), load1(), memoryAvailableBytes(), diskFreeBytes());
    }

    /// The kernel's boot id, empty if it cannot be read.
    public static String bootId() {
        return read(PROC.resolve("sys/kernel/random/boot_id")).strip();
    }

    @Override
    public synchronized void close() {
        if (loop != null) {
            loop.close();
        }
    }

    private static double load1() {
        String text = read(PROC.resolve("loadavg"));
        int space = text.indexOf(' ');
        return space < 0 ? -1 : Double.parseDouble(text.substring(0, space));
    }

    private static long memoryAvailableBytes() {
        return read(PROC.resolve("meminfo"))
                .lines()
                .filter(line -> line.startsWith("MemAvailable:"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToLong(digits -> Long.parseLong(digits) * 1024)
                .findFirst()
                .orElse(-1);
    }

    private long diskFreeBytes() {
        try {
            return Files.getFileStore(stateFolder).getUsableSpace();
        } catch (IOException e) {
            return -1;
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException e) {
            return "";
        }
    }
}
