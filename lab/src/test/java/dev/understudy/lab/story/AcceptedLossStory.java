package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A failover that stopped goes on by the operator's word alone.
class AcceptedLossStory extends Story {

    @Test
    @Fault("a replica's host and the primary's lose power within seconds; an operator accepts what may be lost")
    void aStoppedFailoverGoesOnWhenTheOperatorTypesWhatMayBeLost() {
        LabHost old = primary();
        LabHost away = replicas().getFirst();
        LabHost other = replicas().getLast();
        act("power off " + away.name(), away::powerOff);
        clientsAreServed(); // acknowledged by the other one: it has all that was acknowledged before, too
        act("power off " + old.name(), old::powerOff);
        eventually(
                "the failover has stopped",
                () -> state().resource(PRIMARY)
                        .map(r -> r.path("phase").asString("").equals("BLOCKED"))
                        .orElse(false));

        assertThat(failover("lose " + other.name()).ok()).isFalse();
        assertThat(state().steady(PRIMARY)).isFalse();
        act("accept the loss", () -> failover("lose " + away.name()).orThrow());
        assertThat(becomesHolderInsteadOf(old, PRIMARY).name()).isEqualTo(other.name());
        assertThat(events()).contains("DB-88").contains("accepts the loss of whatever " + away.name());
        clientsAreServed();

        act("power on both", () -> List.of(old, away).forEach(LabHost::powerOn));
        siteBecomesWell();
        hasEveryAcknowledgedRow(old);
        hasEveryAcknowledgedRow(away);
    }

    private Commands.Result failover(String words) {
        Commands.Result result = host(Topology.CTL1.name())
                .run(Checkout.find().cli(), "failover", PRIMARY, "--accept-loss", "--yes", words);
        tell("understudy failover --accept-loss --yes '" + words + "': "
                + result.output().strip());
        return result;
    }
}
