package dev.understudy.agent.metrics;

import dev.understudy.agent.sys.HostCalls.Room;
import dev.understudy.wire.metrics.Metrics;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Files of `/proc` and `/sys` of other hosts: `recent` is a Linux 6.18 virtual machine's, `old` has what kernels have
/// been seen to do otherwise (no PSI, no connection tracking, shorter lines, a read-only root file system).
final class Samples {

    static final Room ROOM = new Room(1000, 400, 300, 50, 20);

    private Samples() {}

    static KernelFiles files(String host) {
        URL folder = Objects.requireNonNull(Samples.class.getResource(host), host);
        try {
            return new KernelFiles(Path.of(folder.toURI()));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static HostMetrics host(String name) {
        return new HostMetrics(files(name), new FileSystems(_ -> ROOM));
    }

    /// Each sample's value by what stands before it on the page.
    static Map<String, Double> page(HostMetrics host) {
        Metrics metrics = new Metrics();
        metrics.families(host::read);
        return parsed(metrics.scrape());
    }

    static Map<String, Double> parsed(String page) {
        Map<String, Double> values = new TreeMap<>();
        page.lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            int blank = line.lastIndexOf(' ');
            String before = line.substring(0, blank).replace(",}", "}");
            if (values.put(before, Double.valueOf(line.substring(blank + 1).replace("Inf", "Infinity"))) != null) {
                throw new IllegalStateException("twice on the page: " + before);
            }
        });
        return values;
    }
}
