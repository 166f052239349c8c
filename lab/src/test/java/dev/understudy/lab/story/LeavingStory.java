package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Members that are away for long leave the ackers, and come back.
class LeavingStory extends Story {

    @Test
    @Fault("a replica's host without power for long; then mariadbd of the primary killed; both come back")
    void aReplicaThatIsAwayForLongBlocksNoFailover() {
        LabHost old = primary();
        LabHost away = replicas().getFirst();
        LabHost other = replicas().getLast();
        act("power off " + away.name(), away::powerOff);
        eventually(
                away.name() + " has left the ackers",
                () -> !state().ackers(PRIMARY).contains(away.name()));
        clientsAreServed();
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        assertThat(becomesHolderInsteadOf(old, PRIMARY).name()).isEqualTo(other.name());
        clientsAreServed();

        act("power on " + away.name(), away::powerOn);
        eventually(
                away.name() + " acknowledges again",
                () -> state().ackers(PRIMARY).contains(away.name()));
        act("start mariadbd of " + old.name(), () -> old.start(LabService.MARIADB));
        siteBecomesWell();
        hasEveryAcknowledgedRow(away);
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("a replica without power for long leaves, and comes back to the same primary")
    void aReplicaThatHasLeftIsLetInAgain() {
        LabHost primary = primary();
        LabHost away = replicas().getFirst();
        act("power off " + away.name(), away::powerOff);
        eventually(
                away.name() + " has left the ackers",
                () -> !state().ackers(PRIMARY).contains(away.name()));
        assertThat(primary.run("nft", "list", "table", "inet", "understudy_shut_shopdb")
                        .output())
                .contains(away.plan().address());
        act("power on " + away.name(), away::powerOn);
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(primary.name());
        hasEveryAcknowledgedRow(away);
    }

    @Test
    @Fault("both replicas' hosts without power for long; both come back")
    void aPrimaryWhoseReplicasAreAllAwayGoesOnAloneUntilOneIsBack() {
        LabHost primary = primary();
        act("power off both replicas", () -> replicas().forEach(LabHost::powerOff));
        eventually(
                "it is journaled as alone",
                () -> state().resource(PRIMARY).orElseThrow().path("alone").asBoolean(false));
        clientsAreServed();
        assertThat(Databases.sql(primary, "SELECT @@rpl_semi_sync_master_enabled"))
                .isEqualTo("0");
        act("power on the replicas", () -> replicas().forEach(LabHost::powerOn));
        siteBecomesWell();
        assertThat(Databases.sql(primary, "SELECT @@rpl_semi_sync_master_enabled"))
                .isEqualTo("1");
        assertThat(primary().name()).isEqualTo(primary.name());
        replicas().forEach(this::hasEveryAcknowledgedRow);
    }

    /// Its start drops what InnoDB knows only as prepared (S16), and there is nobody else who has it.
    @Test
    @Fault(
            "both replicas' hosts without power for long; mariadbd of the primary that runs alone killed while eight clients"
                    + " write, and started; both come back")
    void whatAPrimaryThatRunsAloneAcknowledgedOutlivesItsServer() {
        LabHost primary = primary();
        List<LabHost> others = replicas();
        try (ManyWriters writers = ManyWriters.atFullSpeed(lab(), instruments().writer())) {
            act("power off both replicas", () -> others.forEach(LabHost::powerOff));
            eventually(
                    "it is journaled as alone",
                    () -> state().resource(PRIMARY).orElseThrow().path("alone").asBoolean(false));
            int before = writers.acknowledged();
            eventually("all write", () -> writers.acknowledged() > before + 500);
            act("kill mariadbd of " + primary.name(), () -> primary.kill(LabService.MARIADB));
            act("start it", () -> primary.start(LabService.MARIADB));
            writers.leaveOne(); // members that were away do not catch up with all of them
            act("power on the replicas", () -> others.forEach(LabHost::powerOn)); // all positions are asked for
            clientsAreServed();
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(primary.name());
            writers.everythingIsEverywhere(this::tell);
        }
    }
}
