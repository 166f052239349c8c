package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The only controller is gone: holders live on the consent of the other members, and nobody replaces them.
class AbsentControllerStory extends Story {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int REQUESTS_OF_A_MINUTE = 6000;

    @Test
    @Fault("the only controller killed, started again after a minute")
    void aMinuteWithoutAControllerLosesNothing() {
        LabHost controller = host(Topology.CTL1.name());
        Map<String, Long> epochs = epochs();
        long from = System.nanoTime();
        act("kill the controller", () -> controller.kill(LabService.CONTROLLER));
        whileRequestsAreAnswered(REQUESTS_OF_A_MINUTE);
        act("start it again", () -> controller.start(LabService.CONTROLLER));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(epochs()).isEqualTo(epochs);
        nothingWasLostSince(from);
    }

    /// The documented limit of a single controller: nobody is there to replace a holder.
    @Test
    @Fault("the only controller killed, then HAProxy of the active balancer; the controller started again")
    void withoutAControllerADeadBalancerIsReplacedOnlyWhenItIsBack() {
        LabHost controller = host(Topology.CTL1.name());
        LabHost old = activeBalancer();
        act("kill the controller", () -> controller.kill(LabService.CONTROLLER));
        long dead = System.nanoTime();
        act("kill HAProxy of " + old.name(), () -> old.kill(LabService.HAPROXY));
        Waiting.until(
                "a hundred requests fail", LIMIT, () -> requestsSince(dead).failed() >= 100);
        tell("the site is down");
        act("start the controller", () -> controller.start(LabService.CONTROLLER));
        becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        act("start HAProxy again", () -> old.start(LabService.HAPROXY));
        siteBecomesWell();
    }
}
