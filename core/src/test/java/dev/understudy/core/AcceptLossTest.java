package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Decision.Answer;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec.Mode;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// An operator lets a failover that stopped go on without members that do not answer. Nothing else ever does.
class AcceptLossTest {

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        assertThat(primary().holder()).isEqualTo("db1");
        site.host("db1").write(100);
        site.run(Duration.ofMillis(300));
    }

    @Test
    void s14_a_stopped_failover_goes_on_when_the_operator_types_whose_rows_may_be_lost() {
        site.host("db3").cut();
        site.run(Duration.ofMillis(200));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.BLOCKED);

        assertThat(accept("yes").accepted()).isFalse();
        assertThat(accept("lose db2").text()).contains("types 'lose db3'");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.BLOCKED);
        Answer answer = accept("lose db3");
        assertThat(answer.accepted()).as(answer.text()).isTrue();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db2");
        assertThat(story())
                .contains("row=DB-88 situation=LOSS_ACCEPTED")
                .contains("alice accepts the loss of whatever db3 alone acknowledged");

        site.host("db3").heal();
        site.run(Duration.ofSeconds(6));
        assertThat(site.host("db3").follows("db2")).as(story()).isTrue();
    }

    @Test
    void s14_waiting_alone_never_leads_there() {
        site.host("db3").cut();
        site.run(Duration.ofMillis(200));
        site.host("db1").killService();
        site.run(Duration.ofMinutes(10));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(site.host("db2").writable()).isFalse();
    }

    @Test
    void s20_a_primary_that_ran_alone_is_replaced_only_with_the_operators_word() {
        site.host("db1").answerUnacknowledged();
        site.host("db2").stallReceiver();
        site.host("db3").stallReceiver();
        site.host("db1").write(5);
        site.run(Duration.ofSeconds(1));
        assertThat(primary().alone()).as(story()).isTrue();
        site.host("db1").killService();
        site.host("db1").cut();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(accept("lose db1").accepted()).isTrue();
        site.host("db2").goesOnReceiving();
        site.host("db3").goesOnReceiving();
        site.run(Duration.ofSeconds(5));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void there_is_nothing_to_accept_while_nobody_is_missing() {
        assertThat(accept("lose db2").text()).contains("it has not stopped (HELD)");
        site.host("db2").slowApplier();
        site.host("db3").slowApplier();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(25));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(accept("lose db2").text()).contains("nothing is lost by waiting");
    }

    private Answer accept(String words) {
        return site.decide(new Input.Operator("r", "alice", new OperatorRequest.AcceptLoss(StagedSite.PRIMARY, words)))
                .getFirst();
    }

    private String story() {
        return String.join("\n", site.events());
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
