package dev.understudy.controller.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Operations;
import dev.understudy.core.Rebuild;
import dev.understudy.wire.json.Json;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A rebuild survives the journal, also beside what an earlier controller wrote.
class RebuildJournaledTest {

    private static final Rebuild REBUILD = new Rebuild(
            "R12",
            "db3",
            Rebuild.Phase.COPYING,
            null,
            "db2",
            1 << 20,
            2,
            List.of("a".repeat(64), "b".repeat(64), "c".repeat(64)),
            "root",
            "diverged");

    @Test
    void whatIsWrittenIsReadAgain() {
        Operations operations = Operations.NONE.rebuilding("shopdb", REBUILD);
        Operations read = Json.mapper().readValue(Json.mapper().writeValueAsString(operations), Operations.class);
        assertThat(read).isEqualTo(operations);
        assertThat(read.rebuild("shopdb")).contains(REBUILD);
        assertThat(read.rebuilding("shopdb", null)).isEqualTo(Operations.NONE);
    }

    @Test
    void anEarlierControllersOperationsHaveNone() {
        Operations read = Json.mapper().readValue("""
                        {"vouched":{},"pauses":{},"maintenance":{},"failovers":{},"restarts":{},
                         "detached":[],"attaching":[]}""", Operations.class);
        assertThat(read).isEqualTo(Operations.NONE);
        assertThat(read.rebuild("shopdb")).isEmpty();
    }
}
