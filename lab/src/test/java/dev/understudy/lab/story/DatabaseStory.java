package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import org.junit.jupiter.api.Test;

/// The primary and its successors.
class DatabaseStory extends Story {

    @Test
    void aKilledPrimaryIsReplacedAndFollowsByItselfWhenItReturns() {
        LabHost old = primary();
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();

        act("start it again", () -> old.start(LabService.MARIADB));
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        eventually(
                "the old primary has every acknowledged row",
                () -> instruments().writer().missingOn(old).isEmpty());
    }

    @Test
    void aPrimaryThatIsCutOffIsReplacedAndFollowsByItselfWhenItReturns() {
        LabHost old = primary();
        act("cut off " + old.name(), () -> lab().cut(old.name()));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();

        act("heal it", () -> lab().heal(old.name()));
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        eventually(
                "the old primary has every acknowledged row",
                () -> instruments().writer().missingOn(old).isEmpty());
    }

    @Test
    void aPlannedMoveLosesNothing() {
        LabHost old = primary();
        act("switch over", () -> api().switchover(PRIMARY, ""));
        becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        siteBecomesWell();
    }
}
