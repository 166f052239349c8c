package dev.understudy.agent.metrics;

import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// `/proc/meminfo` and `/proc/vmstat` (proc(5)).
final class MemoryFigures {

    /// Which of the many numbers of `/proc/vmstat` are told.
    private static final Pattern VMSTAT = Pattern.compile("oom_kill|pgpg.*|pswp.*|pg.*fault");

    private MemoryFigures() {}

    static List<Family> memory(String text) throws IOException {
        List<Family> families = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            Columns columns = Columns.of(line);
            if (columns.size() < 2) {
                continue;
            }
            String key = columns.word(0).replace(":", "").replace("(", "_").replace(")", "");
            boolean kilobytes = columns.size() > 2;
            String name = kilobytes ? key + "_bytes" : key;
            families.add(Family.gauge("node_memory_" + name, "Memory information field " + name + ".")
                    .of(columns.number(1) * (kilobytes ? 1024 : 1)));
        }
        return families;
    }

    static List<Family> virtualMemory(String text) throws IOException {
        List<Family> families = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            int blank = line.indexOf(' ');
            if (blank > 0 && VMSTAT.matcher(line.substring(0, blank)).matches()) {
                String key = line.substring(0, blank);
                families.add(Family.untyped("node_vmstat_" + key, "/proc/vmstat information field " + key + ".")
                        .of(Columns.number(line.substring(blank))));
            }
        }
        return families;
    }
}
