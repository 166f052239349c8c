package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Agents are upgraded while no controller is there: who is stopped cleanly leaves its consent standing.
class StandingConsentStory extends Story {

    @Test
    @Fault(
            "the only controller killed; the agents of the passive balancer and of both replicas stopped cleanly, started"
                    + " again, and the controller after them")
    void agentsThatAreStoppedCleanlyDoNotTakeTheSiteWithThem() {
        LabHost controller = host(Topology.CTL1.name());
        LabHost passive = passiveBalancer();
        List<LabHost> replicas = replicas();
        Map<String, Long> epochs = epochs();
        long from = System.nanoTime();
        act("kill the controller", () -> controller.kill(LabService.CONTROLLER));
        whileRequestsAreAnswered(200);
        act("stop the agent of " + passive.name(), () -> passive.stop(LabService.AGENT));
        replicas.forEach(replica -> act("stop the agent of " + replica.name(), () -> replica.stop(LabService.AGENT)));
        whileRequestsAreAnswered(1000);
        replicas.forEach(replica -> act("start it on " + replica.name(), () -> replica.start(LabService.AGENT)));
        act("start it on " + passive.name(), () -> passive.start(LabService.AGENT));
        whileRequestsAreAnswered(500);
        act("start the controller", () -> controller.start(LabService.CONTROLLER));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(epochs()).isEqualTo(epochs);
        nothingWasLostSince(from);
    }
}
