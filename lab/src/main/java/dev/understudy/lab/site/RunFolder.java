package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.ProcessTable;
import dev.understudy.lab.kernel.Signal;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/// The folder of one run of the lab and its record of what the run made, from which another process finds the hosts
/// and a later run removes what a crashed one left. Everything in it is named by process id and start time.
///
/// Namespaces, mounts and links need no record of their own: they belong to the hosts' first processes, and those
/// end when the lab's process does (their standard input ends).
public final class RunFolder {

    public static final Path BASE = Path.of("/var/tmp/understudy-lab");
    private static final String RECORD = "run.properties";
    private static final String PROCESS = "process.";

    private final Path path;
    private final Properties record = new Properties();

    private RunFolder(Path path) {
        this.path = path;
    }

    /// A process that the run owns.
    private record Owned(long pid, long startTime) {
        boolean lives() {
            return ProcessTable.lives(pid, startTime);
        }
    }

    /// Makes the folder of this process's run.
    static RunFolder create() {
        long pid = ProcessHandle.current().pid();
        try {
            Files.createDirectories(BASE);
            RunFolder folder = new RunFolder(Files.createTempDirectory(BASE, "run-" + pid + "-"));
            Commands.run("chmod", "755", folder.path.toString()).orThrow();
            folder.own("owner", pid);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The folders of runs whose owner still lives, newest first.
    public static List<RunFolder> live() {
        return all().stream().filter(RunFolder::ownerLives).toList();
    }

    /// Ends and removes what runs left whose owner is gone. Returns a line for each.
    public static List<String> cleanUp() {
        var lines = new ArrayList<String>();
        for (RunFolder folder : all()) {
            if (!folder.ownerLives()) {
                int ended = folder.remove();
                lines.add("removed " + folder.path + (ended > 0 ? " and ended " + ended + " processes" : ""));
            }
        }
        try (DirectoryStream<Path> left = Files.newDirectoryStream(BASE)) {
            if (!left.iterator().hasNext()) {
                Files.deleteIfExists(BASE);
            }
        } catch (IOException none) {
            // there is no such folder, or another run has just made its own in it
        }
        return lines;
    }

    public Path path() {
        return path;
    }

    Path host(String name) {
        return path.resolve(name);
    }

    /// Records a process as this run's.
    synchronized void own(String name, long pid) {
        long startTime = ProcessTable.find(pid)
                .orElseThrow(() -> new IllegalStateException(name + " (process " + pid + ") has ended"))
                .startTime();
        set(PROCESS + name, pid + " " + startTime);
    }

    synchronized void set(String key, String value) {
        record.setProperty(key, value);
        try {
            Path fresh = path.resolve(RECORD + ".new");
            try (Writer out = Files.newBufferedWriter(fresh)) {
                record.store(out, null);
            }
            Files.move(fresh, path.resolve(RECORD), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    synchronized Optional<String> get(String key) {
        return Optional.ofNullable(record.getProperty(key));
    }

    /// The id of a recorded process that still lives.
    synchronized Optional<Long> pid(String name) {
        return owned(name).filter(Owned::lives).map(Owned::pid);
    }

    private boolean ownerLives() {
        return pid("owner").isPresent();
    }

    /// Ends every recorded process that still lives, except this JVM's own, and deletes the folder.
    synchronized int remove() {
        int ended = 0;
        for (String key : record.stringPropertyNames()) {
            String name = key.startsWith(PROCESS) ? key.substring(PROCESS.length()) : "owner";
            Optional<Owned> process = name.equals("owner") ? Optional.empty() : owned(name);
            if (process.filter(Owned::lives).isPresent()) {
                // one that stands still, as what it started did, never reaps it: the namespace would not end
                ProcessTable.visitorsOf(process.get().pid()).forEach(visitor -> Signal.KILL.send(visitor.pid()));
                Signal.KILL.send(process.get().pid());
                ended++;
            }
        }
        for (String key : record.stringPropertyNames()) {
            if (key.startsWith(PROCESS) && !key.equals(PROCESS + "owner")) {
                Optional<Owned> process = owned(key.substring(PROCESS.length()));
                dev.understudy.lab.kernel.Waiting.until(
                        key + " has ended",
                        java.time.Duration.ofSeconds(20),
                        () -> process.filter(Owned::lives).isEmpty());
            }
        }
        delete();
        return ended;
    }

    private void delete() {
        Commands.run("rm", "-rf", "--one-file-system", path.toString()).orThrow();
    }

    private Optional<Owned> owned(String name) {
        return Optional.ofNullable(record.getProperty(PROCESS + name)).map(value -> {
            int space = value.indexOf(' ');
            return new Owned(Long.parseLong(value.substring(0, space)), Long.parseLong(value.substring(space + 1)));
        });
    }

    private static List<RunFolder> all() {
        var folders = new ArrayList<RunFolder>();
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(BASE, "run-*")) {
            for (Path path : paths) {
                RunFolder folder = new RunFolder(path);
                try (Reader in = Files.newBufferedReader(path.resolve(RECORD))) {
                    folder.record.load(in);
                } catch (IOException e) {
                    // no record yet: the run crashed before it made anything, or is just starting
                    if (startingNow(path)) {
                        continue;
                    }
                }
                folders.add(folder);
            }
        } catch (IOException noneYet) {
            return List.of();
        }
        folders.sort(Comparator.comparingLong((RunFolder folder) -> modified(folder.path))
                .reversed());
        return folders;
    }

    private static boolean startingNow(Path path) {
        return modified(path) > System.currentTimeMillis() - 10_000;
    }

    private static long modified(Path path) {
        try {
            return Files.getLastModifiedTime(path).toMillis();
        } catch (IOException gone) {
            return 0;
        }
    }
}
