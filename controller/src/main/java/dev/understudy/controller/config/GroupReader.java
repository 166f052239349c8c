package dev.understudy.controller.config;

import dev.understudy.protocol.ClusterSpec.Backup;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.LongTransactions;
import dev.understudy.protocol.ClusterSpec.MinFree;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ClusterSpec.WhenIsolated;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystems;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Reads one group of `cluster.yml`.
final class GroupReader {

    private static final List<String> KINDS = List.of("balancer", "web", "database");
    private static final List<String> COMMON = List.of("kind", "mode", "members");
    private static final Duration LONGEST_COOLDOWN = Duration.ofHours(1);
    private static final Duration CLEAN_STOP_WAIT = Duration.ofSeconds(30);

    private static final Pattern MIN_FREE = Pattern.compile("(\\d{1,6})\\s*(%|MiB|GiB)");

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
        LaterKeys.check(group);
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
        LaterKeys.check(group);
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
                        "reader",
                        "route",
                        "service",
                        "on_clean_stop",
                        "min_free",
                        "prefer",
                        "full_below",
                        "restart",
                        "cooldown",
                        "long_transactions",
                        "rebuild",
                        "backup",
                        WHEN_ISOLATED),
                List.of()));
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
        Reader reader = group.sectionIfPresent("reader").map(this::reader).orElse(null);
        LaterKeys.check(group);
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
                recovery(group),
                reader,
                longTransactions(group),
                minFree(group, "min_free", MinFree.DEFAULT),
                group.sectionIfPresent("rebuild").map(GroupReader::rate).orElse(null),
                group.sectionIfPresent("backup").map(GroupReader::backup).orElse(null),
                prefer(members, group),
                minFree(group, "full_below", MinFree.FULL));
    }

    /// `backup: {glob: /backup/*.xb, max_age: 26h}`.
    private static @Nullable Backup backup(Section section) {
        section.allow(List.of("glob", "max_age"));
        String glob = section.required("glob", "the files to look for, such as /backup/*.xb");
        Duration age = section.duration("max_age", Backup.USUAL_AGE);
        if (age.compareTo(Duration.ofMinutes(1)) < 0) {
            section.problem("max_age", "is shorter than 1m");
            age = Backup.USUAL_AGE;
        }
        try {
            var _ = FileSystems.getDefault().getPathMatcher("glob:" + glob);
        } catch (PatternSyntaxException e) {
            section.problem("glob", "'" + glob + "' is no pattern: " + e.getDescription());
        }
        if (!glob.startsWith("/")) {
            if (!glob.isEmpty()) {
                section.problem("glob", "'" + glob + "' is not a full path (it must start with /)");
            }
            return null;
        }
        return new Backup(glob, age);
    }

    /// `long_transactions: {wait: 10s, then: give-up}`.
    private static LongTransactions longTransactions(Section group) {
        Section section = group.sectionIfPresent("long_transactions").orElse(null);
        if (section == null) {
            return LongTransactions.DEFAULT;
        }
        section.allow(List.of("wait", "then"));
        Duration wait = section.duration("wait", LongTransactions.DEFAULT.patience());
        if (wait.compareTo(LongTransactions.LONGEST_WAIT) > 0) {
            section.problem("wait", "is longer than " + LongTransactions.LONGEST_WAIT.toMinutes() + "m");
        }
        return new LongTransactions(
                wait, section.word("then", "give-up", List.of("give-up", "end")).equals("end"));
    }

    /// `min_free: 5%` or `min_free: 10GiB`, and `full_below` likewise.
    private static MinFree minFree(Section group, String key, MinFree usual) {
        String expected = "a part such as 5% (at most 90%) or a size such as 10GiB or 500MiB";
        if (!group.has(key)) {
            return usual;
        }
        String text = group.optional(key, "", expected);
        Matcher matcher = MIN_FREE.matcher(text);
        if (!matcher.matches() || (matcher.group(2).equals("%") && Integer.parseInt(matcher.group(1)) > 90)) {
            group.problem(key, "'" + text + "' is not " + expected);
            return usual;
        }
        int amount = Integer.parseInt(matcher.group(1));
        return switch (matcher.group(2)) {
            case "%" -> new MinFree(0, amount);
            case "MiB" -> new MinFree((long) amount << 20, 0);
            default -> new MinFree((long) amount << 30, 0);
        };
    }

    /// `prefer: [db2, db3]`: the first most of all.
    private List<String> prefer(List<String> members, Section group) {
        List<String> preferred = new ArrayList<>();
        if (!group.has("prefer")) {
            return preferred;
        }
        for (Section.Item item : group.texts("prefer", "a list of members")) {
            if (!members.contains(item.text())) {
                problems.at(
                        item.line(),
                        group.path("prefer"),
                        "'" + item.text() + "' is no member of the group" + Suggestion.of(item.text(), members)
                                + " (members: " + String.join(", ", members) + ")");
            } else if (preferred.contains(item.text())) {
                problems.at(item.line(), group.path("prefer"), "'" + item.text() + "' stands twice");
            } else {
                preferred.add(item.text());
            }
        }
        return preferred;
    }

    /// `rebuild: {rate: 50M}`.
    private static @Nullable Long rate(Section section) {
        section.allow(List.of("rate"));
        String text = section.required("rate", Rates.EXPECTED);
        Optional<Long> rate = Rates.parse(text);
        if (!text.isEmpty() && rate.isEmpty()) {
            section.problem("rate", "'" + text + "' is not " + Rates.EXPECTED);
        }
        return rate.orElse(null);
    }

    /// `reader: {ip: 10.0.0.201/24, interface: eth0, max_lag: 5s}`.
    private Reader reader(Section section) {
        VirtualAddress address = addresses.virtual(section.allow(List.of("ip", "interface", "gateway", "max_lag")));
        Duration maxLag = section.duration("max_lag", Reader.DEFAULT_LAG);
        if (maxLag.compareTo(Reader.SHORTEST_LAG) < 0) {
            section.problem(
                    "max_lag", "is shorter than " + Reader.SHORTEST_LAG.toSeconds() + "s: less is not measured");
            return new Reader(address, Reader.SHORTEST_LAG);
        }
        return new Reader(address, maxLag);
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
