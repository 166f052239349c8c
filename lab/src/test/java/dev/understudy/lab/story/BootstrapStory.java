package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Instruments;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.Evidence;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Site;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.Kind;
import dev.understudy.lab.site.Wellness;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// How a database group begins: from empty servers, and from servers with data that replicate already. Each on a site
/// of its own, whose agents and controller are started for the first time.
@ExtendWith(StoryProgress.class)
class BootstrapStory {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final String PRIMARY = Wellness.PRIMARY;

    /// The agents' account is the one that was made for them, not root: it suffices for the failover too.
    @Test
    void fromThreeEmptyServersToAGroupThatSurvivesItsPrimary() {
        onAFreshSite("empty", lab -> {
            List<LabHost> databases = databases(lab);
            databases.forEach(BootstrapStory::install);
            for (LabHost host : databases) {
                host.run("sh", "-c", "printf 'agent-secret\\n' >/etc/understudy/agent_password")
                        .orThrow();
                host.run(
                                "sed",
                                "-i",
                                "s|user: root|user: understudy\\n    password_file: /etc/understudy/agent_password|",
                                "/etc/understudy/agent.yml")
                        .orThrow();
                assertThat(agent(host, "database", "init"))
                        .contains("begun    an empty history")
                        .endsWith("prepared\n");
            }
            manual(lab);
            startUnderstudy(lab);
            String told = understudy(lab, "database", "init", "shopdb", "--primary", "db2");
            assertThat(told).contains("shopdb/primary is held by db2 (epoch 1)");
            assertThat(understudy(lab, "database", "init", "shopdb"))
                    .contains("held by db2")
                    .contains("nothing was done");
            for (LabHost host : databases) {
                assertThat(agent(host, "database", "init")).endsWith("prepared already: nothing was changed\n");
            }
            understudy(lab, "mode", "shopdb", "automatic");
            Databases.sql(lab.host(Topology.DATABASES.get(1)), """
                    CREATE DATABASE shop;
                    CREATE TABLE shop.entry (id BIGINT NOT NULL PRIMARY KEY,
                      written_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)) ENGINE = InnoDB;
                    CREATE USER 'app'@'%' IDENTIFIED BY 'lab-app';
                    GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO 'app'@'%';
                    CREATE USER 'watch'@'127.0.0.1' IDENTIFIED BY 'lab-watch';
                    GRANT REPLICATION MASTER ADMIN, SLAVE MONITOR, BINLOG MONITOR ON *.* TO 'watch'@'127.0.0.1';
                    GRANT SELECT ON shop.* TO 'watch'@'127.0.0.1'""");
            survivesItsPrimary(lab, "db2");
        });
    }

    @Test
    void serversWithDataThatReplicateAreAdoptedAsTheyAreFound() {
        onAFreshSite("found", lab -> {
            LabHost first = lab.host(Topology.DATABASES.getFirst());
            Databases.sql(first, "SET GLOBAL read_only = 0; INSERT INTO shop.entry (id) VALUES (1), (2), (3)");
            assertThat(agent(first, "database", "init")).contains("prepared already: nothing was changed");
            startUnderstudy(lab);
            try (ControllerApi api = new ControllerApi(lab.page())) {
                Wellness.await(api, LIMIT);
                assertThat(api.state().orElseThrow().holder(PRIMARY)).contains("db1");
                assertThat(api.events(50).toString()).contains("DB-01").contains("db1 is the only writable member");
            }
            assertThat(Databases.sql(first, "SELECT COUNT(*) FROM shop.entry")).isEqualTo("3");
            survivesItsPrimary(lab, "db1");
            for (LabHost host : databases(lab)) {
                assertThat(Databases.sql(host, "SELECT COUNT(*) FROM shop.entry WHERE id <= 3"))
                        .isEqualTo("3");
            }
        });
    }

    @Test
    void serversThatAreNotOfOneHistoryAreRefusedWithTheReason() {
        onAFreshSite("apart", lab -> {
            LabHost stranger = lab.host(Topology.DATABASES.getLast());
            Databases.sql(stranger, "STOP SLAVE; RESET SLAVE ALL; INSERT INTO shop.entry (id) VALUES (1), (2)");
            startUnderstudy(lab);
            try (ControllerApi api = new ControllerApi(lab.page())) {
                Waiting.until(
                        "it is refused", LIMIT, () -> api.events(50).toString().contains("DB-09"));
                assertThat(api.events(50).toString()).contains("replicate neither from one another nor from the same");
                Commands.Result refused = cli(lab, "database", "init", "shopdb", "--timeout", "2");
                assertThat(refused.exit()).isEqualTo(1);
                assertThat(refused.output()).contains("cannot get one now").contains("db3");
                assertThat(api.state().orElseThrow().holder(PRIMARY)).isEmpty();
            }
        });
    }

    /// Writes are acknowledged; the primary's host loses power; another is the primary and has every one of them.
    private static void survivesItsPrimary(Lab lab, String primary) {
        try (ControllerApi api = new ControllerApi(lab.page());
                Instruments instruments = Instruments.start(lab, BootstrapStory::say)) {
            Wellness.await(api, LIMIT);
            instruments.awaitService();
            LabHost old = lab.host(primary);
            old.powerOff();
            Waiting.until(
                    "another is the primary",
                    LIMIT,
                    () -> api.state()
                            .filter(state -> state.steady(PRIMARY))
                            .flatMap(state -> state.holder(PRIMARY))
                            .filter(holder -> !holder.equals(primary))
                            .isPresent());
            instruments.awaitService();
            old.powerOn();
            Wellness.await(api, LIMIT);
            assertThat(instruments.writer().acknowledgedCount()).isPositive();
            Set<Long> rows = instruments.writer().acknowledged();
            for (LabHost host : databases(lab)) {
                Waiting.until(
                        host.name() + " has every acknowledged row",
                        LIMIT,
                        () -> Writer.missing(rows, host).isEmpty());
            }
            assertThat(instruments.holders().mostSinceLastCall()).isLessThanOrEqualTo(1);
        }
    }

    /// The server as it comes from its package, with the configuration of the group.
    private static void install(LabHost host) {
        host.stop(LabService.MARIADB);
        host.run("find", "/var/lib/mysql", "-mindepth", "1", "-delete").orThrow();
        host.run(
                        "mariadb-install-db",
                        "--defaults-file=/etc/mysql/my.cnf",
                        "--user=mysql",
                        "--auth-root-authentication-method=socket",
                        "--skip-test-db")
                .orThrow();
        host.start(LabService.MARIADB);
        Databases.awaitAnswer(host, LIMIT);
        // somebody's hand, as it happens
        Databases.sql(host, "CREATE USER mine@localhost; DROP USER mine@localhost");
        assertThat(Databases.sql(host, "SELECT @@gtid_binlog_pos")).isNotEmpty();
    }

    /// A group that is begun by hand: nobody is chosen before the operator says so.
    private static void manual(Lab lab) {
        lab.host(Topology.CTL1)
                .run("sed", "-i", "/kind: database/,$ s/mode: automatic/mode: manual/", "/etc/understudy/cluster.yml")
                .orThrow();
    }

    private static void startUnderstudy(Lab lab) {
        lab.host(Topology.CTL1).start(LabService.CONTROLLER);
        lab.hosts().stream()
                .filter(host -> LabService.AGENT.runsOn(host.plan().kind()))
                .forEach(host -> host.start(LabService.AGENT));
        try (ControllerApi api = new ControllerApi(lab.page())) {
            Waiting.until("the controller answers", LIMIT, () -> api.state().isPresent());
        }
    }

    private static void onAFreshSite(String name, Consumer<Lab> story) {
        SharedSite.discard();
        try (Site site =
                Site.start(Site.Options.of(Checkout.find()).withoutCooldown().serversOnly(), BootstrapStory::say)) {
            try {
                story.accept(site.lab());
            } catch (AssertionError | RuntimeException e) {
                try (ControllerApi api = new ControllerApi(site.lab().page())) {
                    Evidence.collect(site.lab(), api, Checkout.find().failures().resolve("BootstrapStory-" + name));
                }
                throw e;
            }
        }
    }

    private static void say(String line) {
        System.out.println(line);
    }

    private static List<LabHost> databases(Lab lab) {
        return lab.hosts().stream()
                .filter(host -> host.plan().kind() == Kind.DATABASE)
                .toList();
    }

    private static String agent(LabHost host, String... words) {
        Commands.Result result = host.run(line(Checkout.find().agent(), words));
        System.out.println(host.name() + ":\n" + result.output().indent(2));
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    private static String understudy(Lab lab, String... words) {
        Commands.Result result = cli(lab, words);
        System.out.println(result.output().strip());
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    private static Commands.Result cli(Lab lab, String... words) {
        return lab.host(Topology.CTL1).run(line(Checkout.find().cli(), words));
    }

    private static String[] line(String program, String... words) {
        String[] line = new String[words.length + 1];
        line[0] = program;
        System.arraycopy(words, 0, line, 1, words.length);
        return line;
    }
}
