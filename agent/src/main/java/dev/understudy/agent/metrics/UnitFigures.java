package dev.understudy.agent.metrics;

import dev.understudy.protocol.ServiceState;
import dev.understudy.wire.metrics.Family;
import java.util.List;
import java.util.Map;

/// The states of the services that this agent watches, under node_exporter's name for systemd units. The agent knows
/// them from the ends of their processes and asks nobody: `type` is left empty.
public final class UnitFigures {

    private static final List<String> STATES = List.of("activating", "active", "deactivating", "failed", "inactive");

    private UnitFigures() {}

    /// @param units by name
    public static Family of(Map<String, ServiceState> units) {
        Family.Building family = Family.gauge("node_systemd_unit_state", "Systemd unit", "name", "state", "type");
        units.forEach((name, is) -> {
            String now =
                    switch (is) {
                        case RUNNING -> "active";
                        case ENDED -> "failed";
                        case STOPPED -> "inactive";
                        case UNKNOWN -> "";
                    };
            for (String state : STATES) {
                family.sample(state.equals(now) ? 1 : 0, name, state, "");
            }
        });
        return family.build();
    }
}
