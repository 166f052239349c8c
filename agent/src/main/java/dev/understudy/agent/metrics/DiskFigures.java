package dev.understudy.agent.metrics;

import dev.understudy.wire.metrics.Family;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// `/proc/diskstats` (Documentation/admin-guide/iostats.rst).
final class DiskFigures {

    /// Partitions, and what is no disk: their I/O is that of the disk beneath, or of nothing.
    private static final Pattern IGNORED = Pattern.compile("(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\d+n\\d+p)\\d+");

    /// @param factor from the kernel's unit to the metric's
    private record Column(String name, String help, double factor, boolean counter) {}

    private static final double SECTOR = 512;
    private static final double MILLI = 0.001;

    // spotless:off
    /// In the order of the file, from its fourth column.
    private static final List<Column> COLUMNS = List.of(
            new Column("node_disk_reads_completed_total", "The total number of reads completed successfully.", 1, true),
            new Column("node_disk_reads_merged_total", "The total number of reads merged.", 1, true),
            new Column("node_disk_read_bytes_total", "The total number of bytes read successfully.", SECTOR, true),
            new Column("node_disk_read_time_seconds_total", "The total number of seconds spent by all reads.", MILLI, true),
            new Column("node_disk_writes_completed_total", "The total number of writes completed successfully.", 1, true),
            new Column("node_disk_writes_merged_total", "The number of writes merged.", 1, true),
            new Column("node_disk_written_bytes_total", "The total number of bytes written successfully.", SECTOR, true),
            new Column("node_disk_write_time_seconds_total", "This is the total number of seconds spent by all writes.", MILLI, true),
            new Column("node_disk_io_now", "The number of I/Os currently in progress.", 1, false),
            new Column("node_disk_io_time_seconds_total", "Total seconds spent doing I/Os.", MILLI, true),
            new Column("node_disk_io_time_weighted_seconds_total", "The weighted # of seconds spent doing I/Os.", MILLI, true),
            new Column("node_disk_discards_completed_total", "The total number of discards completed successfully.", 1, true),
            new Column("node_disk_discards_merged_total", "The total number of discards merged.", 1, true),
            new Column("node_disk_discarded_sectors_total", "The total number of sectors discarded successfully.", 1, true),
            new Column("node_disk_discard_time_seconds_total", "This is the total number of seconds spent by all discards.", MILLI, true),
            new Column("node_disk_flush_requests_total", "The total number of flush requests completed successfully", 1, true),
            new Column("node_disk_flush_requests_time_seconds_total", "This is the total number of seconds spent by all flush requests.", MILLI, true));
    // spotless:on

    private DiskFigures() {}

    static List<Family> disks(String text) throws IOException {
        List<Family.Building> families = new ArrayList<>();
        for (Column column : COLUMNS) {
            families.add(
                    column.counter()
                            ? Family.counter(column.name(), column.help(), "device")
                            : Family.gauge(column.name(), column.help(), "device"));
        }
        for (String line : text.split("\n", -1)) {
            Columns columns = Columns.of(line);
            if (columns.size() < 4 || IGNORED.matcher(columns.word(2)).matches()) {
                continue;
            }
            // discards came with Linux 4.18, flushes with 5.5
            for (int i = 0; i < COLUMNS.size() && i + 3 < columns.size(); i++) {
                families.get(i).sample(columns.number(i + 3) * COLUMNS.get(i).factor(), columns.word(2));
            }
        }
        return families.stream()
                .map(Family.Building::build)
                .filter(f -> !f.samples().isEmpty())
                .toList();
    }
}
