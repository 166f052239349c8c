package dev.understudy.controller.config;

import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ClusterSpec.WhenIsolated;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Reads one group of `cluster.yml`.
final class GroupReader {

    private static final List<String> KINDS = List.of("balancer", "web", "database");
    private static final List<String> COMMON = List.of("kind", "mode", "members");
    private static final Duration LONGEST_COOLDOWN = Duration.ofHours(1);
    private static final Duration CLEAN_STOP_WAIT = Duration.ofSeconds(30);

    private static final String WHEN_ISOLATED = "when_isolated";

    private final Problems problems;
    private final Collection<String> hosts;
    private final AddressReader addresses;
    private final Map<String, String> databasePorts = new HashMap<>();

    GroupReader(Problems problems, Collection<String> hosts, AddressReader addresses) {
        this.problems = problems;
        this.hosts = hosts;
        this.addresses = addresses;
    }

    /// Empty when its kind is not known: nothing else can be said of it then, except who its members are.
    Optional<Group> read(String name, Section group, Collection<String> usedHosts) {
        String kind = group.word("kind", null, KINDS);
        String modeText = group.word("mode", "observe", List.of("observe", "manual", "automatic"));
        Mode mode = Stream.of(Mode.values())
                .filter(m -> m.name().equals(modeText.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElse(Mode.OBSERVE);
        List<String> members = members(group);
        usedHosts.addAll(members);
        return switch (kind) {
            case "balancer" -> Optional.of(balancer(name, mode, members, group));
            case "web" -> Optional.of(web(name, mode, members, group));
            case "database" -> Optional.of(database(name, mode, members, group));
            default -> Optional.empty();
        };
    }

    private List<String> members(Section group) {
        List<String> members = new ArrayList<>();
        for (Section.Item item : group.texts("members", "a list of hosts")) {
            String path = group.path("members");
            if (!hosts.contains(item.text())) {
                String suggestion = Suggestion.of(item.text(), hosts);
                String known = " (hosts: " + String.join(", ", hosts) + ")";
                problems.at(
                        item.line(), path, "'" + item.text() + "' is not declared under hosts" + suggestion + known);
            } else if (members.contains(item.text())) {
                problems.at(item.line(), path, "'" + item.text() + "' stands twice");
            } else {
                members.add(item.text());
            }
        }
        return members;
    }

    private BalancerGroup balancer(String name, Mode mode, List<String> members, Section group) {
        group.allow(keys(
                List.of("addresses", "haproxy", "check", "restart", "cooldown", "drain", WHEN_ISOLATED),
                LaterKeys.BALANCER));
        List<VirtualAddress> virtual = new ArrayList<>();
        for (Section address :
                group.sections("addresses", "a list of addresses such as {ip: 192.0.2.10/24, interface: eth0}")) {
            virtual.add(addresses.virtual(address.allow(List.of("ip", "interface", "gateway"))));
        }
        Haproxy haproxy = group.sectionIfPresent("haproxy")
                .map(h -> h.allow(List.of("config", "socket", "service")))
                .map(h -> new Haproxy(
                        path(h, "config", "/etc/haproxy/haproxy.cfg"),
                        path(h, "socket", "/run/haproxy/admin.sock"),
                        h.optional("service", "haproxy.service", "the service's name")))
                .orElse(new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy/admin.sock", "haproxy.service"));
        LaterKeys.check(group, addresses);
        String checkUrl = group.has("check") ? checkUrl(group, "http://{address}/") : null;
        boolean keep =
                group.word(WHEN_ISOLATED, "fence", List.of("fence", "keep")).equals("keep");
        return new BalancerGroup(
                name,
                mode,
                members,
                virtual,
                haproxy,
                checkUrl,
                recovery(group),
                keep ? WhenIsolated.KEEP : WhenIsolated.FENCE,
                drain(group));
    }

    private WebGroup web(String name, Mode mode, List<String> members, Section group) {
        group.allow(keys(List.of("check", "backend"), LaterKeys.WEB));
        String url = checkUrl(group, "http://{address}:8080/health");
        LaterKeys.check(group, addresses);
        return new WebGroup(name, mode, members, url, group.orNull("backend", "the name of a HAProxy backend"));
    }

    /// `check: {url: …}`, empty where it is missing and the problem is told.
    private static String checkUrl(Section group, String example) {
        Section check = group.section("check", "{url: \"" + example + "\"}").allow(List.of("url"));
        String url = group.has("check") ? check.required("url", "a URL such as " + example) : "";
        if (!url.isEmpty() && !isUrl(url)) {
            check.problem("url", "'" + url + "' is not a URL such as " + example);
        }
        return url;
    }

    private DatabaseGroup database(String name, Mode mode, List<String> members, Section group) {
        group.allow(keys(
                List.of(
                        "engine",
                        "port",
                        "writer",
                        "route",
                        "service",
                        "on_clean_stop",
                        "restart",
                        "cooldown",
                        WHEN_ISOLATED),
                LaterKeys.DATABASE));
        if (group.has(WHEN_ISOLATED)) {
            group.problem(
                    WHEN_ISOLATED,
                    "is for balancer groups: a primary that is isolated is always fenced, two of them would part the data");
        }
        String engine = group.word("engine", "mariadb", List.of("mariadb", "mysql"));
        int port = group.number("port", 3306, 1, 65535);
        for (String member : members) {
            String earlier = databasePorts.putIfAbsent(member + ":" + port, name);
            if (earlier != null) {
                problems.at(
                        group.line("members"),
                        group.path("members"),
                        "port " + port + " of '" + member + "' is already the server of group '" + earlier + "'");
            }
        }
        VirtualAddress writer = group.sectionIfPresent("writer")
                .map(w -> addresses.virtual(w.allow(List.of("ip", "interface", "gateway"))))
                .orElse(null);
        LaterKeys.check(group, addresses);
        return new DatabaseGroup(
                name,
                mode,
                members,
                engine,
                port,
                writer,
                group.orNull("route", "the name of a HAProxy backend"),
                group.optional("service", engine + ".service", "the service's name"),
                cleanStopWait(group),
                recovery(group));
    }

    /// `restart: 2` and `cooldown: 60s`.
    private static Recovery recovery(Section group) {
        Duration cooldown = group.duration("cooldown", Recovery.DEFAULT.cooldown());
        if (cooldown.compareTo(LONGEST_COOLDOWN) > 0) {
            group.problem("cooldown", "is longer than " + LONGEST_COOLDOWN.toHours() + "h");
        }
        return new Recovery(group.number("restart", Recovery.DEFAULT.restarts(), 0, 10), cooldown);
    }

    /// `drain: 30s`, or `0s`.
    private static Duration drain(Section group) {
        Duration drain = group.duration("drain", BalancerGroup.DEFAULT_DRAIN);
        if (drain.compareTo(BalancerGroup.LONGEST_DRAIN) > 0) {
            group.problem("drain", "is longer than " + BalancerGroup.LONGEST_DRAIN.toMinutes() + "m");
            return BalancerGroup.LONGEST_DRAIN;
        }
        return drain;
    }

    /// `on_clean_stop: {wait: 30s}` or `on_clean_stop: move`.
    private static Duration cleanStopWait(Section group) {
        if (!group.has("on_clean_stop")) {
            return CLEAN_STOP_WAIT;
        }
        if (group.isPlain("on_clean_stop")) {
            group.word("on_clean_stop", "move", List.of("move"));
            return Duration.ZERO;
        }
        Section stop = group.section("on_clean_stop", "").allow(List.of("wait"));
        return stop.duration("wait", CLEAN_STOP_WAIT);
    }

    private static String path(Section section, String key, String otherwise) {
        String path = section.optional(key, otherwise, "the path of a file");
        if (!path.isEmpty() && !path.startsWith("/")) {
            section.problem(key, "'" + path + "' is not a full path (it must start with /)");
        }
        return path;
    }

    private static boolean isUrl(String text) {
        try {
            URI uri = new URI(text.replace("{address}", "192.0.2.1"));
            return uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
        } catch (URISyntaxException _) {
            return false;
        }
    }

    private static List<String> keys(List<String> own, List<String> later) {
        return Stream.of(COMMON, own, later).flatMap(List::stream).toList();
    }
}
