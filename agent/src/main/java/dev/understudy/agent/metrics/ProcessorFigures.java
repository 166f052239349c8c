package dev.understudy.agent.metrics;

import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// `/proc/stat`, `/proc/loadavg` and `/proc/pressure` (proc(5), Documentation/accounting/psi.rst).
final class ProcessorFigures {

    /// USER_HZ, which is the same on every architecture that we run on.
    private static final double TICKS_PER_SECOND = 100;

    private static final List<String> MODES =
            List.of("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal");
    private static final List<String> GUEST_MODES = List.of("user", "nice");

    /// A single number of `/proc/stat`.
    private record Single(String name, String help, boolean counter) {
        Family family(double value) {
            return counter
                    ? Family.counter(name, help).of(value)
                    : Family.gauge(name, help).of(value);
        }
    }

    // spotless:off
    private static final Map<String, Single> SINGLES = new TreeMap<>(Map.of(
            "intr", new Single("node_intr_total", "Total number of interrupts serviced.", true),
            "ctxt", new Single("node_context_switches_total", "Total number of context switches.", true),
            "btime", new Single("node_boot_time_seconds", "Node boot time, in unixtime.", false),
            "processes", new Single("node_forks_total", "Total number of forks.", true),
            "procs_running", new Single("node_procs_running", "Number of processes in runnable state.", false),
            "procs_blocked", new Single("node_procs_blocked", "Number of processes blocked waiting for I/O to complete.", false)));
    // spotless:on

    private ProcessorFigures() {}

    static List<Family> stat(String text) throws IOException {
        Family.Building seconds =
                Family.counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.", "cpu", "mode");
        Family.Building guest = Family.counter(
                "node_cpu_guest_seconds_total", "Seconds the CPUs spent in guests (VMs) for each mode.", "cpu", "mode");
        List<Family> families = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            int blank = line.indexOf(' ');
            String key = blank < 0 ? line : line.substring(0, blank);
            Single single = SINGLES.get(key);
            if (single != null) {
                // the line of intr goes on with a number for each interrupt there could be
                int end = line.indexOf(' ', blank + 1);
                families.add(single.family(Columns.number(line.substring(blank + 1, end < 0 ? line.length() : end))));
            } else if (key.startsWith("cpu") && key.length() > 3) {
                Columns columns = Columns.of(line);
                String cpu = key.substring(3);
                // old kernels have fewer columns
                for (int i = 0; i < MODES.size() && i + 1 < columns.size(); i++) {
                    seconds.sample(columns.number(i + 1) / TICKS_PER_SECOND, cpu, MODES.get(i));
                }
                for (int i = 0; i < GUEST_MODES.size() && i + 9 < columns.size(); i++) {
                    guest.sample(columns.number(i + 9) / TICKS_PER_SECOND, cpu, GUEST_MODES.get(i));
                }
            }
        }
        families.add(seconds.build());
        families.add(guest.build());
        return families;
    }

    static List<Family> load(String text) throws IOException {
        Columns columns = Columns.of(text);
        return List.of(
                Family.gauge("node_load1", "1m load average.").of(columns.number(0)),
                Family.gauge("node_load5", "5m load average.").of(columns.number(1)),
                Family.gauge("node_load15", "15m load average.").of(columns.number(2)));
    }

    /// @param resource `cpu`, `memory` or `io`
    static List<Family> pressure(String resource, String text) throws IOException {
        List<Family> families = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            int total = line.indexOf("total=");
            if (total < 0) {
                continue;
            }
            double seconds = Columns.number(line.substring(total + "total=".length())) / 1e6;
            if (line.startsWith("some ")) {
                families.add(Family.counter(
                                "node_pressure_" + resource + "_waiting_seconds_total",
                                "Total time in seconds that processes have waited for " + resource + ".")
                        .of(seconds));
            } else if (line.startsWith("full ") && !resource.equals("cpu")) {
                // for processors the kernel prints zeros: there it has no meaning for the whole system
                families.add(Family.counter(
                                "node_pressure_" + resource + "_stalled_seconds_total",
                                "Total time in seconds no process could make progress due to " + resource
                                        + " congestion.")
                        .of(seconds));
            }
        }
        return families;
    }
}
