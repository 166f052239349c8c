package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import org.junit.jupiter.api.Test;

/// What operators hold back themselves, typed as they would.
class PauseStory extends Story {

    @Test
    @Fault("HAProxy of the active balancer killed while its group is paused; resumed later")
    void whatHappensInAPauseIsActedUponOnlyAfterIt() {
        LabHost old = activeBalancer();
        act("pause", () -> understudy("pause", Topology.BALANCER_GROUP, "--for", "10m", "--reason", "new switches"));
        act("kill HAProxy of " + old.name(), () -> old.kill(LabService.HAPROXY));
        eventually("it is noted that a move is held back", () -> events().contains("HELD_BACK"));
        whileRequestsAreAnswered(200);
        assertThat(state().holder(SITE)).contains(old.name());

        act("resume", () -> understudy("resume", Topology.BALANCER_GROUP));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        act("start HAProxy again", () -> old.start(LabService.HAPROXY));
        siteBecomesWell();
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
    }

    private void understudy(String... words) {
        String[] line = new String[words.length + 1];
        line[0] = Checkout.find().cli();
        System.arraycopy(words, 0, line, 1, words.length);
        Commands.Result result = host(Topology.CTL1.name()).run(line);
        tell(result.output().strip());
        assertThat(result.exit()).as(result.output()).isZero();
    }
}
