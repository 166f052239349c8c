package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Observation.HeartbeatRow;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The reader address beside the primary role: whom it is given to, when it leaves and when it comes back.
class ReaderAddressTest {

    private static final long NOON = 1_764_504_000_000_000L;

    private final StagedSite site = new StagedSite(StagedSite.spec(Mode.AUTOMATIC, Recovery.DEFAULT, StagedSite.READS));

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        assertThat(primary()).isEqualTo("db1");
        assertThat(reader().phase()).as(String.join("\n", site.events())).isEqualTo(AddressPhase.HELD);
        assertThat(reader().holder()).isEqualTo("db2");
        row("db1", 0);
        lags("db2", 0);
        lags("db3", 0);
    }

    @AfterEach
    void neverTwoHolders() {
        assertThat(site.violations).isEmpty();
    }

    @Test
    void it_goes_to_a_replica_that_has_been_close_behind_for_long() {
        site.run(Duration.ofSeconds(31));
        lags("db2", 8);
        site.run(Duration.ofSeconds(6));
        assertThat(reader().holder()).isEqualTo("db3");
        assertThat(primary()).isEqualTo("db1");
    }

    @Test
    void lag_that_comes_and_goes_moves_nothing() {
        long epoch = reader().epoch();
        for (int i = 0; i < 20; i++) {
            lags("db2", i % 2 == 0 ? 8 : 1);
            site.run(Duration.ofSeconds(3));
        }
        assertThat(reader().epoch()).isEqualTo(epoch);
    }

    @Test
    void at_the_primary_it_stays_while_replicas_come_and_go() {
        lags("db2", 8);
        lags("db3", 8);
        site.run(Duration.ofSeconds(6));
        assertThat(reader().holder()).isEqualTo("db1");
        long epoch = reader().epoch();
        for (int i = 0; i < 6; i++) {
            lags("db2", 0);
            site.run(Duration.ofSeconds(20));
            lags("db2", 4); // within the bound, and not close behind
            site.run(Duration.ofSeconds(2));
        }
        assertThat(reader().epoch()).isEqualTo(epoch);
        lags("db2", 0);
        site.run(Duration.ofSeconds(31));
        assertThat(reader().holder()).isEqualTo("db2");
    }

    @Test
    void a_failover_of_the_primary_does_not_move_reads() {
        long epoch = reader().epoch();
        site.host("db3").cut();
        site.host("db1").killService(); // db3 may have what nobody else has: the plan stops
        site.run(Duration.ofSeconds(30));
        assertThat(reader().holder()).isEqualTo("db2");
        assertThat(reader().epoch()).isEqualTo(epoch);
    }

    @Test
    void a_planned_move_of_the_group_is_one_of_its_primary_and_reads_move_by_their_own_name() {
        Decision.Answer answer = site.decide(new Input.Operator(
                        "move", "operator", new OperatorRequest.Switchover(StagedSite.READER, "db3")))
                .getFirst();
        assertThat(answer.accepted()).as(answer.text()).isTrue();
        site.run(Duration.ofSeconds(1));
        assertThat(reader().holder()).isEqualTo("db3");
        assertThat(primary()).isEqualTo("db1");
    }

    /// Such as before maintenance of the replica that serves it.
    @Test
    void what_an_operator_moves_to_the_primary_stays_there_for_a_while() {
        site.run(Duration.ofSeconds(60)); // both replicas are close behind
        Decision.Answer answer = site.decide(new Input.Operator(
                        "move", "operator", new OperatorRequest.Switchover(StagedSite.READER, "db1")))
                .getFirst();
        assertThat(answer.accepted()).as(answer.text()).isTrue();
        site.run(Duration.ofSeconds(28));
        assertThat(reader().holder()).isEqualTo("db1");
        site.run(Duration.ofSeconds(5));
        assertThat(reader().holder()).isEqualTo("db2");
    }

    @Test
    void an_operator_cannot_give_it_to_a_replica_that_lags() {
        lags("db3", 8);
        site.run(Duration.ofSeconds(1));
        Decision.Answer answer = site.decide(new Input.Operator(
                        "move", "operator", new OperatorRequest.Switchover(StagedSite.READER, "db3")))
                .getFirst();
        assertThat(answer.accepted()).isFalse();
        assertThat(answer.text()).contains("lags by 8.0 s");
    }

    private void row(String host, long secondsAgo) {
        site.host(host).heartbeatRow(new HeartbeatRow(1, 1, NOON - secondsAgo * 1_000_000));
    }

    private void lags(String replica, long seconds) {
        row(replica, seconds);
    }

    private AddressState reader() {
        return (AddressState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.READER));
    }

    private String primary() {
        return String.valueOf(
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY))
                        .holder());
    }
}
