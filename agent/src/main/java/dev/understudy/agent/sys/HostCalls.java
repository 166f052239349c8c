package dev.understudy.agent.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// What the kernel tells of the host by system call only: statvfs(3), adjtimex(2), uname(2), in the layouts of 64-bit
/// glibc. Nothing is changed by them.
public final class HostCalls {

    private static final MethodHandle STATVFS = LibC.find("statvfs", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle ADJTIMEX = LibC.find("adjtimex", JAVA_INT, ADDRESS);
    private static final MethodHandle UNAME = LibC.find("uname", JAVA_INT, ADDRESS);

    private static final int STATVFS_BYTES = 112;
    private static final int TIMEX_BYTES = 208;
    private static final int UTSNAME_FIELD = 65;

    /// The kernel's time is more than the maximum error away from anybody's: nobody keeps it in step.
    private static final int TIME_ERROR = 5;

    /// The offset is in nanoseconds, not microseconds.
    private static final int STA_NANO = 0x2000;

    private HostCalls() {}

    /// A file system's room.
    public record Room(long sizeBytes, long freeBytes, long availableBytes, long files, long filesFree) {}

    /// How the kernel's clock is disciplined. Seconds and ratios, not the kernel's units.
    ///
    /// @param frequencyRatio 1 when the clock is left alone
    /// @param status the kernel's STA_ flags
    public record Discipline(
            boolean synchronised,
            double offsetSeconds,
            double frequencyRatio,
            double maxErrorSeconds,
            double estimatedErrorSeconds,
            int status,
            long loopTimeConstant,
            double tickSeconds,
            int taiOffsetSeconds) {}

    /// uname(2), in its order.
    public record Uname(
            String sysname, String nodename, String release, String version, String machine, String domainname) {}

    /// Blocks for as long as the file system does not answer.
    ///
    /// @throws IOException if the kernel refuses, with its errno
    public static Room room(String path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path);
            MemorySegment into = arena.allocate(STATVFS_BYTES, 8);
            check("statvfs " + path, LibC.call(state -> (int) STATVFS.invokeExact(state, name, into)));
            long fragment = into.get(JAVA_LONG, 8);
            return new Room(
                    fragment * into.get(JAVA_LONG, 16),
                    fragment * into.get(JAVA_LONG, 24),
                    fragment * into.get(JAVA_LONG, 32),
                    into.get(JAVA_LONG, 40),
                    into.get(JAVA_LONG, 48));
        }
    }

    /// Only reads: `modes` is 0, which needs no privilege.
    public static Discipline discipline() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment timex = arena.allocate(TIMEX_BYTES, 8);
            long state = check("adjtimex", LibC.call(captured -> (int) ADJTIMEX.invokeExact(captured, timex)));
            int status = timex.get(JAVA_INT, 40);
            double unit = (status & STA_NANO) == 0 ? 1e6 : 1e9;
            return new Discipline(
                    state != TIME_ERROR,
                    timex.get(JAVA_LONG, 8) / unit,
                    1 + timex.get(JAVA_LONG, 16) / 65536.0 / 1e6,
                    timex.get(JAVA_LONG, 24) / 1e6,
                    timex.get(JAVA_LONG, 32) / 1e6,
                    status,
                    timex.get(JAVA_LONG, 48),
                    timex.get(JAVA_LONG, 88) / 1e6,
                    timex.get(JAVA_INT, 160));
        }
    }

    public static Uname uname() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(6 * UTSNAME_FIELD);
            check("uname", LibC.call(state -> (int) UNAME.invokeExact(state, into)));
            String[] fields = new String[6];
            for (int i = 0; i < fields.length; i++) {
                fields[i] = into.getString((long) i * UTSNAME_FIELD);
            }
            return new Uname(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
        }
    }

    private static long check(String call, long result) throws IOException {
        if (result < 0) {
            throw new IOException(call + ": errno " + -result);
        }
        return result;
    }
}
