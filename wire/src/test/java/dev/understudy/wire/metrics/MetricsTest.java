package dev.understudy.wire.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
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
}
