package dev.understudy.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.agent.peer.HttpLook.Seen;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation.Reach;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BeliefTest {

    private final Belief belief = new Belief(Duration.ofMillis(600));

    /// A look from one millisecond to another.
    private Optional<Reach> look(long from, long to, Reach reach, String detail) {
        return belief.after(new Seen(at(from), reach, detail), at(to)).map(Seen::reach);
    }

    private Optional<Reach> look(long from, long to, Reach reach) {
        return look(from, to, reach, "");
    }

    private static Moment at(long millis) {
        return new Moment(Duration.ofMillis(millis).toNanos());
    }

    @Test
    void an_answer_and_a_refusal_are_believed_at_once() {
        assertThat(look(0, 1, Reach.ANSWERS)).contains(Reach.ANSWERS);
        assertThat(look(200, 201, Reach.REFUSES)).contains(Reach.REFUSES);
        assertThat(look(400, 401, Reach.ANSWERS)).contains(Reach.ANSWERS);
    }

    @Test
    void one_lost_probe_is_not_silence_three_intervals_are() {
        look(0, 1, Reach.ANSWERS);
        assertThat(look(200, 450, Reach.SILENT)).isEmpty();
        assertThat(look(500, 501, Reach.ANSWERS)).contains(Reach.ANSWERS);
        assertThat(look(700, 950, Reach.SILENT)).isEmpty();
        assertThat(look(1000, 1250, Reach.HANGS)).contains(Reach.HANGS);
        assertThat(look(1300, 1550, Reach.SILENT)).contains(Reach.SILENT);
    }

    @Test
    void what_never_answered_is_unknown_until_it_was_silent_for_long_enough() {
        assertThat(look(0, 250, Reach.SILENT)).isEmpty();
        assertThat(look(300, 599, Reach.SILENT)).isEmpty();
        assertThat(look(650, 900, Reach.SILENT)).contains(Reach.SILENT);
    }

    @Test
    void s8_an_observer_that_slept_begins_anew() {
        look(0, 1, Reach.ANSWERS);
        assertThat(look(5000, 5250, Reach.SILENT)).isEmpty();
        assertThat(look(5300, 5550, Reach.SILENT)).isEmpty();
        assertThat(look(5600, 5850, Reach.SILENT)).contains(Reach.SILENT);
    }

    @Test
    void a_host_without_a_route_is_no_eye_until_it_had_one() {
        for (long i = 0; i < 10; i++) {
            assertThat(look(i * 200, i * 200 + 1, Reach.SILENT, HttpLook.NO_ROUTE))
                    .isEmpty();
        }
        assertThat(look(2000, 2001, Reach.ANSWERS)).contains(Reach.ANSWERS);
        look(2200, 2201, Reach.SILENT, HttpLook.NO_ROUTE);
        look(2500, 2501, Reach.SILENT, HttpLook.NO_ROUTE);
        assertThat(look(2700, 2701, Reach.SILENT, HttpLook.NO_ROUTE)).contains(Reach.SILENT);
    }
}
