package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import org.junit.jupiter.api.Test;

/// What is done to databases on ordinary days, while eight clients write: the primary stays where it is.
class EverydayStory extends Story {

    /// Requests: for longer than it takes to call a server hung.
    private static final int A_WHILE = 600;

    @Test
    @Fault("the table rebuilt three times, then BACKUP STAGE BLOCK_COMMIT for six seconds, while eight clients write")
    void schemaChangesAndBackupsMoveNothing() {
        LabHost primary = primary();
        long epoch = state().epoch(PRIMARY);
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            int before = writers.acknowledged();
            eventually("all write", () -> writers.acknowledged() > before + 500);
            for (int time = 1; time <= 3; time++) {
                act(
                        "rebuild the table, time " + time,
                        () -> Databases.sql(primary, "ALTER TABLE shop.entry FORCE, ALGORITHM = COPY"));
            }
            act("a backup blocks commits for six seconds", () -> Databases.sql(primary, """
                            BACKUP STAGE START; BACKUP STAGE FLUSH; BACKUP STAGE BLOCK_DDL; BACKUP STAGE BLOCK_COMMIT;
                            DO SLEEP(6); BACKUP STAGE END"""));
            clientsAreServed();
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(primary.name());
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            writers.everythingIsEverywhere(this::tell);
        }
    }

    @Test
    @Fault("a replica stopped for a while, then the primary for a package upgrade, while eight clients write")
    void aStoppedReplicaAndAnUpgradeOfThePrimaryMoveNothing() {
        LabHost primary = primary();
        LabHost replica = replicas().getFirst();
        long epoch = state().epoch(PRIMARY);
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            long from = System.nanoTime();
            act("stop mariadbd of " + replica.name(), () -> replica.stop(LabService.MARIADB));
            whileRequestsAreAnswered(A_WHILE);
            act("start it again", () -> replica.start(LabService.MARIADB));
            siteBecomesWell();
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            assertThat(writesSince(from).firstFailure()).isEmpty();

            act("stop mariadbd of " + primary.name() + " for an upgrade", () -> primary.stop(LabService.MARIADB));
            whileRequestsAreAnswered(A_WHILE);
            assertThat(state().holder(PRIMARY)).contains(primary.name());
            act("start it again", () -> primary.start(LabService.MARIADB));
            clientsAreServed();
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(primary.name());
            // a restarted server is elected anew (S16), and wins: the same host under the next epoch
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch + 1);
            writers.everythingIsEverywhere(this::tell);
        }
    }
}
