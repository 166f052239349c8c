package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Decision.Answer;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What operators say that stays in force, on the staged site.
class DeskTest {

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
    }

    @AfterEach
    void neverTwoHolders() {
        assertThat(site.violations).isEmpty();
    }

    @Test
    void a_host_that_is_heard_cannot_be_vouched_off() {
        Answer answer = ask(new OperatorRequest.Fenced("lb1"));
        assertThat(answer.accepted()).isFalse();
        assertThat(answer.text()).isEqualTo("lb1 is not off: its agent is heard now");
        assertThat(ask(new OperatorRequest.Fenced("lb9")).text()).isEqualTo("there is no host 'lb9'");
    }

    @Test
    void a_host_that_holds_nothing_needs_no_word() {
        site.host("lb2").cut();
        site.run(Duration.ofSeconds(1));
        assertThat(ask(new OperatorRequest.Fenced("lb2")).text())
                .isEqualTo("lb2 holds nothing: there is nothing to vouch for");
    }

    @Test
    void a_vouched_epoch_is_journaled_and_no_later_one_is() {
        site.host("lb1").cut();
        site.run(Duration.ofSeconds(1));
        Answer answer = ask(new OperatorRequest.Fenced("lb1"));
        assertThat(answer.text()).isEqualTo("lb1 counts as off: edge/192.0.2.10 epoch 1");
        assertThat(answer.event()).isNotEmpty();
        site.run(Duration.ofSeconds(3));
        assertThat(site.state().journaled().vouched()).containsOnly(Map.entry(StagedSite.ADDRESS, 1L));
        assertThat(resource(StagedSite.ADDRESS).epoch()).isEqualTo(2);
    }

    private ResourceState resource(ResourceId id) {
        return Objects.requireNonNull(site.state().journaled().resources().get(id));
    }

    private Answer ask(OperatorRequest request) {
        List<Answer> answers = site.decide(new Input.Operator("r", "ann", request));
        assertThat(answers).hasSize(1);
        return answers.getFirst();
    }
}
