package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.ProcessTable;
import dev.understudy.lab.kernel.Signal;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// A lab leaves no process, namespace, mount or folder behind, however it ends.
@ExtendWith(StoryProgress.class)
class NothingLeftStory {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void afterCtrlC() throws IOException {
        Process lab = start();
        Path folder = folderOf(lab);
        List<Long> hosts = firstProcesses(folder);
        assertThat(hosts).hasSize(9);
        Process visitor = visitorThatStandsStill(hosts.getFirst());
        Commands.run("kill", "-INT", Long.toString(lab.pid())).orThrow();
        Waiting.until("the lab has ended", LIMIT, () -> !lab.isAlive());
        Waiting.until("its hosts have ended", LIMIT, () -> hosts.stream().noneMatch(NothingLeftStory::lives));
        assertThat(folder).doesNotExist();
        assertThat(mounts()).doesNotContain(folder.toString());
        assertThat(visitor.isAlive()).isFalse();
    }

    @Test
    void afterSigkillTheNextStartRemovesTheFolderToo() throws IOException {
        Process lab = start();
        Path folder = folderOf(lab);
        List<Long> hosts = firstProcesses(folder);
        assertThat(hosts).hasSize(9);
        lab.destroyForcibly();
        Waiting.until(
                "its hosts have ended by themselves",
                LIMIT,
                () -> hosts.stream().noneMatch(NothingLeftStory::lives));
        assertThat(mounts()).doesNotContain(folder.toString());
        assertThat(folder).exists();
        Commands.run(Checkout.find().lab(), "clean").orThrow();
        assertThat(folder).doesNotExist();
    }

    /// With Ctrl-C in force as in a terminal: what is started in the background may inherit that it is ignored.
    private static Process start() throws IOException {
        Path log = Checkout.find().root().resolve("lab/target/nothing-left.log");
        return new ProcessBuilder(
                        "env", "--default-signal=INT", "setsid", Checkout.find().lab(), "up", "--servers-only")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    /// What a freeze makes of a command that is just being started in the host: nobody reaps what it started.
    private static Process visitorThatStandsStill(long host) throws IOException {
        Process visitor =
                new ProcessBuilder("nsenter", "-t", Long.toString(host), "-m", "-p", "--", "sleep", "600").start();
        Waiting.until(
                "it has started something",
                LIMIT,
                () -> visitor.children().findAny().isPresent());
        visitor.children().forEach(child -> Signal.STOP.send(child.pid()));
        Waiting.until(
                "it stands still",
                LIMIT,
                () -> ProcessTable.find(visitor.pid())
                        .filter(entry -> entry.state() == 'T')
                        .isPresent());
        return visitor;
    }

    /// The run folder of that process, once its page has a port: then everything is made.
    private static Path folderOf(Process lab) {
        Path base = Path.of("/var/tmp/understudy-lab");
        Predicate<Path> ready = path -> path.getFileName().toString().startsWith("run-" + lab.pid() + "-")
                && text(path.resolve("run.properties")).contains("page.port");
        Waiting.until("the lab is up", LIMIT, () -> list(base).stream().anyMatch(ready));
        return list(base).stream().filter(ready).findFirst().orElseThrow();
    }

    /// The first processes of a run's hosts, as the machine counts.
    private static List<Long> firstProcesses(Path folder) {
        return list(Path.of("/proc")).stream()
                .map(path -> path.getFileName().toString())
                .filter(name -> name.chars().allMatch(Character::isDigit))
                .map(Long::valueOf)
                .filter(pid -> ProcessTable.find(pid)
                        .filter(entry -> entry.name().equals("host-init")
                                && entry.commandLine().contains(folder.toString()))
                        .isPresent())
                .toList();
    }

    private static boolean lives(long pid) {
        return ProcessTable.find(pid)
                .filter(entry -> entry.name().equals("host-init"))
                .isPresent();
    }

    private static String mounts() {
        return text(Path.of("/proc/self/mounts"));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException none) {
            return "";
        }
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.collect(Collectors.toList());
        } catch (IOException none) {
            return List.of();
        }
    }
}
