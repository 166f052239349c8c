package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.nio.file.Files;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Everyday operations: whoever holds goes on holding.
class QuietStory extends Story {

    @Test
    @Fault("HAProxy of the active balancer reloaded three times under load")
    void aReloadOfHaproxyUnderLoadMovesNothing() {
        LabHost active = activeBalancer();
        long epoch = state().epoch(SITE);
        long from = System.nanoTime();
        for (int reload = 1; reload <= 3; reload++) {
            act("reload HAProxy of " + active.name(), () -> signalMaster(active));
            whileRequestsAreAnswered(150);
        }
        assertThat(activeBalancer().name()).isEqualTo(active.name());
        assertThat(state().epoch(SITE)).isEqualTo(epoch);
        assertThat(requestsSince(from).attempts()).isGreaterThan(400);
    }

    @Test
    @Fault("FLUSH TABLES WITH READ LOCK on the primary for a minute")
    void aBackupLockOfAMinuteMovesNothing() {
        LabHost primary = primary();
        primary.run("rm", "-f", "/run/backup-is-over");
        long epoch = state().epoch(PRIMARY);
        act(
                "FLUSH TABLES WITH READ LOCK on " + primary.name() + " for a minute",
                () -> primary.run(
                        "sh",
                        "-c",
                        "(mariadb -e 'FLUSH TABLES WITH READ LOCK; DO SLEEP(60)'; touch /run/backup-is-over)"
                                + " </dev/null >/dev/null 2>&1 &"));
        Waiting.until(
                "the backup is over", Duration.ofSeconds(90), () -> Files.exists(primary.path("/run/backup-is-over")));
        tell("the lock is gone");
        clientsAreServed();
        assertThat(primary().name()).isEqualTo(primary.name());
        assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
    }

    @Test
    @Fault("mariadbd of the primary restarted as an operator does")
    void aCleanRestartOfThePrimaryMovesNothing() {
        LabHost primary = primary();
        long epoch = state().epoch(PRIMARY);
        act("restart mariadbd of " + primary.name() + " as an operator does", () -> {
            primary.stop(LabService.MARIADB);
            primary.start(LabService.MARIADB);
        });
        clientsAreServed();
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(primary.name());
        // a restarted server is elected anew (S16), and wins: the same host under the next epoch
        assertThat(state().epoch(PRIMARY)).isEqualTo(epoch + 1);
        assertThat(events()).contains("DB-23");
    }

    @Test
    @Fault("the controller restarted as an operator does")
    void aPlannedRestartOfTheControllerMovesNothing() {
        LabHost controller = host(Topology.CTL1.name());
        long site = state().epoch(SITE);
        long primary = state().epoch(PRIMARY);
        act("restart the controller as an operator does", () -> {
            controller.stop(LabService.CONTROLLER);
            controller.start(LabService.CONTROLLER);
        });
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(state().epoch(SITE)).isEqualTo(site);
        assertThat(state().epoch(PRIMARY)).isEqualTo(primary);
    }

    private static void signalMaster(LabHost balancer) {
        String pid = balancer.run("cat", LabService.HAPROXY.pidFile()).output().strip();
        balancer.run("kill", "-USR2", pid);
    }
}
