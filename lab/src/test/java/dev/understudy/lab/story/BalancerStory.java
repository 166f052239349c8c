package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import org.junit.jupiter.api.Test;

/// The virtual address and its holders.
class BalancerStory extends Story {

    @Test
    void aKilledHaproxyIsReplacedAndTheOldHolderReturnsPassive() {
        LabHost old = activeBalancer();
        act("kill HAProxy of " + old.name(), () -> old.kill(LabService.HAPROXY));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();

        long epoch = state().epoch(SITE);
        act("start it again", () -> old.start(LabService.HAPROXY));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
        assertThat(state().epoch(SITE)).isEqualTo(epoch);
    }

    @Test
    void aBalancerThatIsCutOffIsReplacedAndReturnsPassive() {
        LabHost old = activeBalancer();
        act("cut off " + old.name(), () -> lab().cut(old.name()));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();

        act("heal it", () -> lab().heal(old.name()));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
    }

    @Test
    void aPlannedMoveGoesToTheOther() {
        LabHost old = activeBalancer();
        act("switch over", () -> api().switchover(SITE, ""));
        becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        siteBecomesWell();
    }
}
