package dev.understudy.controller.api;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// What Prometheus is to scrape of a cluster, in the form of its HTTP service discovery (prometheus.io, "http_sd").
public final class PrometheusTargets {

    /// Where agents serve their metrics unless their files say otherwise.
    public static final int AGENT_PORT = 7443;

    private PrometheusTargets() {}

    public record TargetGroup(List<String> targets, Map<String, String> labels) {
        public TargetGroup {
            targets = List.copyOf(targets);
            labels = Map.copyOf(labels);
        }
    }

    /// Every host of a group is an `understudy-agent`, with the labels `host` and `group` (all of its groups, joined
    /// by commas); every balancer is a `haproxy` too, if it has an exporter. This controller is an
    /// `understudy-controller`, without `host` and `group`, because its own series say which host or group they are
    /// about. All have `cluster`.
    ///
    /// @param controller this controller's name
    /// @param address where this controller can be scraped, `host:port`; empty if that is not known
    /// @param haproxyPort where every balancer serves HAProxy's own exporter, 0 if none does
    public static List<TargetGroup> of(
            ClusterSpec spec, String controller, String address, int agentPort, int haproxyPort) {
        List<TargetGroup> all = new ArrayList<>();
        for (Host host : spec.hosts()) {
            List<Group> groups = spec.groupsOf(host.name());
            if (!groups.isEmpty()) {
                all.add(target(spec, "understudy-agent", host, agentPort, names(groups)));
            }
            List<Group> balancers =
                    groups.stream().filter(g -> g instanceof BalancerGroup).toList();
            if (haproxyPort > 0 && !balancers.isEmpty()) {
                all.add(target(spec, "haproxy", host, haproxyPort, names(balancers)));
            }
        }
        if (!address.isEmpty()) {
            all.add(new TargetGroup(
                    List.of(address), labels(spec, "understudy-controller", Map.of("controller", controller))));
        }
        return all;
    }

    private static String names(List<Group> groups) {
        return groups.stream().map(Group::name).collect(Collectors.joining(","));
    }

    private static TargetGroup target(ClusterSpec spec, String job, Host host, int port, String groups) {
        String address = host.address().contains(":") ? "[" + host.address() + "]" : host.address();
        return new TargetGroup(
                List.of(address + ":" + port), labels(spec, job, Map.of("host", host.name(), "group", groups)));
    }

    private static Map<String, String> labels(ClusterSpec spec, String job, Map<String, String> more) {
        Map<String, String> labels = new TreeMap<>(more);
        labels.put("job", job);
        labels.put("cluster", spec.cluster());
        return labels;
    }
}
