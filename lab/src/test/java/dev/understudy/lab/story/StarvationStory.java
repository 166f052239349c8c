package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Timeline;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Every core of the machine is busy with something else, and agents and controller have no privilege over it.
class StarvationStory extends Story {

    private static final boolean LONG = Boolean.getBoolean("understudy.long");
    private static final Duration STARVED = Duration.ofMinutes(LONG ? 5 : 1);
    private static final String OVER = "/run/starvation-is-over";

    @Test
    @Fault("stress-ng on every core for a minute (five with --long)")
    void starvationOfTheProcessorMovesNothing() {
        Map<String, Long> epochs = epochs();
        List<LabHost> agents = lab().hosts().stream()
                .filter(host -> LabService.AGENT.runsOn(host.plan().kind()))
                .toList();
        agents.forEach(host -> unprivileged(host, LabService.AGENT));
        unprivileged(host(Topology.CTL1.name()), LabService.CONTROLLER);
        long fencesBefore = agents.stream().mapToLong(StarvationStory::fences).sum();
        LabHost machine = host("client"); // what runs in a lab host ends with the lab
        machine.run("rm", "-f", OVER);
        long from = System.nanoTime();
        act(
                "stress-ng on every core for " + STARVED.toSeconds() + " s",
                () -> machine.run(
                        "sh",
                        "-c",
                        "(stress-ng --cpu 0 --cpu-method all --timeout " + STARVED.toSeconds() + "s; touch " + OVER
                                + ") </dev/null >/dev/null 2>&1 &"));
        Waiting.until(
                "it runs",
                Duration.ofSeconds(20),
                () -> machine.processes().stream()
                        .anyMatch(process -> process.name().startsWith("stress-ng")));
        Waiting.until("it is over", STARVED.multipliedBy(3), () -> Files.exists(machine.path(OVER)));
        Timeline.Summary requests = requestsSince(from);
        tell("%d of %d requests failed, none answered for %d ms at most"
                .formatted(requests.failed(), requests.attempts(), requests.outageMillis()));
        assertThat(epochs()).isEqualTo(epochs);
        assertThat(agents.stream().mapToLong(StarvationStory::fences).sum())
                .as("leases that lapsed")
                .isEqualTo(fencesBefore);
        assertThat(requests.attempts()).isGreaterThan(1000);
        assertThat(requests.failed()).isLessThan(requests.attempts() / 20);
        clientsAreServed();
    }

    private static long fences(LabHost host) {
        Path log = host.path("/var/log/understudy/agent.log");
        try {
            return Files.readAllLines(log, StandardCharsets.UTF_8).stream()
                    .filter(line -> line.contains("event=fence "))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Neither a better niceness nor a real-time class: fields 19 and 41 of /proc/PID/stat, proc(5).
    private static void unprivileged(LabHost host, LabService service) {
        host.processes(service).forEach(process -> {
            try {
                String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
                assertThat(Integer.parseInt(fields[16])).as("niceness").isGreaterThanOrEqualTo(0);
                assertThat(Integer.parseInt(fields[38].strip())).as("policy").isZero();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
