package dev.understudy.controller.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.config.ClusterFile.Result;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClusterFileTest {

    private static final Path SHOP = Path.of("src/test/resources/shop.yml");

    @Test
    void readsTheShapeOfTheDesign() {
        ClusterSpec spec = ((Result.Good) ClusterFile.read(SHOP)).spec();

        assertThat(spec.cluster()).isEqualTo("shop");
        assertThat(spec.hosts()).hasSize(7).contains(new ClusterSpec.Host("lb1", "10.0.0.11"));
        assertThat(spec.group("edge").orElseThrow())
                .isEqualTo(new BalancerGroup(
                        "edge",
                        Mode.AUTOMATIC,
                        List.of("lb1", "lb2"),
                        List.of(new VirtualAddress("192.0.2.10", 24, "eth0", "192.0.2.1")),
                        new ClusterSpec.Haproxy(
                                "/etc/haproxy/haproxy.cfg", "/run/haproxy/admin.sock", "haproxy.service"),
                        null,
                        ClusterSpec.Recovery.DEFAULT,
                        Duration.ofSeconds(30)));
        assertThat(spec.group("app").orElseThrow())
                .isEqualTo(new WebGroup(
                        "app", Mode.OBSERVE, List.of("web1", "web2"), "http://{address}:8080/health", "app"));
        assertThat(spec.group("shopdb").orElseThrow())
                .isEqualTo(new DatabaseGroup(
                        "shopdb",
                        Mode.MANUAL,
                        List.of("db1", "db2", "db3"),
                        "mariadb",
                        3306,
                        new VirtualAddress("10.0.0.200", 24, "eth0", null),
                        "writer",
                        "mariadb.service",
                        Duration.ofSeconds(45),
                        ClusterSpec.Recovery.DEFAULT,
                        new ClusterSpec.Reader(
                                new VirtualAddress("10.0.0.201", 24, "eth0", null), Duration.ofSeconds(5)),
                        new ClusterSpec.LongTransactions(Duration.ofSeconds(20), true),
                        ClusterSpec.MinFree.DEFAULT,
                        null,
                        new ClusterSpec.Backup("/backup/*.xb", Duration.ofHours(26))));
    }

    @Test
    void membersMayBePreferred() {
        ClusterSpec spec = good("""
                cluster: c
                hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}
                groups:
                  db: {kind: database, members: [a, b, c], prefer: [c, a]}
                """);
        assertThat(spec.group("db").orElseThrow()).isInstanceOfSatisfying(DatabaseGroup.class, group -> {
            assertThat(group.prefer()).containsExactly("c", "a");
            assertThat(group.preference("c")).isZero();
            assertThat(group.preference("a")).isEqualTo(1);
            assertThat(group.preference("b")).isEqualTo(2);
        });
    }

    @ParameterizedTest
    @CsvSource({"5%, 0, 5", "10GiB, 10737418240, 0", "500 MiB, 524288000, 0", "90%, 0, 90"})
    void minFreeIsAPartOrASize(String text, long bytes, int percent) {
        ClusterSpec spec = good("cluster: c\nhosts: {a: {address: 10.0.0.1}}\ngroups:\n"
                + "  db: {kind: database, members: [a], min_free: " + text + "}\n");
        assertThat(spec.group("db").orElseThrow())
                .isInstanceOfSatisfying(
                        DatabaseGroup.class,
                        group -> assertThat(group.needed()).isEqualTo(new ClusterSpec.MinFree(bytes, percent)));
    }

    @Test
    void whatCountsAsFullIsAPartOrASizeToo() {
        String file = "cluster: c\nhosts: {a: {address: 10.0.0.1}}\ngroups:\n  db: {kind: database, members: [a]%s}\n";
        assertThat(good(file.formatted("")).group("db").orElseThrow())
                .isInstanceOfSatisfying(
                        DatabaseGroup.class,
                        group -> assertThat(group.full()).isEqualTo(new ClusterSpec.MinFree(8L << 20, 0)));
        assertThat(good(file.formatted(", full_below: 1GiB")).group("db").orElseThrow())
                .isInstanceOfSatisfying(
                        DatabaseGroup.class,
                        group -> assertThat(group.full()).isEqualTo(new ClusterSpec.MinFree(1L << 30, 0)));
    }

    @Test
    void defaultsAreThese() {
        ClusterSpec spec = good("""
                cluster: c
                hosts: {a: {address: 10.0.0.1}}
                groups:
                  lb: {kind: balancer, members: [a], addresses: [{ip: 10.0.0.9/32, interface: eth0}]}
                  db: {kind: database, members: [a]}
                """);

        assertThat(spec.profile()).isEqualTo("standard");
        assertThat(((BalancerGroup) spec.group("lb").orElseThrow()).haproxy())
                .isEqualTo(new ClusterSpec.Haproxy(
                        "/etc/haproxy/haproxy.cfg", "/run/haproxy/admin.sock", "haproxy.service"));
        assertThat(((BalancerGroup) spec.group("lb").orElseThrow()).checkUrl()).isNull();
        DatabaseGroup database = (DatabaseGroup) spec.group("db").orElseThrow();
        assertThat(database.mode()).isEqualTo(Mode.OBSERVE);
        assertThat(database.engine()).isEqualTo("mariadb");
        assertThat(database.port()).isEqualTo(3306);
        assertThat(database.writer()).isNull();
        assertThat(database.routeBackend()).isNull();
        assertThat(database.cleanStopWait()).isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void anIsolatedBalancerIsFencedUnlessTheFileSaysKeep() {
        String file = """
                cluster: c
                hosts: {a: {address: 10.0.0.1}}
                groups:
                  lb: {kind: balancer, members: [a], addresses: [{ip: 10.0.0.9/32, interface: eth0}]%s}
                """;
        assertThat(good(file.formatted("")).keptWhenIsolated()).isEmpty();
        assertThat(good(file.formatted(", when_isolated: fence")).keptWhenIsolated())
                .isEmpty();
        assertThat(good(file.formatted(", when_isolated: keep")).keptWhenIsolated())
                .containsExactly(new ResourceId("lb", "10.0.0.9"));
    }

    @Test
    void howAGroupRecoversIsReadAndHasDefaults() {
        ClusterSpec spec = good("""
                cluster: c
                hosts: {a: {address: 10.0.0.1}}
                groups:
                  lb: {kind: balancer, members: [a], addresses: [{ip: 10.0.0.9/32, interface: eth0}], restart: 2}
                  db: {kind: database, members: [a], cooldown: 90s}
                """);
        assertThat(spec.recoveryOf("lb")).isEqualTo(new ClusterSpec.Recovery(2, Duration.ofSeconds(60)));
        assertThat(spec.recoveryOf("db")).isEqualTo(new ClusterSpec.Recovery(0, Duration.ofSeconds(90)));
    }

    @Test
    void howLongConnectionsMayGoOnAfterAPlannedMoveIsRead() {
        assertThat(drain("drain: 0s")).isEqualTo(Duration.ZERO);
        assertThat(drain("drain: 2m")).isEqualTo(Duration.ofMinutes(2));
        assertThat(drain("restart: 0")).as("the default").isEqualTo(Duration.ofSeconds(30));
    }

    private static Duration drain(String key) {
        ClusterSpec spec = good("""
                cluster: c
                hosts: {a: {address: 10.0.0.1}}
                groups:
                  lb: {kind: balancer, members: [a], addresses: [{ip: 10.0.0.9/32, interface: eth0}], %s}
                """.formatted(key));
        return ((BalancerGroup) spec.group("lb").orElseThrow()).drainTime();
    }

    /// Each bad file is the good one with one line changed; the expected text is the whole line that the user sees.
    /// spotless:off
    static List<Arguments> badLines() {
        return List.of(
                bad("cluster: shop", "clustre: shop",
                        "c.yml:1: unknown key 'clustre', did you mean 'cluster'?"),
                bad("cluster: shop", "cluster: 'a shop'",
                        "c.yml:1: cluster: 'a shop' is not a name: letters, digits, '-', '_' and '.', at most 63"),
                bad("cluster: shop", "cluster:",
                        "c.yml:1: cluster: expected the cluster's name, but it is empty"),
                bad("profile: standard", "profile: standrad",
                        "c.yml:2: profile: 'standrad' is not one of fast, standard, relaxed, did you mean 'standard'?"),
                bad("profile: standard", "profile: [fast]",
                        "c.yml:2: profile: expected one of fast, standard, relaxed, but it is not a plain value"),
                bad("profile: standard", "cluster: other",
                        "c.yml:2: key 'cluster' stands twice, first in line 1"),
                bad("lb2: {address: 10.0.0.12}", "lb2: {address: 10.0.0.11}",
                        "c.yml:5: hosts.lb2.address: '10.0.0.11' is already the address of host lb1"),
                bad("lb2: {address: 10.0.0.12}", "lb2: {address: 10.0.0.256}",
                        "c.yml:5: hosts.lb2.address: '10.0.0.256' is not an IPv4 or IPv6 address"),
                bad("lb2: {address: 10.0.0.12}", "lb2: {address: 10.0.0.12/24}",
                        "c.yml:5: hosts.lb2.address: '10.0.0.12/24' is not an IPv4 or IPv6 address"
                                + " (a host's address has no prefix length)"),
                bad("lb2: {address: 10.0.0.12}", "lb2: {address: 'fd00::g'}",
                        "c.yml:5: hosts.lb2.address: 'fd00::g' is not an IPv4 or IPv6 address"),
                bad("lb2: {address: 10.0.0.12}", "lb2: {address: 0.0.0.0}",
                        "c.yml:5: hosts.lb2.address: '0.0.0.0' is the unspecified address"),
                bad("lb2: {address: 10.0.0.12}", "lb2: {adress: 10.0.0.12}",
                        "c.yml:5: hosts.lb2: unknown key 'adress', did you mean 'address'?"),
                bad("lb2: {address: 10.0.0.12}", "lb2:",
                        "c.yml:5: hosts.lb2: expected keys with values, but it is empty"),
                bad("db3: {address: 10.0.0.23}", "db3: {address: 10.0.0.23}\n  db4: {address: 10.0.0.24}",
                        "c.yml:11: hosts.db4: is in no group: add it to a group's members"),
                bad("db3: {address: 10.0.0.23}", "db3: {address: 10.0.0.23}\n  db3: {address: 10.0.0.24}",
                        "c.yml:11: hosts: key 'db3' stands twice, first in line 10"),
                bad("kind: balancer", "kind: balancer\n    drain: 11m",
                        "c.yml:14: groups.edge.drain: is longer than 10m"),
                bad("kind: balancer", "kind: balancr",
                        "c.yml:13: groups.edge.kind: 'balancr' is not one of balancer, web, database,"
                                + " did you mean 'balancer'?"),
                bad("mode: automatic", "mode: auto",
                        "c.yml:14: groups.edge.mode: 'auto' is not one of observe, manual, automatic"),
                bad("mode: automatic", "mode: automatic\n    when_isolated: kept",
                        "c.yml:15: groups.edge.when_isolated: 'kept' is not one of fence, keep"),
                bad("mode: manual", "mode: manual\n    when_isolated: keep",
                        "c.yml:27: groups.shopdb.when_isolated: is for balancer groups: a primary that is isolated is"
                                + " always fenced, two of them would part the data"),
                bad("members: [lb1, lb2]", "members: [lb1, lb2, lb3]",
                        "c.yml:15: groups.edge.members: 'lb3' is not declared under hosts, did you mean 'lb1'?"
                                + " (hosts: lb1, lb2, web1, web2, db1, db2, db3)"),
                bad("members: [lb1, lb2]", "members: [lb1, lb2, lb1]",
                        "c.yml:15: groups.edge.members: 'lb1' stands twice"),
                bad("members: [web1, web2]", "members: web1",
                        "c.yml:20: groups.app.members: expected a list of hosts, written as [a, b]"),
                bad("members: [lb1, lb2]", "member: [lb1, lb2]",
                        "c.yml:15: groups.edge: unknown key 'member', did you mean 'members'?"),
                bad("ip: 192.0.2.10/24", "ip: 192.0.2.10",
                        "c.yml:16: groups.edge.addresses[0].ip: '192.0.2.10' has no prefix length: expected an address"
                                + " with its prefix length such as 192.0.2.10/24"),
                bad("ip: 192.0.2.10/24", "ip: 192.0.2.10/33",
                        "c.yml:16: groups.edge.addresses[0].ip: the prefix length in '192.0.2.10/33' is not a number"
                                + " from 1 to 32"),
                bad("ip: 192.0.2.10/24", "ip: 010.0.2.10/24",
                        "c.yml:16: groups.edge.addresses[0].ip: '010.0.2.10/24' is not an address with its prefix"
                                + " length such as 192.0.2.10/24"),
                bad("ip: 192.0.2.10/24", "ip: '2001:db8::10/129'",
                        "c.yml:16: groups.edge.addresses[0].ip: the prefix length in '2001:db8::10/129' is not a number"
                                + " from 1 to 128"),
                bad("ip: 10.0.0.200/24", "ip: 192.0.2.10/24",
                        "c.yml:28: groups.shopdb.writer.ip: '192.0.2.10' is already a virtual address in line 16"),
                bad("ip: 10.0.0.200/24", "ip: 10.0.0.21/24",
                        "c.yml:28: groups.shopdb.writer.ip: '10.0.0.21' is already the address of host db1"),
                bad("ip: 10.0.0.201/24", "ip: 10.0.0.200/24",
                        "c.yml:29: groups.shopdb.reader.ip: '10.0.0.200' is already a virtual address in line 28"),
                bad("gateway: 192.0.2.1}", "gateway: 192.0.3.1}",
                        "c.yml:16: groups.edge.addresses[0].gateway: '192.0.3.1' is not in the network of"
                                + " 192.0.2.10/24"),
                bad("interface: eth0, gateway", "interface: a-very-long-interface, gateway",
                        "c.yml:16: groups.edge.addresses[0].interface: 'a-very-long-interface' is not the name of a"
                                + " network interface"),
                bad("addresses: [{ip: 192.0.2.10/24, interface: eth0, gateway: 192.0.2.1}]", "addresses: []",
                        "c.yml:16: groups.edge.addresses: expected a list of addresses such as"
                                + " {ip: 192.0.2.10/24, interface: eth0}, but the list is empty"),
                bad("config: /etc/haproxy/haproxy.cfg", "config: haproxy.cfg",
                        "c.yml:17: groups.edge.haproxy.config: 'haproxy.cfg' is not a full path"
                                + " (it must start with /)"),
                bad("http://{address}:8080/health", "tcp://{address}:8080",
                        "c.yml:21: groups.app.check.url: 'tcp://{address}:8080' is not a URL such as"
                                + " http://{address}:8080/health"),
                bad("engine: mariadb", "engine: postgres",
                        "c.yml:25: groups.shopdb.engine: 'postgres' is not one of mariadb, mysql"),
                bad("engine: mariadb", "port: 70000",
                        "c.yml:25: groups.shopdb.port: '70000' is not a number from 1 to 65535"),
                bad("max_lag: 5s", "max_lag: 5",
                        "c.yml:29: groups.shopdb.reader.max_lag: '5' is not a duration such as 200ms, 5s, 10m or 26h"
                                + " (the unit is missing)"),
                bad("max_lag: 5s", "max_lag: 1s",
                        "c.yml:29: groups.shopdb.reader.max_lag: is shorter than 2s: less is not measured"),
                bad("on_clean_stop: {wait: 45s}", "long_transactions: {then: stay}",
                        "c.yml:31: groups.shopdb.long_transactions.then: 'stay' is not one of give-up, end"),
                bad("on_clean_stop: {wait: 45s}", "long_transactions: {wait: 1h}",
                        "c.yml:31: groups.shopdb.long_transactions.wait: is longer than 10m"),
                bad("on_clean_stop: {wait: 45s}", "prefer: [db9]",
                        "c.yml:31: groups.shopdb.prefer: 'db9' is no member of the group, did you mean 'db1'?"
                                + " (members: db1, db2, db3)"),
                bad("on_clean_stop: {wait: 45s}", "prefer: [db2, db2]",
                        "c.yml:31: groups.shopdb.prefer: 'db2' stands twice"),
                bad("on_clean_stop: {wait: 45s}", "min_free: 95%",
                        "c.yml:31: groups.shopdb.min_free: '95%' is not a part such as 5% (at most 90%) or a size such"
                                + " as 10GiB or 500MiB"),
                bad("on_clean_stop: {wait: 45s}", "full_below: little",
                        "c.yml:31: groups.shopdb.full_below: 'little' is not a part such as 5% (at most 90%) or a size"
                                + " such as 10GiB or 500MiB"),
                bad("on_clean_stop: {wait: 45s}", "on_clean_stop: stay",
                        "c.yml:31: groups.shopdb.on_clean_stop: 'stay' is not one of move"),
                bad("on_clean_stop: {wait: 45s}", "on_clean_stop: {wait: soon}",
                        "c.yml:31: groups.shopdb.on_clean_stop.wait: 'soon' is not a duration such as 200ms, 5s, 10m"
                                + " or 26h"),
                bad("port: 587", "prot: 587",
                        "c.yml:35: mail.smtp: unknown key 'prot', did you mean 'port'?"),
                bad("user: alerts", "timeout: 5s",
                        "c.yml:35: mail.smtp.password_file: user and password_file belong together: user is missing"),
                bad("port: 587", "tls: none",
                        "c.yml:35: mail.smtp.tls: with 'none' the password would be sent in clear text: use starttls or"
                                + " tls"),
                bad("from: understudy@example.com", "from: understudy",
                        "c.yml:35: mail.from: 'understudy' is not a mail address"),
                bad("to: [ops@example.com]", "to: [ops@example.com, 'a b@example.com']",
                        "c.yml:35: mail.to: 'a b@example.com' is not a mail address"),
                bad("to: [ops@example.com]", "to: [a@example.com], routes: [{groups: [shopbd], to: [b@example.com]}]",
                        "c.yml:35: mail.routes[0].groups: 'shopbd' is no group, did you mean 'shopdb'?"
                                + " (groups: edge, app, shopdb)"),
                bad("to: [ops@example.com]", "to: [a@example.com], remind: 10s",
                        "c.yml:35: mail.remind: is shorter than 1m (0s: no reminders)"),
                bad("to: [ops@example.com]", "to: [a@example.com], settle: 0s",
                        "c.yml:35: mail.settle: is not between 1s and 1d"),
                bad("mail: {smtp", "schedule: {digest: 0 8 * * *}\nmail: {smtp",
                        "c.yml:35: schedule.digest: '0 8 * * *' is not a cron expression such as \"0 0 8 * * ?\" (seconds,"
                                + " minutes, hours, day, month, weekday): Unexpected end of expression."),
                bad("mail: {smtp", "schedule: {time_zone: Berlin}\nmail: {smtp",
                        "c.yml:35: schedule.time_zone: 'Berlin' is not a time zone such as Europe/Berlin"),
                bad("mail: {smtp", "webhook: {url: hooks}\nmail: {smtp",
                        "c.yml:35: webhook.url: 'hooks' is not a URL such as https://chat.example.com/hooks/ops"),
                bad("mail: {smtp", "heartbeat_every: 10s\nmail: {smtp",
                        "c.yml:35: heartbeat_every: is for heartbeat_url, which is missing"),
                bad("backend: app", "addresses: []",
                        "c.yml:22: groups.app: unknown key 'addresses'"
                                + " (expected: kind, mode, members, check, backend, restart)"));
    }
    // spotless:on

    private static Arguments bad(String line, String instead, String expected) {
        return Arguments.of(line, instead, expected);
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badLines")
    void refusesWithFileLineAndWhatWasExpected(String line, String instead, String expected) throws IOException {
        String good = Files.readString(SHOP);
        assertThat(good).contains(line);

        assertThat(lines(good.replace(line, instead))).contains(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n\n", "# only a comment\n", "~", "---\n"})
    void anEmptyFileSaysSo(String text) {
        assertThat(lines(text)).containsExactly("c.yml:1: the file is empty: expected cluster, hosts and groups");
    }

    @Test
    void textThatIsNotYamlNamesTheLine() {
        assertThat(lines("cluster: shop\nhosts: {lb1: {address: 10.0.0.1}\ngroups: {}\n"))
                .singleElement()
                .asString()
                .startsWith("c.yml:3: is not YAML: ");
        assertThat(lines("a: b: c\n")).singleElement().asString().startsWith("c.yml:1: is not YAML: ");
        assertThat(lines("cluster: a\n---\ncluster: b\n"))
                .singleElement()
                .asString()
                .contains("is not YAML: ");
        assertThat(lines("just words")).contains("c.yml:1: expected keys with values");
        assertThat(lines("\u0000")).singleElement().asString().contains("is not YAML");
    }

    @Test
    void tellsAllProblemsInTheOrderOfLinesAndAtMostTwenty() {
        StringBuilder text = new StringBuilder("cluster: c\nhosts:\n");
        for (int i = 1; i <= 30; i++) {
            text.append("  h").append(i).append(": {address: nowhere}\n");
        }
        List<String> lines = lines(text + "groups: {}\n");

        assertThat(lines).hasSize(ClusterFile.MOST_PROBLEMS + 1);
        assertThat(lines.getFirst()).isEqualTo("c.yml:3: hosts.h1.address: 'nowhere' is not an IPv4 or IPv6 address");
        assertThat(lines.getLast()).isEqualTo("… and 40 more");
    }

    @Test
    void twoDatabaseGroupsOnOnePortOfAHostAreRefused() {
        assertThat(lines("""
                cluster: c
                hosts: {a: {address: 10.0.0.1}}
                groups:
                  one: {kind: database, members: [a]}
                  two: {kind: database, members: [a]}
                """))
                .containsExactly("c.yml:5: groups.two.members: port 3306 of 'a' is already the server of group 'one'");
    }

    @Test
    void aCheckOfABalancerGroupIsAUrl() {
        String text = """
                cluster: c
                hosts: {a: {address: 10.0.0.1}}
                groups:
                  lb: {kind: balancer, members: [a], addresses: [{ip: 10.0.0.9/32, interface: eth0}], check: {url: %s}}
                """;
        BalancerGroup group = (BalancerGroup)
                good(text.formatted("\"https://{address}/\"")).group("lb").orElseThrow();
        assertThat(group.checkUrl()).isEqualTo("https://{address}/");
        assertThat(lines(text.formatted("\"{address}\"")))
                .containsExactly("c.yml:4: groups.lb.check.url: '{address}' is not a URL such as http://{address}/");
    }

    @Test
    void twoSpellingsOfOneAddressAreOne() {
        assertThat(lines("""
                cluster: c
                hosts: {a: {address: "fd00::1"}, b: {address: "fd00:0:0::1"}}
                groups: {w: {kind: web, members: [a, b], check: {url: "http://x/"}}}
                """))
                .containsExactly("c.yml:2: hosts.b.address: 'fd00:0:0::1' is already the address of host a");
    }

    @Test
    void aFileThatIsNotThereOrNotTextIsOneLine(@TempDir Path folder) throws IOException {
        Path missing = folder.resolve("none.yml");
        assertThat(((Result.Bad) ClusterFile.read(missing)).lines())
                .containsExactly(missing + ": there is no such file");
        Path binary = Files.write(folder.resolve("b.yml"), new byte[] {(byte) 0xff, (byte) 0xfe, 1});
        assertThat(((Result.Bad) ClusterFile.read(binary)).lines()).containsExactly(binary + ": is not text in UTF-8");
        assertThat(((Result.Bad) ClusterFile.read(folder)).lines()).hasSize(1);
    }

    private static ClusterSpec good(String text) {
        Result result = ClusterFile.parse("c.yml", text);
        assertThat(result).isInstanceOf(Result.Good.class);
        return ((Result.Good) result).spec();
    }

    private static List<String> lines(String text) {
        Result result = ClusterFile.parse("c.yml", text);
        assertThat(result).isInstanceOf(Result.Bad.class);
        return ((Result.Bad) result).lines();
    }
}
