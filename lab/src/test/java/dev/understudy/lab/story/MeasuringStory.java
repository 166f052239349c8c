package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.HolderWatch;
import dev.understudy.lab.measure.RequestClient;
import dev.understudy.lab.measure.Timeline.Summary;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Site;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The measuring tools see what they are there to see: each is shown the thing that it must never miss.
@ExtendWith(StoryProgress.class)
class MeasuringStory {

    private static final Duration SOON = Duration.ofSeconds(20);

    /// The agent's gate, in short.
    private static final String GATE = """
            add table inet understudy; add set inet understudy held { type ipv4_addr; flags timeout; };
            add chain inet understudy leaving { type filter hook output priority 0; };
            add rule inet understudy leaving ip saddr ADDRESS ip saddr != @held drop;
            add table arp understudy; add set arp understudy held { type ipv4_addr; flags timeout; };
            add chain arp understudy leaving { type filter hook output priority 0; };
            add rule arp understudy leaving arp saddr ip ADDRESS arp saddr ip != @held drop""";

    @SuppressWarnings("NullAway.Init")
    private static Site site;

    @SuppressWarnings("NullAway.Init")
    private static Lab lab;

    @BeforeAll
    static void start() {
        site = Site.start(Site.Options.of(Checkout.find()).serversOnly(), MeasuringStory::say);
        lab = site.lab();
    }

    @AfterAll
    static void stop() {
        site.close();
    }

    @Test
    void requestsThroughADeadBalancerFailAndTheOutageIsAsLongAsItWas() {
        LabHost lb1 = lab.host("lb1");
        address(lb1, "add", Topology.SITE_ADDRESS);
        lab.host("client").run("ip", "neigh", "flush", "all").orThrow(); // of holders in other stories
        try (RequestClient client =
                RequestClient.start(lab.host("client"), Topology.SITE_ADDRESS, 80, Duration.ofMillis(10))) {
            long begin = System.nanoTime();
            awaitSuccess(client, begin);
            long killed = System.nanoTime();
            lb1.kill(LabService.HAPROXY);
            Waiting.until("40 requests failed", SOON, () -> failed(client, killed) >= 40);
            long started = System.nanoTime();
            lb1.start(LabService.HAPROXY);
            awaitSuccess(client, started);
            long end = System.nanoTime();
            Summary summary = client.timeline().between(begin, end);
            assertThat(summary.failed()).isGreaterThanOrEqualTo(40);
            assertThat(summary.outageMillis())
                    .isBetween((started - killed) / 1_000_000 - 50, (end - killed) / 1_000_000 + 50);
            assertThat(client.timeline().between(begin, killed).failed()).isZero();
        } finally {
            address(lb1, "del", Topology.SITE_ADDRESS);
        }
    }

    @Test
    void aRowThatWasAcknowledgedAndIsGoneIsMissed() {
        LabHost db1 = lab.host("db1");
        open(db1, true);
        try (Writer writer = Writer.start(lab.host("web1"), db1.plan().address())) {
            Waiting.until("50 rows are acknowledged", SOON, () -> writer.acknowledgedCount() >= 50);
            assertThat(writer.missingOn(db1)).isEmpty();
            Databases.sql(db1, "DELETE FROM shop.entry ORDER BY id LIMIT 1");
            assertThat(writer.missingOn(db1)).hasSize(1);
            assertThat(writer.timeline().between(0, System.nanoTime()).failed()).isZero();
        } finally {
            open(db1, false);
        }
    }

    @Test
    void twoHostsWithOneAddressAreSeenUnlessOnesGateIsClosed() {
        List<String> alarms = new CopyOnWriteArrayList<>();
        LabHost lb1 = lab.host("lb1");
        LabHost lb2 = lab.host("lb2");
        try (HolderWatch watch = HolderWatch.start(lab, alarms::add)) {
            address(lb1, "add", Topology.SITE_ADDRESS);
            lb2.run("nft", GATE.replace("ADDRESS", Topology.SITE_ADDRESS)).orThrow();
            address(lb2, "add", Topology.SITE_ADDRESS);
            lookedAt(watch);
            assertThat(watch.mostSinceLastCall()).isEqualTo(1);
            for (String family : List.of("inet", "arp")) {
                String held = "add element " + family + " understudy held { ";
                lb2.run("nft", held + Topology.SITE_ADDRESS + " timeout 60s }").orThrow();
            }
            Waiting.until("an alarm", SOON, () -> !alarms.isEmpty());
            lookedAt(watch);
            assertThat(watch.mostSinceLastCall()).isEqualTo(2);
            assertThat(alarms.getFirst()).contains("lb1").contains("lb2");
        } finally {
            address(lb1, "del", Topology.SITE_ADDRESS);
            address(lb2, "del", Topology.SITE_ADDRESS);
            lb2.run("nft", "flush", "ruleset");
        }
    }

    @Test
    void twoHostsThatAnswerForOneAddressAreSeenOnTheWireByArpAndByProbe() {
        List<String> alarms = new CopyOnWriteArrayList<>();
        LabHost lb1 = lab.host("lb1");
        LabHost lb2 = lab.host("lb2");
        try (HolderWatch watch = HolderWatch.start(lab, alarms::add)) {
            address(lb1, "add", Topology.SITE_ADDRESS);
            address(lb2, "add", Topology.SITE_ADDRESS);
            for (String question : List.of("ARP", "TCP")) {
                Waiting.until(
                        "an alarm by " + question,
                        SOON,
                        () -> alarms.stream().anyMatch(line -> line.contains("on the wire (" + question)));
            }
            assertThat(watch.mostSinceLastCall()).isEqualTo(2);
            lb2.run(
                            "nft",
                            "add table arp quiet; add chain arp quiet out { type filter hook output priority 0; policy drop; };"
                                    + " add table ip quiet; add chain ip quiet out { type filter hook output priority 0; };"
                                    + " add rule ip quiet out ip saddr " + Topology.SITE_ADDRESS + " drop")
                    .orThrow();
            lookedAt(watch);
            watch.forget();
            alarms.clear();
            lookedAt(watch);
            assertThat(alarms).noneMatch(line -> line.contains("on the wire"));
        } finally {
            address(lb1, "del", Topology.SITE_ADDRESS);
            address(lb2, "del", Topology.SITE_ADDRESS);
            lb2.run("nft", "flush", "ruleset");
        }
    }

    @Test
    void twoDatabasesThatWouldAcknowledgeAreSeenAlsoWhenOneIsCutOff() {
        List<String> alarms = new CopyOnWriteArrayList<>();
        LabHost db1 = lab.host("db1");
        LabHost db3 = lab.host("db3");
        Databases.sql(db3, "STOP SLAVE");
        open(db1, true);
        try (HolderWatch watch = HolderWatch.start(lab, alarms::add)) {
            lookedAt(watch);
            assertThat(watch.mostSinceLastCall()).isEqualTo(1);
            lab.cut("db1");
            Databases.sql(db3, "SET GLOBAL rpl_semi_sync_master_enabled = 1");
            Databases.sql(db3, "SET GLOBAL read_only = 0");
            lookedAt(watch);
            lookedAt(watch);
            assertThat(alarms)
                    .as("db3 waits for an acknowledgement that nobody can give")
                    .isEmpty();
            Databases.sql(db3, "SET GLOBAL rpl_semi_sync_master_enabled = 0");
            Waiting.until("an alarm", SOON, () -> !alarms.isEmpty());
            lookedAt(watch);
            assertThat(watch.mostSinceLastCall()).isEqualTo(2);
        } finally {
            open(db1, false);
            open(db3, false);
            lab.heal("db1");
        }
    }

    /// Waits until the watch has looked a good number of times more.
    private static void lookedAt(HolderWatch watch) {
        long before = watch.looks();
        Waiting.until("the watch has looked again", SOON, () -> watch.looks() >= before + 20);
    }

    private static void open(LabHost database, boolean writable) {
        Databases.sql(database, "SET GLOBAL read_only = " + (writable ? 0 : 1));
    }

    private static void address(LabHost host, String verb, String address) {
        host.run("ip", "addr", verb, address + "/24", "dev", "eth0").orThrow();
    }

    private static void awaitSuccess(RequestClient client, long since) {
        Waiting.until("a request succeeds", SOON, () -> client.timeline().successSince(since));
    }

    private static int failed(RequestClient client, long since) {
        return client.timeline().between(since, System.nanoTime()).failed();
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
