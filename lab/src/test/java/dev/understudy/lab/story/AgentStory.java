package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The agent of a holder dies though its service lives; and what it guards is taken from it.
class AgentStory extends Story {

    /// With the profile `relaxed` (ttl 6 s): on a busy machine a start may take longer than the ttl of `standard`,
    /// which is the other story.
    @Test
    @Fault("the agent of each holder restarted as planned, then killed (SIGKILL) and started again (profile relaxed)")
    void anAgentThatIsBackWithinTheTtlAdoptsItsLease() {
        String standard = api().spec();
        act("profile relaxed", () -> api().apply(standard.replace("profile: standard", "profile: relaxed")));
        try {
            eventually(
                    "it is in force",
                    () -> state().json().path("profile").asString("").equals("relaxed"));
            siteBecomesWell();
            Map<String, Long> epochs = epochs();
            for (LabHost holder : List.of(activeBalancer(), primary())) {
                whileRequestsAreAnswered(200); // heartbeats under the new profile
                act(
                        "restart the agent of " + holder.name() + " as an operator does",
                        () -> holder.restart(LabService.AGENT));
                siteBecomesWell();
                assertThat(epochs()).isEqualTo(epochs);
                act("kill the agent of " + holder.name() + " and start it again", () -> {
                    holder.kill(LabService.AGENT);
                    holder.start(LabService.AGENT);
                });
                siteBecomesWell();
                whileRequestsAreAnswered(600); // the ttl
                assertThat(epochs()).isEqualTo(epochs);
            }
        } finally {
            act("profile standard again", () -> api().apply(standard));
        }
        siteBecomesWell();
    }

    @Test
    @Fault("the agent of the active balancer killed (SIGKILL), started again after the ttl")
    void aBalancerWhoseAgentIsGoneForLongerThanTheTtlIsReplaced() {
        LabHost old = activeBalancer();
        act("kill the agent of " + old.name(), () -> old.kill(LabService.AGENT));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        long started = System.nanoTime();
        act("start it again", () -> old.start(LabService.AGENT));
        siteBecomesWell();
        eventually("the old holder has no address", () -> !hasAddress(old, Topology.SITE_ADDRESS));
        whileRequestsAreAnswered(300);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
        nothingWasLostSince(started);
    }

    @Test
    @Fault("the agent of the primary killed (SIGKILL), started again after the ttl")
    void aPrimaryWhoseAgentIsGoneForLongerThanTheTtlIsReplacedAndFollows() {
        LabHost old = primary();
        act("kill the agent of " + old.name(), () -> old.kill(LabService.AGENT));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        long started = System.nanoTime();
        act("start it again", () -> old.start(LabService.AGENT));
        siteBecomesWell();
        eventually("the old holder has no writer address", () -> !hasAddress(old, Topology.WRITER_ADDRESS));
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
        nothingWasLostSince(started);
    }

    @Test
    @Fault("nft flush ruleset on both holders: the gates are gone")
    void aGateThatSomebodyFlushedIsBackAndNothingMoves() {
        Map<String, Long> epochs = epochs();
        long from = System.nanoTime();
        LabHost balancer = activeBalancer();
        LabHost primary = primary();
        act("flush the rules of " + balancer.name() + " and " + primary.name(), () -> {
            balancer.run("nft", "flush", "ruleset").orThrow();
            primary.run("nft", "flush", "ruleset").orThrow();
        });
        eventually("the gate of the address is back", () -> gateOf(balancer).contains(Topology.SITE_ADDRESS + " "));
        eventually("that of the writer address too", () -> gateOf(primary).contains(Topology.WRITER_ADDRESS + " "));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(epochs()).isEqualTo(epochs);
        nothingWasLostSince(from);
    }
}
