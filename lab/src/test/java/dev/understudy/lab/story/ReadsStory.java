package dev.understudy.lab.story;

import static dev.understudy.lab.site.Wellness.READER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.lab.measure.Reads;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// How far replicas are behind, and what is made of it.
class ReadsStory extends Story {

    @Test
    @Fault("the applier of one replica is held up by somebody's lock")
    void howFarAReplicaIsBehindIsToldAndItIsNoTargetOfAMove() {
        LabHost lagging = replicas().getFirst();
        LabHost other = replicas().getLast();
        eventually("the lag of both is measured by the row", () -> lag(lagging) >= 0 && lag(other) >= 0);
        act(
                "hold a read lock on " + lagging.name() + ": its applier falls behind",
                () -> lagging.run(
                        "sh",
                        "-c",
                        "mariadb -e 'FLUSH TABLES WITH READ LOCK; DO SLEEP(12)' </dev/null >/dev/null 2>&1 &"));
        eventually("its lag is told", () -> lag(lagging) > 4000);
        assertThatThrownBy(() -> api().switchover(PRIMARY, lagging.name()))
                .isInstanceOf(ControllerApi.Refused.class)
                .hasMessageContaining("lags by");
        eventually("the other one is not behind", () -> lag(other) < 2500);
        eventually("it has caught up", () -> lag(lagging) < 2500);
        clientsAreServed();
    }

    @Test
    @Fault("the applier of the replica that serves reads is held up by somebody's lock")
    void readsLeaveAReplicaThatFallsBehind() {
        LabHost reading = replicaThatServesReads();
        try (Reads reads = Reads.start(host(Topology.WEB1.name()), Topology.READER_ADDRESS)) {
            eventually("reads are answered by " + reading.name(), () -> reads.answeredBy(reading));
            act(
                    "hold a read lock on " + reading.name() + ": its applier falls behind",
                    () -> reading.run(
                            "sh",
                            "-c",
                            "mariadb -e 'FLUSH TABLES WITH READ LOCK; DO SLEEP(20)' </dev/null >/dev/null 2>&1 &"));
            LabHost next = becomesHolderInsteadOf(reading, READER);
            eventually("reads are answered by " + next.name(), () -> reads.answeredBy(next));
            assertThat(ownEvents()).contains("LB-55");
            eventually(reading.name() + " has caught up", () -> lag(reading) >= 0 && lag(reading) < 2500);
            clientsAreServed();
            siteBecomesWell();
        }
    }

    @Test
    @Fault("mariadbd of the replica that serves reads killed")
    void readsLeaveAReplicaThatDies() {
        LabHost reading = replicaThatServesReads();
        long epoch = state().epoch(PRIMARY);
        try (Reads reads = Reads.start(host(Topology.WEB1.name()), Topology.READER_ADDRESS)) {
            eventually("reads are answered by " + reading.name(), () -> reads.answeredBy(reading));
            long from = System.nanoTime();
            act("kill mariadbd of " + reading.name(), () -> reading.kill(LabService.MARIADB));
            LabHost next = becomesHolderInsteadOf(reading, READER);
            eventually("reads are answered by " + next.name(), () -> reads.answeredBy(next));
            tell("no read for %d ms"
                    .formatted(reads.timeline().between(from, System.nanoTime()).outageMillis()));
            act("start it again", () -> reading.start(LabService.MARIADB));
            siteBecomesWell();
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
        }
    }

    private LabHost replicaThatServesReads() {
        eventually(
                "a replica serves reads",
                () -> state().steady(READER) && !state().holder(READER).equals(state().holder(PRIMARY)));
        return holderOf(READER);
    }

    /// Milliseconds, -1 if it is not measured by the heartbeat row.
    private long lag(LabHost replica) {
        JsonNode lags = state().resource(PRIMARY).orElseThrow().path("lags");
        for (JsonNode lag : lags) {
            if (lag.path("host").asString("").equals(replica.name())
                    && lag.path("by_row").asBoolean(false)) {
                return lag.path("millis").asLong();
            }
        }
        return -1;
    }
}
