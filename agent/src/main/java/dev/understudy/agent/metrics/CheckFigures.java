package dev.understudy.agent.metrics;

import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Reach;
import dev.understudy.wire.metrics.Family;
import java.util.List;

/// What this agent sees, by the keys of its observations: `database/shopdb`, `path/edge/192.0.2.10`, `peer/lb2`. What
/// it cannot tell is NaN, not 0.
public final class CheckFigures {

    private CheckFigures() {}

    public static List<Family> of(List<Observation> observations) {
        Family.Building up = Family.gauge(
                "understudy_agent_check_up",
                "1 while what this agent looks at is up or answers, 0 while it is down, NaN while it cannot tell.",
                "check");
        Family.Building present = Family.gauge(
                "understudy_agent_address_present", "1 while the address is on an interface of this host.", "resource");
        Family.Building enforced = Family.gauge(
                "understudy_agent_lease_enforced",
                "1 while the kernel would end a lease of the resource on time without this agent.",
                "resource");
        for (Observation observation : observations) {
            switch (observation) {
                case Observation.Balancer b -> up.sample(value(b.health()), b.key());
                case Observation.Web w -> up.sample(value(w.health()), w.key());
                case Observation.Database d -> up.sample(value(d.health()), d.key());
                case Observation.Peer p -> up.sample(value(p.reach()), p.key());
                case Observation.Path p -> up.sample(value(p.reach()), p.key());
                case Observation.Gateway g -> up.sample(value(g.reach()), g.key());
                case Observation.Address a -> {
                    present.sample(a.present() ? 1 : 0, a.resource().toString());
                    enforced.sample(a.enforced() ? 1 : 0, a.resource().toString());
                }
                case Observation.HostBasics _,
                        Observation.Attachment _,
                        Observation.Settings _,
                        Observation.Backup _,
                        Observation.Data _ -> {}
            }
        }
        return List.of(up.build(), present.build(), enforced.build());
    }

    private static double value(Health health) {
        return switch (health) {
            case UP -> 1;
            case DOWN -> 0;
            case UNKNOWN -> Double.NaN;
        };
    }

    private static double value(Reach reach) {
        return reach == Reach.ANSWERS ? 1 : 0;
    }
}
