package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.measure.KeptConnections;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// The virtual address and its holders.
class BalancerStory extends Story {

    @Test
    @Fault("HAProxy of the active balancer killed (SIGKILL), started again later")
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
    @Fault("the active balancer cut off from everybody, healed later")
    void aBalancerThatIsCutOffIsReplacedAndReturnsPassive() {
        LabHost old = activeBalancer();
        act("cut off " + old.name(), () -> lab().cut(old.name()));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();

        long healed = System.nanoTime();
        act("heal it", () -> lab().heal(old.name()));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
        nothingWasLostSince(healed);
    }

    @Test
    @Fault("planned move of the address, under 20 connections that are kept")
    void aPlannedMoveGoesToTheOther() {
        LabHost old = activeBalancer();
        try (KeptConnections kept = KeptConnections.start(
                host(Topology.CLIENT.name()), Topology.SITE_ADDRESS, 80, 20, Duration.ofMillis(100))) {
            eventually("the kept connections are answered", () -> kept.rounds() >= 3);
            long from = System.nanoTime();
            act("switch over", () -> api().switchover(SITE, ""));
            becomesHolderInsteadOf(old, SITE);
            long moved = kept.rounds();
            eventually("they are answered 30 times more", () -> kept.rounds() >= moved + 30);
            assertThat(kept.failures()).as("connections that broke").isEmpty();
            clientsAreServed();
            assertThat(requestsSince(from).firstFailure()).as("failed requests").isEmpty();
        }
        siteBecomesWell();
    }
}
