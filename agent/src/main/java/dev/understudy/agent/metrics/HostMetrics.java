package dev.understudy.agent.metrics;

import dev.understudy.agent.sys.HostCalls;
import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// All of the host's metrics. A file that cannot be read, or is not as expected, costs its own metrics only, and
/// `node_scrape_collector_success` says 0 for it. Thread-safe.
public final class HostMetrics {

    private final KernelFiles files;
    private final FileSystems fileSystems;
    private final List<Part> parts;

    private interface Reading {
        List<Family> families() throws IOException;
    }

    /// @param name node_exporter's word for it
    private record Part(String name, Reading reading) {}

    public static HostMetrics ofThisHost() {
        return new HostMetrics(new KernelFiles(Path.of("/")), new FileSystems(HostCalls::room));
    }

    /// @param files whose `/proc` and `/sys` are read; what has no file is asked of this host's kernel
    HostMetrics(KernelFiles files, FileSystems fileSystems) {
        this.files = files;
        this.fileSystems = fileSystems;
        parts = List.of(
                new Part("stat", () -> ProcessorFigures.stat(files.read("proc/stat"))),
                new Part("loadavg", () -> ProcessorFigures.load(files.read("proc/loadavg"))),
                new Part("pressure", this::pressure),
                new Part("meminfo", () -> MemoryFigures.memory(files.read("proc/meminfo"))),
                new Part("vmstat", () -> MemoryFigures.virtualMemory(files.read("proc/vmstat"))),
                new Part("diskstats", () -> DiskFigures.disks(files.read("proc/diskstats"))),
                new Part("filesystem", this::fileSystems),
                new Part("netdev", () -> NetworkFigures.traffic(files.read("proc/net/dev"))),
                new Part("netclass", () -> NetworkFigures.interfaces(files)),
                new Part("sockstat", this::sockets),
                new Part("conntrack", () -> NetworkFigures.tracking(files)),
                new Part("filefd", this::descriptors),
                new Part("timex", () -> ClockFigures.discipline(HostCalls.discipline())),
                new Part("time", () -> ClockFigures.time(Instant.now())),
                new Part("uname", () -> ClockFigures.uname(HostCalls.uname())));
    }

    /// Everything as it is now.
    public List<Family> read() {
        List<Family> families = new ArrayList<>();
        Family.Building success = Family.gauge(
                "node_scrape_collector_success",
                "Whether a collector of this page could read its source.",
                "collector");
        Family.Building took = Family.gauge(
                "node_scrape_collector_duration_seconds", "How long a collector of this page took.", "collector");
        for (Part part : parts) {
            long began = System.nanoTime();
            boolean read;
            try {
                families.addAll(part.reading().families());
                read = true;
            } catch (IOException e) {
                read = false;
            }
            success.sample(read ? 1 : 0, part.name());
            took.sample((System.nanoTime() - began) / 1e9, part.name());
        }
        families.add(success.build());
        families.add(took.build());
        return families;
    }

    /// Nothing on kernels without it, or where it is switched off.
    private List<Family> pressure() throws IOException {
        List<Family> families = new ArrayList<>();
        for (String resource : List.of("cpu", "io", "memory")) {
            Optional<String> text = files.word("proc/pressure/" + resource);
            if (text.isPresent()) {
                families.addAll(ProcessorFigures.pressure(resource, text.get()));
            }
        }
        return families;
    }

    /// The mounts of the host's first process: the agent's own may be hidden or read-only by its unit.
    private List<Family> fileSystems() throws IOException {
        Optional<String> mounts = files.word("proc/1/mounts");
        return fileSystems.families(mounts.isPresent() ? mounts.get() : files.read("proc/self/mounts"));
    }

    private List<Family> sockets() throws IOException {
        List<Family> families = new ArrayList<>(NetworkFigures.sockets(files.read("proc/net/sockstat")));
        Optional<String> six = files.readIfThere("proc/net/sockstat6");
        if (six.isPresent()) {
            families.addAll(NetworkFigures.sockets(six.get()));
        }
        return families;
    }

    private List<Family> descriptors() throws IOException {
        Columns columns = Columns.of(files.read("proc/sys/fs/file-nr").strip());
        return List.of(
                Family.gauge("node_filefd_allocated", "File descriptor statistics: allocated.")
                        .of(columns.number(0)),
                Family.gauge("node_filefd_maximum", "File descriptor statistics: maximum.")
                        .of(columns.number(2)));
    }
}
