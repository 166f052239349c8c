package dev.understudy.lab.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The machine's processes as /proc shows them. A process is named by its id and start time together, so that an id
/// that was given out again is never taken for the old process. Any thread.
public final class ProcessTable {

    private static final Path PROC = Path.of("/proc");

    private ProcessTable() {}

    /// @param startTime in clock ticks since boot
    /// @param name the kernel's short name (`comm`)
    /// @param state the kernel's letter: `T` is stopped, `Z` ended and not reaped
    /// @param commandLine arguments separated by spaces
    public record Entry(long pid, long startTime, String name, char state, String commandLine) {}

    public static Optional<Entry> find(long pid) {
        try {
            Path folder = PROC.resolve(Long.toString(pid));
            String stat = Files.readString(folder.resolve("stat"), StandardCharsets.ISO_8859_1);
            int nameEnd = stat.lastIndexOf(')');
            String name = stat.substring(stat.indexOf('(') + 1, nameEnd);
            List<String> rest = List.of(stat.substring(nameEnd + 2).strip().split(" ", -1));
            String commandLine = Files.readString(folder.resolve("cmdline"), StandardCharsets.ISO_8859_1)
                    .replace('\0', ' ')
                    .strip();
            return Optional.of(new Entry(
                    pid, Long.parseLong(rest.get(19)), name, rest.getFirst().charAt(0), commandLine));
        } catch (IOException ended) {
            return Optional.empty();
        }
    }

    /// Whether exactly this process still lives.
    public static boolean lives(long pid, long startTime) {
        return find(pid)
                .filter(e -> e.startTime() == startTime && e.state() != 'Z')
                .isPresent();
    }

    /// Everything in the process namespace whose first process this is, the first one excepted.
    public static List<Entry> inNamespaceOf(long initPid) {
        var entries = new ArrayList<Entry>();
        Optional<String> wanted = namespace(initPid);
        if (wanted.isEmpty()) {
            return entries;
        }
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                long pid = Long.parseLong(process.getFileName().toString());
                if (pid != initPid && namespace(pid).equals(wanted)) {
                    find(pid).ifPresent(entries::add);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("/proc cannot be listed", e);
        }
        return entries;
    }

    /// The programs, outside of it, that work inside the namespace whose first process this is: each `nsenter` that
    /// waits for what it started there.
    public static List<Entry> visitorsOf(long initPid) {
        return ProcessHandle.allProcesses()
                .flatMap(process -> find(process.pid()).stream())
                .filter(entry -> entry.commandLine().startsWith("nsenter -t " + initPid + " "))
                .toList();
    }

    private static Optional<String> namespace(long pid) {
        try {
            return Optional.of(
                    Files.readSymbolicLink(PROC.resolve(pid + "/ns/pid")).toString());
        } catch (IOException ended) {
            return Optional.empty();
        }
    }
}
