package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Observation.HeartbeatRow;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// How far a replica is behind, told by the heartbeat row, and what a planned move makes of it.
class ReplicationLagTest {

    private static final long NOON = 1_764_504_000_000_000L;

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        assertThat(primary().holder()).isEqualTo("db1");
        site.host("db1").heartbeatRow(new HeartbeatRow(1, 1, NOON));
    }

    @Test
    void the_lag_is_the_difference_of_two_rows_of_the_same_primary() {
        site.host("db2").heartbeatRow(new HeartbeatRow(1, 1, NOON - 90_500_000));
        assertThat(lag("db2").byRow()).isTrue();
        assertThat(lag("db2").length()).isEqualTo(Duration.ofMillis(90_500));
        assertThat(lag("db2").describe()).isEqualTo("lags by 90.5 s");
    }

    @Test
    void a_row_that_overtakes_the_primarys_report_is_no_lag() {
        site.host("db2").heartbeatRow(new HeartbeatRow(1, 1, NOON + 1_000_000));
        assertThat(lag("db2").length()).isEqualTo(Duration.ZERO);
    }

    @Test
    void the_row_of_an_earlier_primary_has_another_clock_and_is_not_compared() {
        site.host("db2").heartbeatRow(new HeartbeatRow(3, 1, NOON - 3_600_000_000L));
        assertThat(lag("db2").byRow()).isFalse();
        site.host("db1").heartbeatRow(new HeartbeatRow(3, 1, NOON));
        assertThat(lag("db2").byRow()).isFalse(); // the primary has not written one of its own yet
    }

    @Test
    void a_member_that_lags_by_the_row_is_no_target_of_a_planned_move_whatever_its_own_estimate_says() {
        site.host("db2").heartbeatRow(new HeartbeatRow(1, 1, NOON - 20_000_000));
        site.host("db3").heartbeatRow(new HeartbeatRow(1, 1, NOON - 1_000_000));
        Decision.Answer refused = move("db2");
        assertThat(refused.accepted()).isFalse();
        assertThat(refused.text()).contains("it lags by 20.0 s");
        assertThat(move("db3").accepted()).isTrue();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).isEqualTo("db3");
    }

    private Decision.Answer move(String to) {
        List<Decision.Answer> answers = site.decide(
                new Input.Operator("move", "operator", new OperatorRequest.Switchover(StagedSite.PRIMARY, to)));
        return answers.getFirst();
    }

    private ReplicationLag lag(String member) {
        return ReplicationLag.of(new Evidence(site.state(), site.now()), "shopdb", member)
                .orElseThrow();
    }

    private ResourceState primary() {
        ResourceState primary = site.state().journaled().resources().get(StagedSite.PRIMARY);
        assertThat(primary).isNotNull();
        return java.util.Objects.requireNonNull(primary);
    }
}
