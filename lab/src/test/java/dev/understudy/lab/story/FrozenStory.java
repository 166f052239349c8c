package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Processes that stand still: of a whole host (its kernel lives on), or of one service.
class FrozenStory extends Story {

    private static final Duration STALL = Duration.ofMillis(300);
    private static final Duration PATIENT = Duration.ofSeconds(30);
    private static final int IN_FLIGHT = 8;

    @Test
    @Fault("every process of the active balancer's host frozen, thawed later")
    void aFrozenBalancerIsReplacedAndFencesItselfWhenItThaws() {
        LabHost old = activeBalancer();
        act("freeze " + old.name(), old::freeze);
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        assertThat(gateOf(old)).as("its kernel's lease").doesNotContain(Topology.SITE_ADDRESS + " ");

        long epoch = state().epoch(SITE);
        long thawed = System.nanoTime();
        act("thaw it", old::thaw);
        eventually("it has given the address up", () -> !hasAddress(old, Topology.SITE_ADDRESS));
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
        assertThat(state().epoch(SITE)).isEqualTo(epoch);
        nothingWasLostSince(thawed);
    }

    @Test
    @Fault("every process of the primary's host frozen, thawed later")
    void aFrozenPrimaryIsReplacedAndFollowsWhenItThaws() {
        LabHost old = primary();
        act("freeze " + old.name(), old::freeze);
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        assertThat(gateOf(old)).as("its kernel's lease").doesNotContain(Topology.WRITER_ADDRESS + " ");

        long epoch = state().epoch(PRIMARY);
        long thawed = System.nanoTime();
        act("thaw it", old::thaw);
        eventually("it has given the writer address up", () -> !hasAddress(old, Topology.WRITER_ADDRESS));
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
        hasEveryAcknowledgedRow(old);
        nothingWasLostSince(thawed);
    }

    @Test
    @Fault("the primary's host frozen while eight clients commit, thawed while they still wait")
    void aPrimaryFrozenInMidCommitLosesNoAcknowledgedRow() {
        LabHost old = primary();
        List<Writer> patient = new ArrayList<>();
        try {
            for (int i = 0; i < IN_FLIGHT; i++) {
                patient.add(Writer.start(host(i % 2 == 0 ? "web1" : "web2"), Topology.WRITER_ADDRESS, PATIENT));
            }
            eventually("they all commit", () -> patient.stream().allMatch(writer -> writer.acknowledgedCount() >= 20));
            act("freeze " + old.name(), old::freeze);
            LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
            clientsAreServed();
            act("thaw it", old::thaw);
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(successor.name());
            whileRequestsAreAnswered(100);
            for (Writer writer : patient) {
                assertThat(writer.missingOn(successor)).isEmpty();
            }
            hasEveryAcknowledgedRow(old);
        } finally {
            patient.forEach(Writer::close);
        }
    }

    @Test
    @Fault("the hosts of both holders stall for 300 ms, one after the other, three times")
    void aStallOf300MillisecondsMovesNothing() {
        Map<String, Long> epochs = epochs();
        for (int round = 1; round <= 3; round++) {
            for (LabHost holder : List.of(activeBalancer(), primary())) {
                act(
                        "stall " + holder.name(),
                        () -> tell("for " + holder.stall(STALL).toMillis() + " ms in fact"));
                clientsAreServed();
            }
        }
        whileRequestsAreAnswered(200);
        assertThat(epochs()).isEqualTo(epochs);
    }

    @Test
    @Fault("HAProxy of the active balancer stopped (SIGSTOP): it lives, accepts, and never answers")
    void aHungHaproxyIsReplaced() {
        LabHost old = activeBalancer();
        act("stop HAProxy of " + old.name(), () -> old.hang(LabService.HAPROXY));
        LabHost taker = becomesHolderInsteadOf(old, SITE);
        clientsAreServed();
        act("let it go on", old::thaw);
        siteBecomesWell();
        whileRequestsAreAnswered(300);
        assertThat(activeBalancer().name()).isEqualTo(taker.name());
    }

    @Test
    @Fault("mariadbd of the primary stopped (SIGSTOP): it lives, accepts, and never answers")
    void aHungMariadbIsReplaced() {
        LabHost old = primary();
        act("stop mariadbd of " + old.name(), () -> old.hang(LabService.MARIADB));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        act("let it go on", () -> {
            old.thaw();
            old.start(LabService.MARIADB); // fencing may have ended it
        });
        siteBecomesWell();
        assertThat(primary().name()).isEqualTo(successor.name());
        hasEveryAcknowledgedRow(old);
    }
}
