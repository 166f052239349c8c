package dev.understudy.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.agent.metrics.CheckFigures;
import dev.understudy.agent.metrics.HostMetrics;
import dev.understudy.agent.metrics.Promtool;
import dev.understudy.agent.metrics.UnitFigures;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import dev.understudy.wire.metrics.Metrics;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The agent's own page as Prometheus judges it.
class AgentPageTest {

    /// node_exporter's own names, which are kept as they are.
    private static final String CAMEL_CASE =
            "node_memory_\\w+ metric names should be written in 'snake_case' not 'camelCase'";

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");

    private final Metrics metrics = new Metrics().withProcessMeters();

    @Test
    void promtool_has_nothing_to_say_but_for_node_exporters_own_names() throws Exception {
        new AgentMetrics(metrics, "1").heartbeatSent();
        metrics.families(HostMetrics.ofThisHost()::read);
        metrics.families(() -> CheckFigures.of(List.of(
                new Observation.Balancer("edge", ServiceState.RUNNING, Health.UP, 1, "", List.of(), ""),
                new Observation.Address(ADDRESS, true, true, true, ""))));
        metrics.families(() -> List.of(UnitFigures.of(Map.of("haproxy.service", ServiceState.RUNNING))));
        String page = metrics.scrape();
        assertThat(page).contains("node_memory_MemFree_bytes", "understudy_agent_check_up");
        assertThat(Promtool.complaints(page)).allMatch(line -> line.matches(CAMEL_CASE));
    }

    @Test
    void promtool_is_heard() throws Exception {
        assertThat(Promtool.complaints("# TYPE some_things counter\nsome_things 1\n"))
                .anyMatch(line -> line.contains("_total"))
                .anyMatch(line -> line.contains("help"));
    }

    @Test
    void what_cannot_be_told_is_not_a_number_and_silence_is_not_up() {
        metrics.families(() -> CheckFigures.of(List.of(
                new Observation.Balancer("edge", ServiceState.UNKNOWN, Health.UNKNOWN, 0, "", List.of(), ""),
                new Observation.Web("app", Health.DOWN, 503, ""),
                new Observation.Peer("lb2", Observation.Reach.SILENT, ""),
                new Observation.Path(ADDRESS, Observation.Reach.ANSWERS, ""),
                new Observation.Address(ADDRESS, false, true, false, "no nftables"))));
        assertThat(metrics.scrape())
                .contains(
                        "understudy_agent_check_up{check=\"balancer/edge\",} NaN",
                        "understudy_agent_check_up{check=\"web/app\",} 0.0",
                        "understudy_agent_check_up{check=\"peer/lb2\",} 0.0",
                        "understudy_agent_check_up{check=\"path/edge/192.0.2.10\",} 1.0",
                        "understudy_agent_address_present{resource=\"edge/192.0.2.10\",} 0.0",
                        "understudy_agent_lease_enforced{resource=\"edge/192.0.2.10\",} 0.0");
    }

    @Test
    void a_unit_is_in_one_state_and_in_none_that_nobody_knows() {
        metrics.families(() -> List.of(UnitFigures.of(Map.of(
                "a.service",
                ServiceState.ENDED,
                "b.service",
                ServiceState.STOPPED,
                "c.service",
                ServiceState.UNKNOWN))));
        assertThat(metrics.scrape().lines().filter(line -> line.startsWith("node_systemd") && line.endsWith("} 1.0")))
                .containsExactlyInAnyOrder(
                        "node_systemd_unit_state{name=\"a.service\",state=\"failed\",type=\"\",} 1.0",
                        "node_systemd_unit_state{name=\"b.service\",state=\"inactive\",type=\"\",} 1.0");
    }
}
