package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Switch.Direction;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.Network;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Cables that are cut in part. Links keep their carrier throughout.
class PartitionStory extends Story {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final int FLAPS = 30;
    private static final long MOST_MOVES = 2;

    @ParameterizedTest
    @EnumSource(
            value = Direction.class,
            names = {"IN", "OUT"})
    @Fault("the active balancer cut one way: it hears nothing, or nobody hears it")
    void aBalancerCutOneWayIsReplaced(Direction direction) {
        LabHost old = activeBalancer();
        Cut cut = Cut.of(old.name()).oneWay(direction);
        act("cut " + cut, () -> lab().cut(cut));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        healing(old);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
    }

    @ParameterizedTest
    @EnumSource(
            value = Direction.class,
            names = {"IN", "OUT"})
    @Fault("the primary cut one way: it hears nothing, or nobody hears it")
    void aPrimaryCutOneWayIsReplaced(Direction direction) {
        LabHost old = primary();
        Cut cut = Cut.of(old.name()).oneWay(direction);
        act("cut " + cut, () -> lab().cut(cut));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        healing(old);
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("both holders cut off from the controller alone, for ten seconds")
    void holdersThatOnlyTheControllerDoesNotHearKeepTheirJobs() {
        Map<String, Long> epochs = epochs();
        long from = System.nanoTime();
        for (LabHost holder : new LabHost[] {activeBalancer(), primary()}) {
            Cut cut = Cut.of(holder.name()).from(Topology.CTL1.name());
            act("cut " + cut, () -> lab().cut(cut));
        }
        whileRequestsAreAnswered(1000);
        assertThat(epochs()).isEqualTo(epochs);
        act("heal them", () -> lab().healAll());
        siteBecomesWell();
        whileRequestsAreAnswered(200);
        assertThat(epochs()).isEqualTo(epochs);
        nothingWasLostSince(from);
    }

    @Test
    @Fault("the active balancer's front network cut; its back network, and so its agent, is well")
    void aBalancerWithoutItsFrontNetworkIsReplaced() {
        LabHost old = activeBalancer();
        Cut cut = Cut.of(old.name()).on(Network.FRONT);
        act("cut " + cut, () -> lab().cut(cut));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        healing(old);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
    }

    @Test
    @Fault("the primary cut off from the web hosts alone: the controller and the replicas hear it")
    void aPrimaryThatTheWebHostsDoNotReachIsReplaced() {
        LabHost old = primary();
        Cut cut = Cut.of(old.name()).from("web1", "web2");
        act("cut " + cut, () -> lab().cut(cut));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        healing(old);
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("the cables of both holders flap for a minute: a second cut, a second whole")
    void flappingMovesLittleLosesNothingAndConverges() {
        String without = api().spec();
        act("a cooldown of 60 s, as by default", () -> api().apply(without.replace("cooldown: 0s", "cooldown: 60s")));
        try {
            flap();
        } finally {
            act("no cooldown again", () -> api().apply(without));
        }
        siteBecomesWell();
    }

    private void flap() {
        Map<String, Long> epochs = epochs();
        String balancer = activeBalancer().name();
        String primary = primary().name();
        act("flap the cables of " + balancer + " and " + primary, () -> {
            for (int flap = 0; flap < FLAPS; flap++) {
                lab().cutFor(SECOND, balancer, primary);
                lab().wholeFor(SECOND);
            }
        });
        siteBecomesWell();
        clientsAreServed();
        Map<String, Long> last = epochs();
        for (String resource : List.of(SITE, PRIMARY)) {
            assertThat(last.getOrDefault(resource, 0L) - epochs.getOrDefault(resource, 0L))
                    .as("moves of " + resource)
                    .isLessThanOrEqualTo(MOST_MOVES);
        }
        hasEveryAcknowledgedRow(host(primary));
    }

    private void healing(LabHost old) {
        long healed = System.nanoTime();
        act("heal " + old.name(), () -> lab().heal(old.name()));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        nothingWasLostSince(healed);
    }
}
