package dev.understudy.agent.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.protocol.Observation.ServerState;
import org.junit.jupiter.api.Test;

class HaproxyStatsTest {

    @Test
    void columnsAreFoundByNameWhereverTheyStand() {
        String stat = """
                # status,pxname,note,svname,
                OPEN,edge,,FRONTEND,
                DOWN 1/2,app,"a, ""b""\",web1,
                UP,app,,BACKEND,
                """;

        assertThat(HaproxyStats.servers(stat)).containsExactly(new ServerState("app", "web1", "DOWN 1/2"));
    }

    @Test
    void anotherTextIsRefused() {
        assertThatThrownBy(() -> HaproxyStats.servers("Unknown command."))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no header");
        assertThatThrownBy(() -> HaproxyStats.servers("# pxname,svname\na,b"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("status");
    }

    @Test
    void infoFields() {
        assertThat(HaproxyStats.info("Name: HAProxy\nPid: 12\n", "Pid")).isEqualTo("12");
        assertThat(HaproxyStats.info("Name: HAProxy\n", "Pid")).isEmpty();
    }
}
