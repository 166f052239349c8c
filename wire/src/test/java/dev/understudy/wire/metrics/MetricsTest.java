package dev.understudy.wire.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {

    private final Metrics metrics = new Metrics();

    @Test
    void what_is_counted_is_on_the_page_with_its_description() {
        metrics.counter("understudy_things_total", "Things seen.", "kind", "a").increment();
        metrics.counter("understudy_things_total", "Things seen.", "kind", "a").add(2);
        metrics.counter("understudy_things_total", "Things seen.", "kind", "b").increment();
        metrics.timer("understudy_round_trip_seconds", "Round trips.").record(Duration.ofMillis(250));
        metrics.level("understudy_depth", "Depth.", "queue", "q").set(7);
        assertThat(metrics.scrape())
                .contains(
                        "# HELP understudy_things_total Things seen.",
                        "understudy_things_total{kind=\"a\",} 3.0",
                        "understudy_things_total{kind=\"b\",} 1.0",
                        "understudy_round_trip_seconds_sum 0.25",
                        "understudy_depth{queue=\"q\",} 7.0");
    }

    @Test
    void a_gauge_on_an_object_nobody_else_holds_does_not_turn_into_nan() {
        metrics.gauge("understudy_orphan", "Held by nobody else.", new Object[] {42}.length == 1 ? () -> 42 : () -> 0);
        metrics.level("understudy_orphan_level", "Held by nobody else.").set(43);
        System.gc();
        assertThat(metrics.scrape()).contains("understudy_orphan 42.0", "understudy_orphan_level 43.0");
    }

    @Test
    void other_tag_keys_under_the_same_name_throw_instead_of_being_dropped() {
        metrics.counter("understudy_things_total", "Things.", "kind", "a");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> metrics.counter("understudy_things_total", "Things.", "host", "a"))
                .withMessageContaining("understudy_things_total");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> metrics.counter("understudy_things_total", "Something else.", "kind", "a"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> metrics.gauge("understudy_things_total", "Things.", () -> 1, "kind", "a"));
    }

    @Test
    void a_second_gauge_with_the_same_tags_throws() {
        metrics.gauge("understudy_depth", "Depth.", () -> 1, "queue", "q");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> metrics.gauge("understudy_depth", "Depth.", () -> 2, "queue", "q"));
    }

    @Test
    void bad_names_and_missing_descriptions_throw() {
        assertThatIllegalArgumentException().isThrownBy(() -> metrics.counter("understudy_things", "Things."));
        assertThatIllegalArgumentException().isThrownBy(() -> metrics.counter("Understudy_total", "Things."));
        assertThatIllegalArgumentException().isThrownBy(() -> metrics.timer("understudy_rtt_millis", "Time."));
        assertThatIllegalArgumentException().isThrownBy(() -> metrics.counter("understudy_things_total", " "));
        assertThatIllegalArgumentException().isThrownBy(() -> metrics.level("understudy_depth", "Depth.", "queue"));
    }

    @Test
    void every_meter_of_the_process_has_a_description() {
        metrics.withProcessMeters();
        assertThat(metrics.scrape().lines().filter(line -> line.startsWith("# HELP")))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line.split(" ", 4)[3]).isNotBlank());
    }

    @Test
    void micrometers_own_meters_are_not_dropped_in_silence_either() {
        metrics.binding().counter("things", "kind", "a");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> metrics.binding().counter("things", "host", "a"))
                .withMessageContaining("things");
    }

    @Test
    void families_are_read_at_each_scrape() {
        double[] read = {7};
        metrics.families(() -> List.of(
                Family.counter("node_things_total", "Things.", "kind")
                        .sample(read[0], "a \"b\"")
                        .sample(2, "c")
                        .build(),
                Family.gauge("node_memory_MemFree_bytes", "Free.").of(1e9),
                Family.untyped("node_vmstat_pgfault", "Faults.").of(3)));
        assertThat(metrics.scrape())
                .contains(
                        "# HELP node_things_total Things.\n# TYPE node_things_total counter\n",
                        "node_things_total{kind=\"a \\\"b\\\"\",} 7.0\n",
                        "node_things_total{kind=\"c\",} 2.0\n",
                        "# TYPE node_memory_MemFree_bytes gauge\nnode_memory_MemFree_bytes 1.0E9\n",
                        "# TYPE node_vmstat_pgfault untyped\nnode_vmstat_pgfault 3.0\n");
        read[0] = 8;
        assertThat(metrics.scrape()).contains("node_things_total{kind=\"a \\\"b\\\"\",} 8.0\n");
    }

    @Test
    void a_family_with_the_name_of_another_metric_or_with_other_labels_throws() {
        metrics.counter("understudy_things_total", "Things.", "kind", "a");
        List<Family> families = new ArrayList<>();
        metrics.families(() -> List.copyOf(families));
        families.add(
                Family.counter("understudy_things_total", "Things.", "kind").build());
        assertThatIllegalArgumentException().isThrownBy(metrics::scrape);
        families.clear();
        families.add(Family.gauge("node_load1", "Load.").of(1));
        assertThat(metrics.scrape()).contains("node_load1 1.0");
        families.set(0, Family.gauge("node_load1", "Load.", "cpu").build());
        assertThatIllegalArgumentException().isThrownBy(metrics::scrape).withMessageContaining("node_load1");
    }

    @Test
    void a_family_without_help_or_with_other_values_than_labels_cannot_be_made() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Family.gauge("node_load1", " ").of(1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Family.counter("node_forks", "Forks.").of(1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Family.gauge("node_load1", "Load.", "cpu").of(1));
    }
}
