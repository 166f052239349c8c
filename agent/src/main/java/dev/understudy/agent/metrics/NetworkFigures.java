package dev.understudy.agent.metrics;

import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `/proc/net/dev`, `/proc/net/sockstat`, `/sys/class/net` and the connection tracking's limits (proc(5),
/// Documentation/ABI/testing/sysfs-class-net).
final class NetworkFigures {

    private static final List<String> RECEIVE =
            List.of("bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast");
    private static final List<String> TRANSMIT =
            List.of("bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed");
    private static final double PAGE = 4096;

    private NetworkFigures() {}

    static List<Family> traffic(String text) throws IOException {
        Map<String, Family.Building> families = new LinkedHashMap<>();
        for (String line : text.split("\n", -1)) {
            int colon = line.lastIndexOf(':');
            if (colon < 0) {
                continue;
            }
            String device = line.substring(0, colon).strip();
            Columns columns = Columns.of(line.substring(colon + 1));
            for (int i = 0; i < RECEIVE.size(); i++) {
                add(families, "receive", RECEIVE.get(i), device, columns.number(i));
            }
            for (int i = 0; i < TRANSMIT.size(); i++) {
                add(families, "transmit", TRANSMIT.get(i), device, columns.number(RECEIVE.size() + i));
            }
        }
        return families.values().stream().map(Family.Building::build).toList();
    }

    private static void add(
            Map<String, Family.Building> families, String way, String what, String device, double value) {
        String key = way + "_" + what;
        families.computeIfAbsent(
                        key,
                        _ -> Family.counter(
                                "node_network_" + key + "_total", "Network device statistic " + key + ".", "device"))
                .sample(value, device);
    }

    static List<Family> interfaces(KernelFiles files) throws IOException {
        Family.Building up = Family.gauge("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.", "device");
        Family.Building info = Family.gauge(
                "node_network_info",
                "Non-numeric data from /sys/class/net/<iface>, value is always 1.",
                "address",
                "broadcast",
                "device",
                "duplex",
                "ifalias",
                "operstate");
        Family.Building carrier = property("carrier", "carrier");
        Family.Building changes = Family.counter(
                "node_network_carrier_changes_total", "Network device property: carrier_changes_total", "device");
        Family.Building mtu = property("mtu_bytes", "mtu_bytes");
        Family.Building speed = property("speed_bytes", "speed_bytes");
        for (String device : files.names("sys/class/net")) {
            String folder = "sys/class/net/" + device + "/";
            Optional<String> state = files.word(folder + "operstate");
            if (state.isEmpty()) {
                continue; // a plain file, such as bonding_masters
            }
            up.sample(state.get().equals("up") ? 1 : 0, device);
            info.sample(
                    1,
                    files.word(folder + "address").orElse(""),
                    files.word(folder + "broadcast").orElse(""),
                    device,
                    files.word(folder + "duplex").orElse(""),
                    files.word(folder + "ifalias").orElse(""),
                    state.get());
            sample(carrier, files, folder + "carrier", 1, device);
            sample(changes, files, folder + "carrier_changes", 1, device);
            sample(mtu, files, folder + "mtu", 1, device);
            sample(speed, files, folder + "speed", 1e6 / 8, device);
        }
        return List.of(up.build(), info.build(), carrier.build(), changes.build(), mtu.build(), speed.build());
    }

    private static Family.Building property(String name, String help) {
        return Family.gauge("node_network_" + name, "Network device property: " + help, "device");
    }

    private static void sample(Family.Building family, KernelFiles files, String file, double factor, String device)
            throws IOException {
        Optional<String> word = files.word(file);
        if (word.isPresent() && !word.get().isEmpty()) {
            double value = Columns.number(word.get());
            // a speed of -1: it is not known
            if (value >= 0) {
                family.sample(value * factor, device);
            }
        }
    }

    static List<Family> sockets(String text) throws IOException {
        List<Family> families = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            int colon = line.indexOf(':');
            if (colon < 0) {
                continue;
            }
            String protocol = line.substring(0, colon);
            Columns columns = Columns.of(line.substring(colon + 1));
            for (int i = 0; i + 1 < columns.size(); i += 2) {
                String what = columns.word(i);
                families.add(socket(protocol, what, columns.number(i + 1)));
                if (what.equals("mem")) {
                    families.add(socket(protocol, "mem_bytes", columns.number(i + 1) * PAGE));
                }
            }
        }
        return families;
    }

    private static Family socket(String protocol, String what, double value) {
        return Family.gauge(
                        "node_sockstat_" + protocol + "_" + what,
                        protocol.equals("sockets")
                                ? "Number of IPv4 sockets in use."
                                : "Number of " + protocol + " sockets in state " + what + ".")
                .of(value);
    }

    /// Nothing where the kernel tracks no connections.
    static List<Family> tracking(KernelFiles files) throws IOException {
        List<Family> families = new ArrayList<>();
        Optional<String> entries = files.readIfThere("proc/sys/net/netfilter/nf_conntrack_count");
        if (entries.isPresent()) {
            families.add(Family.gauge(
                            "node_nf_conntrack_entries",
                            "Number of currently allocated flow entries for connection tracking.")
                    .of(Columns.number(entries.get())));
        }
        Optional<String> limit = files.readIfThere("proc/sys/net/netfilter/nf_conntrack_max");
        if (limit.isPresent()) {
            families.add(Family.gauge("node_nf_conntrack_entries_limit", "Maximum size of connection tracking table.")
                    .of(Columns.number(limit.get())));
        }
        return families;
    }
}
