package dev.understudy.agent;

import dev.understudy.agent.act.AddressControl.Enforcement;
import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.command.Site;
import dev.understudy.agent.config.AgentConfig;
import dev.understudy.agent.probe.ObservationSink;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ServiceState;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// `understudy-agent --once`: looks at this host once, prints what it sees, and changes nothing. Enforcement is proven
/// in a scratch set, which is removed again.
final class OneLook {

    private static final ObservationSink NOWHERE = new ObservationSink() {
        @Override
        public void publish(Observation observation) {}

        @Override
        public void publishNow(Observation observation) {}
    };

    private static final Duration SETTINGS = Duration.ofSeconds(3);

    private final AgentConfig config;
    private final HostParts parts;
    private final PrintStream out;
    private boolean well = true;

    OneLook(AgentConfig config, HostParts parts, PrintStream out) {
        this.config = config;
        this.parts = parts;
        this.out = out;
    }

    /// @return whether everything that could be looked at is well
    boolean look(Optional<ClusterSpec> spec) {
        Observation.HostBasics basics = parts.hostProbe(NOWHERE).observe();
        line(
                "host",
                config.host(),
                "load " + basics.load1() + ", " + (basics.memoryAvailableBytes() >> 20) + " MiB memory available, "
                        + (basics.diskFreeBytes() >> 20) + " MiB free in " + config.state());
        if (spec.isEmpty()) {
            line("spec", "none", "no controller has sent one yet; give one with --spec to look at services");
            return false;
        }
        for (Group group : spec.get().groupsOf(config.host())) {
            look(spec.get(), group);
        }
        enforced(spec.get());
        drains();
        if (spec.get().groupsOf(config.host()).isEmpty()) {
            line("spec", spec.get().cluster(), config.host() + " is in no group");
            well = false;
        }
        return well;
    }

    /// What goes on after a planned move (S13).
    private void drains() {
        for (String drain : parts.addresses().drains()) {
            line("drain", "", drain);
        }
    }

    /// What the kernel would end by itself when this host's agent is gone, and what not, and why (S12).
    private void enforced(ClusterSpec spec) {
        new Site(config.host(), spec, Map.of(), Map.of()).guarded().forEach((resource, guard) -> {
            Enforcement enforcement = parts.addresses().enforcement(guard, spec.timing());
            well &= enforcement.enforced();
            line(
                    "lease",
                    resource.toString(),
                    (enforcement.enforced()
                                    ? "enforced"
                                    : "NOT enforced at profile " + spec.profile() + ", none is taken")
                            + detail(enforcement.detail()));
            if (guard.port() != null) {
                line("  not gated", "port " + guard.port().number(), "clients on this host and on the group's members");
            }
        });
    }

    private void look(ClusterSpec spec, Group group) {
        if (group.mode() == Mode.OBSERVE) {
            line("group", group.name(), "mode observe: no gate, no lease, nothing is changed here");
        }
        switch (group) {
            case BalancerGroup balancer -> {
                if (balancer.keepsWhenIsolated()) {
                    line("group", group.name(), "when_isolated: keep: two hosts may answer for its addresses at once");
                }
                try (ServiceControl service = parts.service(balancer.haproxy().service())) {
                    Observation.Balancer seen =
                            parts.haproxyProbe(balancer, service, NOWHERE).observe();
                    line("balancer", group.name(), service(seen.service(), seen.health()) + detail(seen.detail()));
                    for (Observation.ServerState server : seen.servers()) {
                        line("  server", server.backend() + "/" + server.server(), server.status());
                    }
                }
            }
            case WebGroup web ->
                spec.host(config.host()).ifPresent(self -> {
                    Observation.Web seen = parts.webProbe(web, self, NOWHERE).observe();
                    health(seen.health());
                    line("web", group.name(), seen.health() + ", HTTP " + seen.httpStatus() + detail(seen.detail()));
                });
            case DatabaseGroup database -> look(database);
        }
    }

    private void look(DatabaseGroup group) {
        try (ServiceControl service = parts.service(group.service())) {
            Optional<DatabaseControl> control = parts.database(group, service);
            if (control.isEmpty()) {
                line("database", group.name(), "agent.yml has no access to it");
                well = false;
                return;
            }
            try (DatabaseControl database = control.get()) {
                Observation.Database seen = database.observe();
                line(
                        "database",
                        group.name(),
                        service(seen.service(), seen.health()) + ", " + seen.version() + ", "
                                + (seen.readOnly() == null
                                        ? "read_only unknown"
                                        : seen.readOnly() ? "read-only" : "writable")
                                + detail(seen.detail()));
                line("  gtid", "binlog " + seen.binlogPosition(), "applied " + seen.appliedPosition());
                line(
                        "  semi-sync",
                        "primary " + onOff(seen.semiSyncPrimary()) + ", replica " + onOff(seen.semiSyncReplica()),
                        seen.semiSyncClients() + " connected");
                Observation.Replica replica = seen.replica();
                if (replica != null) {
                    line(
                            "  follows",
                            replica.source(),
                            "receiver " + replica.receiver() + ", applier " + replica.applier()
                                    + detail(replica.error()));
                }
                database.settings(SETTINGS).ifPresent(this::settings);
            }
        }
    }

    /// What keeps it from being promoted makes it not well; what is only told does not.
    private void settings(Observation.Settings settings) {
        for (Observation.Finding finding : settings.findings()) {
            boolean blocks = finding.severity() == Observation.Severity.BLOCKS;
            well &= !blocks;
            line(blocks ? "  UNFIT" : "  warning", finding.code(), finding.text());
        }
        if (settings.delaySeconds() > 0) {
            line("  delayed", settings.delaySeconds() + " s", "no target of a planned move");
        }
    }

    private String service(ServiceState state, Health health) {
        health(health);
        return state.name().toLowerCase(Locale.ROOT) + ", " + health;
    }

    private void health(Health health) {
        well &= health == Health.UP;
    }

    private static String detail(String detail) {
        return detail.isEmpty() ? "" : " (" + detail + ")";
    }

    private static String onOff(boolean on) {
        return on ? "on" : "off";
    }

    private void line(String what, String name, String text) {
        out.println("%-10s %-24s %s".formatted(what, name, text).stripTrailing());
    }
}
