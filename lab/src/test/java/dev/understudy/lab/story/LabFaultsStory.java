package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Site;
import dev.understudy.lab.site.Switch.Direction;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.Network;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// The faults of the lab do what they say: on a site of servers alone, with nobody who repairs anything.
@ExtendWith(StoryProgress.class)
class LabFaultsStory {

    private static final Duration SOON = Duration.ofSeconds(20);

    @SuppressWarnings("NullAway.Init")
    private static Site site;

    @SuppressWarnings("NullAway.Init")
    private static Lab lab;

    @BeforeAll
    static void start() {
        site = Site.start(Site.Options.of(Checkout.find()).serversOnly(), LabFaultsStory::say);
        lab = site.lab();
    }

    @AfterAll
    static void stop() {
        site.close();
    }

    @AfterEach
    void heal() {
        lab.healAll();
    }

    @Test
    void aHostThatIsCutOffReachesNobodyAndKeepsItsCarrier() throws Exception {
        LabHost db1 = lab.host("db1");
        LabHost web1 = lab.host("web1");
        Wires.acquaint(db1, web1);
        lab.cut("db1");
        assertThat(Wires.arrives(db1, web1, web1.plan().address())).isFalse();
        assertThat(Wires.arrives(web1, db1, db1.plan().address())).isFalse();
        assertThat(Wires.arrives(lab.host("web2"), web1, web1.plan().address())).isTrue();
        assertThat(db1.run("cat", "/sys/class/net/eth0/carrier").output().strip())
                .isEqualTo("1");
        lab.heal("db1");
        assertThat(Wires.arrives(db1, web1, web1.plan().address())).isTrue();
    }

    @Test
    void aOneWayCutIsOneWay() throws Exception {
        LabHost db1 = lab.host("db1");
        LabHost web1 = lab.host("web1");
        Wires.acquaint(db1, web1);
        lab.cut(Cut.of("db1").oneWay(Direction.IN));
        assertThat(Wires.arrives(db1, web1, web1.plan().address())).isTrue();
        assertThat(Wires.arrives(web1, db1, db1.plan().address())).isFalse();
        lab.heal("db1");
        lab.cut(Cut.of("db1").oneWay(Direction.OUT));
        assertThat(Wires.arrives(db1, web1, web1.plan().address())).isFalse();
        assertThat(Wires.arrives(web1, db1, db1.plan().address())).isTrue();
    }

    @Test
    void aCutFromSomeHostsLeavesTheOthers() throws Exception {
        LabHost db1 = lab.host("db1");
        LabHost ctl1 = lab.host("ctl1");
        LabHost web1 = lab.host("web1");
        lab.cut(Cut.of("db1").from("ctl1"));
        assertThat(Wires.arrives(db1, ctl1, ctl1.plan().address())).isFalse();
        assertThat(Wires.arrives(ctl1, db1, db1.plan().address())).isFalse();
        assertThat(Wires.arrives(db1, web1, web1.plan().address())).isTrue();
    }

    @Test
    void theFrontCanBeCutAlone() throws Exception {
        LabHost lb1 = lab.host("lb1");
        LabHost client = lab.host("client");
        lab.cut(Cut.of("lb1").on(Network.FRONT));
        assertThat(Wires.arrives(client, lb1, "10.77.1.11")).isFalse();
        assertThat(Wires.arrives(lab.host("web1"), lb1, lb1.plan().address())).isTrue();
    }

    @Test
    void aLinkThatLosesEverythingIsDead() throws Exception {
        LabHost db1 = lab.host("db1");
        LabHost db2 = lab.host("db2");
        lab.lose("db2", 100);
        assertThat(Wires.arrives(db1, db2, db2.plan().address())).isFalse();
        lab.lose("db2", 0);
        assertThat(Wires.arrives(db1, db2, db2.plan().address())).isTrue();
    }

    @Test
    void aDelayedLinkIsSlowOrTheKernelSaysThatItCannot() throws Exception {
        LabHost db2 = lab.host("db2");
        Wires.acquaint(lab.host("db1"), db2);
        try {
            lab.delay("db2", 1500);
        } catch (IllegalStateException e) {
            assertThat(e).hasMessageContaining("netem");
            return;
        }
        assertThat(Wires.arrives(lab.host("db1"), db2, db2.plan().address()))
                .as("within 0.7 s")
                .isFalse();
        lab.delay("db2", 0);
        assertThat(Wires.arrives(lab.host("db1"), db2, db2.plan().address())).isTrue();
    }

    @Test
    void aKilledServiceIsGoneAndComesBackWhenStarted() throws Exception {
        LabHost web2 = lab.host("web2");
        assertThat(Wires.connects(lab.host("lb1"), web2.plan().address(), 8080)).isTrue();
        web2.kill(LabService.NGINX);
        assertThat(web2.processes(LabService.NGINX)).isEmpty();
        assertThat(Wires.connects(lab.host("lb1"), web2.plan().address(), 8080)).isFalse();
        assertThatThrownBy(() -> web2.kill(LabService.NGINX)).hasMessageContaining("does not run on web2");
        web2.start(LabService.NGINX);
        assertThat(Wires.connects(lab.host("lb1"), web2.plan().address(), 8080)).isTrue();
    }

    @Test
    void aFrozenHostsKernelLivesButNobodyAnswers() throws Exception {
        LabHost web2 = lab.host("web2");
        web2.freeze();
        assertThat(web2.processes()).isNotEmpty().allMatch(entry -> entry.state() == 'T');
        assertThat(Wires.connects(lab.host("lb1"), web2.plan().address(), 8080)).isTrue();
        web2.thaw();
        assertThat(web2.processes()).noneMatch(entry -> entry.state() == 'T');
    }

    @Test
    void aFullDiskIsFullAndEmptiedAgain() {
        LabHost db3 = lab.host("db3");
        db3.fillDisk();
        assertThat(db3.run("sh", "-c", "echo x >> /var/lib/mysql/probe").ok()).isFalse();
        db3.emptyDisk();
        assertThat(db3.run("sh", "-c", "echo x >> /var/lib/mysql/probe && rm /var/lib/mysql/probe")
                        .ok())
                .isTrue();
    }

    @Test
    void aHostWithoutPowerForgetsItsAddressesAndKeepsItsDisk() throws Exception {
        LabHost db2 = lab.host("db2");
        db2.run("ip", "addr", "add", Topology.WRITER_ADDRESS + "/24", "dev", "eth0")
                .orThrow();
        db2.powerOff();
        assertThat(db2.processes()).allMatch(entry -> entry.state() == 'Z');
        assertThat(Wires.connects(lab.host("db1"), db2.plan().address(), 3306)).isFalse();
        db2.powerOn();
        Databases.awaitAnswer(db2, SOON);
        assertThat(db2.run("ip", "addr").output()).doesNotContain(Topology.WRITER_ADDRESS);
        assertThat(Databases.sql(db2, "SHOW TABLES FROM shop")).isEqualTo("entry");
        assertThat(Databases.replicaField(db2, "Slave_IO_Running"))
                .as("skip_slave_start: only an agent starts receivers (S15)")
                .isEqualTo("No");
    }

    @Test
    void twoReplicasFollowSemiSynchronouslyAndNobodyMayWrite() {
        for (String name : new String[] {"db2", "db3"}) {
            Databases.sql(lab.host(name), "START SLAVE");
            Waiting.until(
                    name + " follows",
                    SOON,
                    () -> Databases.replicaField(lab.host(name), "Slave_IO_Running")
                            .equals("Yes"));
        }
        for (LabHost host : Topology.DATABASES.stream().map(lab::host).toList()) {
            assertThat(Databases.sql(host, "SELECT @@read_only, @@rpl_semi_sync_slave_enabled, @@sync_binlog"))
                    .isEqualTo("1\t1\t1");
        }
        Databases.sql(lab.host("db1"), "SET GLOBAL rpl_semi_sync_master_enabled = 1");
        Waiting.until(
                "two semi-synchronous replicas are connected",
                SOON,
                () -> Databases.sql(lab.host("db1"), "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'")
                        .endsWith("2"));
        Databases.sql(lab.host("db1"), "SET GLOBAL rpl_semi_sync_master_enabled = 0");
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
