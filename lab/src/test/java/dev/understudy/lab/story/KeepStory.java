package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.Network;
import org.junit.jupiter.api.Test;

/// An operator who would rather have two hosts answer than none.
class KeepStory extends Story {

    @Test
    @Fault("the active balancer cut off from all but its clients, with `when_isolated: keep`: two hosts answer")
    void anIsolatedBalancerThatIsToldToKeepGoesOnUntilTheNetworkIsWhole() {
        twoHostsMayAnswer();
        String without = api().spec();
        act(
                "when_isolated: keep",
                () -> api().apply(without.replace("kind: balancer", "kind: balancer\n    when_isolated: keep")));
        LabHost old = activeBalancer();
        try {
            eventually("its agent knows", () -> log(old).contains("event=keeps-when-isolated"));
            Cut cut = Cut.of(old.name()).on(Network.BACK);
            act("cut " + cut, () -> lab().cut(cut));
            LabHost taker = becomesHolderInsteadOf(old, SITE);
            whileRequestsAreAnswered(300);
            assertThat(gateOf(old)).as("the isolated one goes on").contains(Topology.SITE_ADDRESS + " ");
            assertThat(gateOf(taker)).as("and the other has taken it").contains(Topology.SITE_ADDRESS + " ");
            assertThat(log(old)).contains("event=kept-though-isolated", "two hosts may answer at once");

            act("heal it", () -> lab().heal(old.name()));
            eventually(old.name() + " gives up", () -> !gateOf(old).contains(Topology.SITE_ADDRESS + " "));
            siteBecomesWell();
            clientsAreServed();
            assertThat(activeBalancer().name()).isEqualTo(taker.name());
        } finally {
            act("when_isolated: fence again", () -> api().apply(without));
        }
        siteBecomesWell();
    }

    private static String log(LabHost host) {
        return host.run("cat", "/var/log/understudy/agent.log").orThrow().output();
    }
}
