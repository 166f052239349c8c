package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import org.junit.jupiter.api.Test;

/// The primary and its successors.
class DatabaseStory extends Story {

    @Test
    @Fault("mariadbd of the primary killed (SIGKILL), started again later")
    void aKilledPrimaryIsReplacedAndFollowsByItselfWhenItReturns() {
        LabHost old = primary();
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();

        act("start it again", () -> old.start(LabService.MARIADB));
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("the primary cut off from everybody, healed later")
    void aPrimaryThatIsCutOffIsReplacedAndFollowsByItselfWhenItReturns() {
        LabHost old = primary();
        act("cut off " + old.name(), () -> lab().cut(old.name()));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();

        long healed = System.nanoTime();
        act("heal it", () -> lab().heal(old.name()));
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
        nothingWasLostSince(healed);
    }

    @Test
    @Fault("mariadbd of the primary killed while the passive balancer, whose route would be closed, is cut off")
    void s21_aBalancerThatIsAwayHoldsUpNoFailover() {
        LabHost away = passiveBalancer();
        LabHost old = primary();
        act("cut off " + away.name(), () -> lab().cut(away.name()));
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();

        act("heal " + away.name(), () -> lab().heal(away.name()));
        act("start mariadbd of " + old.name() + " again", () -> old.start(LabService.MARIADB));
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("planned move of the primary")
    void aPlannedMoveLosesNothing() {
        LabHost old = primary();
        act("switch over", () -> api().switchover(PRIMARY, ""));
        becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        siteBecomesWell();
    }
}
