package dev.understudy.agent.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import dev.understudy.agent.sys.HostCalls;
import dev.understudy.agent.sys.Shell;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostMetricsTest {

    @Test
    void a_recent_kernels_numbers_have_node_exporters_names_labels_and_units() {
        assertThat(Samples.page(Samples.host("recent")))
                .contains(
                        entry("node_cpu_seconds_total{cpu=\"0\",mode=\"user\"}", 1444.71),
                        entry("node_cpu_seconds_total{cpu=\"1\",mode=\"iowait\"}", 11.26),
                        entry("node_cpu_seconds_total{cpu=\"1\",mode=\"steal\"}", 16.87),
                        entry("node_cpu_guest_seconds_total{cpu=\"0\",mode=\"nice\"}", 0.0),
                        entry("node_intr_total", 3168661.0),
                        entry("node_context_switches_total", 7981615.0),
                        entry("node_boot_time_seconds", 1796023402.0),
                        entry("node_forks_total", 72673.0),
                        entry("node_procs_running", 4.0),
                        entry("node_load1", 2.81),
                        entry("node_load15", 10.88),
                        entry("node_pressure_cpu_waiting_seconds_total", 2078.521299),
                        entry("node_pressure_io_waiting_seconds_total", 41.390585),
                        entry("node_pressure_io_stalled_seconds_total", 9.028606),
                        entry("node_pressure_memory_stalled_seconds_total", 0.0),
                        entry("node_memory_MemTotal_bytes", 24683656.0 * 1024),
                        entry("node_memory_HugePages_Total", 0.0),
                        entry("node_vmstat_pgfault", 25555072.0),
                        entry("node_vmstat_oom_kill", 0.0),
                        entry("node_disk_read_bytes_total{device=\"vda\"}", 20039674.0 * 512),
                        entry("node_disk_write_time_seconds_total{device=\"vda\"}", 191.54),
                        entry("node_disk_flush_requests_total{device=\"vda\"}", 44036.0),
                        entry("node_network_receive_bytes_total{device=\"eth0\"}", 112832230.0),
                        entry("node_network_transmit_packets_total{device=\"eth0\"}", 4293.0),
                        entry("node_network_up{device=\"eth0\"}", 1.0),
                        entry("node_network_up{device=\"lo\"}", 0.0),
                        entry("node_network_mtu_bytes{device=\"eth0\"}", 1400.0),
                        entry("node_sockstat_sockets_used", 17.0),
                        entry("node_sockstat_TCP_alloc", 2.0),
                        entry("node_filefd_allocated", 1741.0),
                        entry("node_nf_conntrack_entries", 0.0),
                        entry("node_nf_conntrack_entries_limit", 262144.0))
                .doesNotContainKeys(
                        "node_network_speed_bytes{device=\"eth0\"}", "node_pressure_cpu_stalled_seconds_total")
                .containsKeys("node_memory_Active_anon_bytes", "node_sockstat_TCP6_inuse", "node_time_seconds");
    }

    @Test
    void every_part_of_a_recent_host_can_be_read() {
        assertThat(successes(Samples.page(Samples.host("recent")))).doesNotContainValue(0.0);
    }

    @Test
    void what_an_old_kernel_does_not_have_is_left_out_and_the_rest_is_there() {
        Map<String, Double> page = Samples.page(Samples.host("old"));
        assertThat(successes(page)).doesNotContainValue(0.0);
        assertThat(page.keySet())
                .noneMatch(key -> key.startsWith("node_pressure_")
                        || key.startsWith("node_nf_conntrack_")
                        || key.startsWith("node_disk_discard")
                        || key.startsWith("node_sockstat_TCP6")
                        || key.startsWith("node_vmstat_nr_"));
        assertThat(page)
                .contains(
                        entry("node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"}", 0.0),
                        entry("node_memory_MemFree_bytes", 204800.0 * 1024),
                        entry("node_memory_HugePages_Total", 4.0),
                        entry("node_disk_io_now{device=\"sda\"}", 2.0),
                        entry("node_disk_writes_completed_total{device=\"nvme0n1\"}", 200.0),
                        entry("node_network_transmit_colls_total{device=\"eth0:1\"}", 10.0),
                        entry("node_network_receive_bytes_total{device=\"bond0\"}", 2e9),
                        entry("node_network_up{device=\"eth0\"}", 0.0),
                        entry("node_network_speed_bytes{device=\"eth0\"}", 125e6),
                        entry("node_sockstat_TCP_mem_bytes", 8192.0))
                .doesNotContainKeys(
                        "node_disk_io_now{device=\"sda1\"}",
                        "node_disk_io_now{device=\"nvme0n1p1\"}",
                        "node_disk_io_now{device=\"loop0\"}",
                        "node_network_up{device=\"bonding_masters\"}",
                        "node_network_carrier{device=\"eth0\"}");
    }

    @Test
    void a_file_that_is_not_as_expected_costs_its_own_metrics_only(@TempDir Path root) throws IOException {
        Files.createDirectories(root.resolve("proc/net"));
        Files.writeString(root.resolve("proc/loadavg"), "0.20 many 0.12 1/80 11206\n");
        Files.writeString(root.resolve("proc/meminfo"), "MemFree: 1 kB\n");
        Files.writeString(root.resolve("proc/net/dev"), "eth0: 1 2 3\n");
        Map<String, Double> page =
                Samples.page(new HostMetrics(new KernelFiles(root), new FileSystems(_ -> Samples.ROOM)));
        assertThat(page).containsEntry("node_memory_MemFree_bytes", 1024.0).doesNotContainKey("node_load1");
        assertThat(page.keySet()).noneMatch(key -> key.startsWith("node_network_receive"));
        assertThat(successes(page))
                .contains(entry("loadavg", 0.0), entry("netdev", 0.0), entry("stat", 0.0), entry("meminfo", 1.0));
    }

    @Test
    void this_hosts_numbers_are_those_that_it_tells_otherwise() throws IOException {
        Map<String, Double> page = Samples.page(HostMetrics.ofThisHost());
        assertThat(successes(page)).doesNotContainValue(0.0);
        assertThat(value(page, "node_time_seconds"))
                .isCloseTo((double) Instant.now().getEpochSecond(), within(60.0));
        assertThat(value(page, "node_time_seconds") - value(page, "node_boot_time_seconds"))
                .isCloseTo(
                        Double.parseDouble(
                                Files.readString(Path.of("/proc/uptime")).split(" ", -1)[0]),
                        within(60.0));
        HostCalls.Room room = HostCalls.room("/");
        FileStore root = Files.getFileStore(Path.of("/"));
        assertThat(room.sizeBytes()).isEqualTo(root.getTotalSpace());
        assertThat((double) room.availableBytes()).isCloseTo((double) root.getUsableSpace(), within(1e9));
        assertThat(room.filesFree()).isBetween(1L, room.files());
        HostCalls.Uname uname = HostCalls.uname();
        assertThat(Shell.must("uname", "-srnm").strip())
                .isEqualTo(String.join(" ", uname.sysname(), uname.nodename(), uname.release(), uname.machine()));
        assertThat(page.keySet())
                .filteredOn(key -> key.startsWith("node_cpu_seconds_total{") && key.contains("mode=\"idle\""))
                .hasSizeGreaterThanOrEqualTo(Runtime.getRuntime().availableProcessors());
        assertThat(value(page, "node_memory_MemAvailable_bytes"))
                .isBetween(1.0, value(page, "node_memory_MemTotal_bytes"));
        assertThat(value(page, "node_timex_frequency_adjustment_ratio")).isCloseTo(1, within(0.001));
        assertThat(value(page, "node_timex_tick_seconds")).isCloseTo(0.01, within(0.002));
        assertThat(Set.of(0.0, 1.0)).contains(value(page, "node_timex_sync_status"));
    }

    @Test
    void numbers_of_sysctl_files_are_read_whole() {
        Map<String, Double> page = Samples.page(HostMetrics.ofThisHost());
        assertThat(value(page, "node_filefd_maximum"))
                .isEqualTo(Double.parseDouble(
                        Shell.must("sysctl", "-n", "fs.file-max").strip()));
        if (Files.exists(Path.of("/proc/sys/net/netfilter/nf_conntrack_max"))) {
            assertThat(value(page, "node_nf_conntrack_entries_limit"))
                    .isEqualTo(Double.parseDouble(Shell.must("sysctl", "-n", "net.netfilter.nf_conntrack_max")
                            .strip()));
        }
    }

    private static double value(Map<String, Double> page, String sample) {
        return Objects.requireNonNull(page.get(sample), sample);
    }

    private static Map<String, Double> successes(Map<String, Double> page) {
        String prefix = "node_scrape_collector_success{collector=\"";
        return page.entrySet().stream()
                .filter(e -> e.getKey().startsWith(prefix))
                .collect(Collectors.toMap(
                        e -> e.getKey().substring(prefix.length(), e.getKey().length() - 2), Map.Entry::getValue));
    }
}
