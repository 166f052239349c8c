package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.LabHost;
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
