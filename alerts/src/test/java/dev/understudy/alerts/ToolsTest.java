package dev.understudy.alerts;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What Prometheus' and Alertmanager's own tools say of the files.
class ToolsTest {

    private static final String ALERTMANAGER = "alertmanager/alertmanager.yml";

    private static List<String> names(List<Path> files) {
        return files.stream().map(Path::toString).toList();
    }

    @Test
    void the_rules_are_well_formed() throws Exception {
        assertThat(Tool.run(List.of("promtool", "check", "rules"), names(Alerts.files("rules", ".yml"))))
                .contains("SUCCESS");
    }

    @Test
    void every_rule_fires_and_is_silent_when_its_tests_say_so() throws Exception {
        assertThat(Tool.run(List.of("promtool", "test", "rules"), names(Alerts.files("tests", ".yml"))))
                .contains("SUCCESS")
                .doesNotContain("FAILED");
    }

    @Test
    void the_scrape_configuration_is_well_formed_and_finds_the_rules() throws Exception {
        assertThat(Tool.run("promtool", "check", "config", "prometheus/prometheus.yml"))
                .contains(Alerts.files("rules", ".yml").size() + " rule files found");
    }

    @Test
    void alertmanagers_configuration_is_well_formed() throws Exception {
        assertThat(Tool.run("amtool", "check-config", ALERTMANAGER)).contains("SUCCESS");
    }

    @ParameterizedTest
    @CsvSource({
        "NoHolder, critical, page",
        "DiskAlmostFull, critical, page",
        "FailoverHappened, warning, mail",
        "NotReadyToFailOver, warning, mail",
        "HostRestarted, info, none",
        "Watchdog, info, dead-man"
    })
    void an_alert_goes_to_its_receiver(String alert, String severity, String receiver) throws Exception {
        // exits with 1 if it goes elsewhere
        assertThat(Tool.run(
                        "amtool",
                        "config",
                        "routes",
                        "test",
                        "--config.file=" + ALERTMANAGER,
                        "--verify.receivers=" + receiver,
                        "alertname=" + alert,
                        "severity=" + severity,
                        "cluster=shop"))
                .contains(receiver);
    }
}
