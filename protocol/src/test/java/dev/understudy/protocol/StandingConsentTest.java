package dev.understudy.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Verdict;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// The consent of a member whose agent is stopped cleanly, both sides, rule by rule ([StandingConsent]). `lb1` holds
/// epoch 5 since the moment 0 and counts the circle of the test; the member is `lb2`. Times are milliseconds.
class StandingConsentTest {

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    private static final long TTL = 1500;
    private static final Duration LEASE = Duration.ofMillis(TTL);
    private static final Duration PROMISE = TimingProfile.STANDARD.lapseAfter(LEASE);
    private static final StandingConsent FIRST = new StandingConsent(1, false);

    private LeaseHolder member = new LeaseHolder(new Floors(0, List.of()));
    private long seq;

    private static Moment at(long millis) {
        return new Moment(millis * 1_000_000);
    }

    private static LeaseHolder holder(String... circle) {
        LeaseHolder holder = new LeaseHolder(new Floors(0, List.of()));
        holder.heartbeatSent(1, at(0));
        holder.take(ADDRESS, 5, at(TTL));
        holder.acknowledged(1, 1, List.of(new Grant(ADDRESS, 5, TTL, new Circle(1, List.of(circle)))), at(0));
        return holder;
    }

    private boolean consents(@Nullable StandingConsent known, long now) {
        return member.consent(ADDRESS, 5, 1, known, PROMISE, at(now)).isEmpty();
    }

    /// The member consents and leaves a standing consent.
    private void leaves(long now) {
        assertThat(consents(null, now)).isTrue();
        assertThat(member.stand(ADDRESS, 5, at(now))).contains(FIRST);
    }

    private void restarts(long now) {
        member = new LeaseHolder(member.floors());
        member.promisesEnd(at(now).plus(PROMISE));
    }

    private Verdict take(long epoch, long released, long now) {
        member.heartbeatSent(++seq, at(now));
        return member.ordered(
                new Order(seq, 1, TTL, released, new Command.TakeAddress("take" + seq, ADDRESS, epoch)), at(now));
    }

    private void close(long now) {
        member.heartbeatSent(++seq, at(now));
        member.ordered(new Order(seq, 1, TTL, new Command.CloseEpoch("close" + seq, ADDRESS, 6)), at(now));
    }

    @Test
    void a_holder_counts_it_without_asking_again_beside_the_fresh_consent_of_the_others() {
        LeaseHolder holder = holder("lb2", "lb3");
        holder.heartbeatSent(2, at(200));
        holder.consented("lb2", ADDRESS, 5, 2, LEASE, at(210));
        holder.stands("lb2", ADDRESS, 5, FIRST, LEASE, at(210));
        for (long now = 400; now < 20_000; now += 400) {
            holder.heartbeatSent(now, at(now));
            holder.consented("lb3", ADDRESS, 5, now, LEASE, at(now + 10));
            assertThat(holder.lease(ADDRESS).orElseThrow().deadline()).isEqualTo(at(now + TTL));
        }
        assertThat(holder.standing(ADDRESS)).containsExactly("lb2");
        assertThat(holder.live(ADDRESS, 5, at(19_600 + TTL)))
                .as("without the others it ends")
                .isFalse();
    }

    @Test
    void a_holder_whose_whole_circle_stands_lives_on_alone() {
        LeaseHolder holder = holder("lb2");
        holder.stands("lb2", ADDRESS, 5, FIRST, LEASE, at(100));
        for (long now = 200; now < 20_000; now += 1000) {
            assertThat(holder.alone(LEASE, at(now))).isNotEmpty();
        }
        assertThat(holder.live(ADDRESS, 5, at(19_900))).isTrue();
        assertThat(holder.alone(LEASE, at(40_000))).as("never revives").isEmpty();
    }

    @Test
    void it_counts_for_the_epoch_that_was_asked_for_and_for_a_member_of_the_circle_only() {
        LeaseHolder holder = holder("lb2");
        holder.stands("lb3", ADDRESS, 5, FIRST, LEASE, at(100));
        holder.stands("lb2", ADDRESS, 4, FIRST, LEASE, at(100));
        assertThat(holder.alone(LEASE, at(200))).isEmpty();
    }

    @Test
    void a_late_word_does_not_bring_back_what_was_taken_back() {
        LeaseHolder holder = holder("lb2");
        holder.stands("lb2", ADDRESS, 5, FIRST.taken(), LEASE, at(100));
        holder.stands("lb2", ADDRESS, 5, FIRST, LEASE, at(110));
        assertThat(holder.alone(LEASE, at(200))).isEmpty();
        assertThat(holder.questions(at(200)).getFirst().standing()).containsEntry("lb2", FIRST.taken());
    }

    @Test
    void a_late_word_does_not_count_after_the_member_left_the_circle_and_came_back() {
        LeaseHolder holder = holder("lb2");
        holder.stands("lb2", ADDRESS, 5, FIRST.taken(), LEASE, at(100));
        holder.acknowledged(1, 1, List.of(new Grant(ADDRESS, 5, TTL, new Circle(2, List.of("lb3")))), at(110));
        holder.acknowledged(1, 1, List.of(new Grant(ADDRESS, 5, TTL, new Circle(3, List.of("lb2")))), at(120));
        holder.stands("lb2", ADDRESS, 5, FIRST, LEASE, at(130));
        assertThat(holder.standing(ADDRESS)).isEmpty();
        assertThat(holder.alone(LEASE, at(200))).isEmpty();
    }

    @Test
    void a_member_that_takes_it_back_and_consents_is_not_missed_in_between() {
        LeaseHolder holder = holder("lb2");
        holder.stands("lb2", ADDRESS, 5, FIRST, LEASE, at(100));
        holder.heartbeatSent(2, at(900));
        holder.consented("lb2", ADDRESS, 5, 2, LEASE, at(910));
        assertThat(holder.stands("lb2", ADDRESS, 5, FIRST.taken(), LEASE, at(910))
                        .or(() -> holder.lease(ADDRESS)))
                .hasValueSatisfying(lease -> assertThat(lease.deadline()).isGreaterThanOrEqualTo(at(900 + TTL)));
        assertThat(holder.alone(LEASE, at(1000))).as("it lives on asking again").isEmpty();
    }

    @Test
    void s5_it_binds_a_restarted_member_without_an_end_and_the_report_says_so() {
        leaves(100);
        restarts(3000);
        assertThat(take(6, 0, 3_600_000)).isInstanceOf(Verdict.Rejected.class);
        assertThat(member.report(at(3_600_000))).containsExactly(new LeaseReport(ADDRESS, 5, 0, 0, true, 0, 5L));
    }

    @Test
    void s5_closing_the_epoch_does_not_free_it() {
        leaves(100);
        restarts(3000);
        close(4000);
        assertThat(member.report(at(60_000))).containsExactly(new LeaseReport(ADDRESS, 6, 0, 0, true, 0, 5L));
    }

    @Test
    void telling_the_holder_does_not_free_it_but_the_holders_knowing_does() {
        leaves(100);
        restarts(3000);
        assertThat(consents(FIRST, 3100)).isTrue();
        assertThat(member.word(ADDRESS, 5)).as("what its answer says").contains(FIRST.taken());
        assertThat(member.standsFor(ADDRESS)).isEqualTo(5);
        assertThat(consents(null, 3300))
                .as("a holder whose agent was restarted")
                .isTrue();
        assertThat(member.standsFor(ADDRESS)).isEqualTo(5);
        assertThat(consents(FIRST.taken(), 3500)).isTrue();
        assertThat(member.standsFor(ADDRESS)).isZero();
        assertThat(member.promised(ADDRESS, at(3500 + TTL))).isTrue();
        assertThat(member.promised(ADDRESS, at(3500).plus(PROMISE))).isFalse();
        assertThat(new LeaseHolder(member.floors()).standsFor(ADDRESS)).isZero();
    }

    @Test
    void s5_a_member_that_has_closed_the_epoch_is_bound_until_what_the_holder_counted_on_is_over() {
        leaves(100);
        restarts(3000);
        close(3100);
        long late = 3000 + PROMISE.toMillis() * 4; // what it promised before the restart is long over
        assertThat(consents(FIRST, late)).isFalse();
        assertThat(member.word(ADDRESS, 5)).contains(FIRST.taken());
        assertThat(consents(FIRST.taken(), late + 200)).isFalse();
        assertThat(member.standsFor(ADDRESS)).isZero();
        assertThat(member.promised(ADDRESS, at(late + 200 + TTL))).isTrue();
        assertThat(member.promised(ADDRESS, at(late + 200).plus(PROMISE))).isFalse();
    }

    @Test
    void stopped_again_before_the_holder_knew_it_leaves_the_next_one() {
        leaves(100);
        restarts(3000);
        assertThat(consents(FIRST, 3100)).isTrue();
        assertThat(member.stand(ADDRESS, 5, at(3100))).contains(new StandingConsent(2, false));
        assertThat(consents(FIRST.taken(), 3300)).as("an older word").isTrue();
        assertThat(member.standsFor(ADDRESS)).isEqualTo(5);
        assertThat(member.stand(ADDRESS, 5, at(3300))).contains(new StandingConsent(2, false));
    }

    @Test
    void the_leaders_word_that_the_epoch_is_over_frees_it() {
        leaves(100);
        restarts(3000);
        assertThat(take(6, 4, 4000)).isInstanceOf(Verdict.Rejected.class);
        assertThat(take(6, 5, 4100)).isInstanceOf(Verdict.Accepted.class);
        assertThat(new LeaseHolder(member.floors()).standsFor(ADDRESS)).isZero();
        member.take(ADDRESS, 6, at(4100 + TTL));
        assertThat(member.report(at(4200))).containsExactly(new LeaseReport(ADDRESS, 6, 0, 6));
    }

    @Test
    void a_holder_of_a_higher_epoch_frees_it_and_gets_a_consent_of_its_own() {
        leaves(100);
        restarts(3000);
        assertThat(member.consent(ADDRESS, 7, 2, null, PROMISE, at(9000))).isEmpty();
        assertThat(member.standsFor(ADDRESS)).isZero();
        assertThat(member.promised(ADDRESS, at(9000 + TTL))).isTrue();
        assertThat(member.promised(ADDRESS, at(9000).plus(PROMISE))).isFalse();
    }

    @Test
    void a_member_that_has_closed_the_epoch_or_promised_nothing_leaves_none() {
        assertThat(member.stand(ADDRESS, 5, at(100))).isEmpty();
        assertThat(consents(null, 100)).isTrue();
        assertThat(member.stand(ADDRESS, 5, at(100).plus(PROMISE)))
                .as("the promise has run out")
                .isEmpty();
        close(200);
        assertThat(member.stand(ADDRESS, 5, at(300))).isEmpty();
        assertThat(member.standsFor(ADDRESS)).isZero();
    }
}
