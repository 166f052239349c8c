package dev.understudy.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder.Floor;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Verdict;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The agent's half of the lease protocol, rule by rule (SAFETY.md). Times are milliseconds of a clock that the test
/// sets.
class LeaseHolderTest {

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    private static final ResourceId OTHER = new ResourceId("edge", "192.0.2.11");
    private static final long TTL = 1500;

    private final LeaseHolder holder = new LeaseHolder(new Floors(0, List.of()));

    private static Moment at(long millis) {
        return new Moment(millis * 1_000_000);
    }

    private static Command take(long epoch) {
        return new Command.TakeAddress("take", ADDRESS, epoch);
    }

    private static Grant grant(long epoch) {
        return new Grant(ADDRESS, epoch, TTL);
    }

    private Verdict order(long answers, long term, Command command, long now) {
        return holder.ordered(new Order(answers, term, TTL, command), at(now));
    }

    /// Heartbeat 1 at 0, order at 100, taken.
    private void takenAt(long epoch) {
        holder.heartbeatSent(1, at(0));
        assertThat(order(1, 1, take(epoch), 100)).isEqualTo(new Verdict.Accepted(at(TTL)));
        holder.take(ADDRESS, epoch, at(TTL));
    }

    private static String refusal(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Rejected.class);
        return ((Verdict.Rejected) verdict).outcome().code();
    }

    @Test
    void s1_the_deadline_counts_from_sending_the_heartbeat_not_from_its_acknowledgement() {
        takenAt(5);
        holder.heartbeatSent(2, at(200));
        List<Lease> renewed = holder.acknowledged(2, 1, List.of(grant(5)), at(900));
        assertThat(renewed).containsExactly(new Lease(ADDRESS, 5, at(200 + TTL)));
        assertThat(holder.live(ADDRESS, 5, at(200 + TTL - 1))).isTrue();
        assertThat(holder.live(ADDRESS, 5, at(200 + TTL))).isFalse();
    }

    @Test
    void s1_late_acknowledgement_does_not_revive() {
        takenAt(5);
        holder.heartbeatSent(2, at(1400));
        assertThat(holder.acknowledged(2, 1, List.of(grant(5)), at(TTL))).isEmpty();
        assertThat(holder.live(ADDRESS, 5, at(TTL))).isFalse();
        assertThat(holder.expired(at(TTL))).extracting(Lease::epoch).containsExactly(5L);
    }

    @Test
    void s1_an_older_acknowledgement_does_not_shorten_a_lease() {
        takenAt(5);
        holder.heartbeatSent(2, at(200));
        holder.heartbeatSent(3, at(400));
        holder.acknowledged(3, 1, List.of(grant(5)), at(450));
        holder.acknowledged(2, 1, List.of(grant(5)), at(460));
        assertThat(holder.live(ADDRESS, 5, at(400 + TTL - 1))).isTrue();
    }

    @Test
    void s1_an_acknowledgement_of_an_unknown_or_forgotten_heartbeat_renews_nothing() {
        takenAt(5);
        assertThat(holder.acknowledged(99, 1, List.of(grant(5)), at(300))).isEmpty();
        holder.heartbeatSent(2, at(200));
        holder.forgetHeartbeats();
        assertThat(holder.acknowledged(2, 1, List.of(grant(5)), at(300))).isEmpty();
        for (long seq = 10; seq < 10 + LeaseHolder.REMEMBERED_HEARTBEATS + 1; seq++) {
            holder.heartbeatSent(seq, at(300));
        }
        assertThat(holder.acknowledged(10, 1, List.of(grant(5)), at(310))).isEmpty();
        assertThat(holder.acknowledged(11, 1, List.of(grant(5)), at(310))).hasSize(1);
    }

    @Test
    void s1_a_grant_of_another_epoch_or_for_a_resource_not_held_changes_nothing() {
        takenAt(5);
        holder.heartbeatSent(2, at(200));
        List<Grant> grants = List.of(grant(6), grant(4), new Grant(OTHER, 5, TTL));
        assertThat(holder.acknowledged(2, 1, grants, at(250))).isEmpty();
        assertThat(holder.lease(OTHER)).isEmpty();
        assertThat(holder.live(ADDRESS, 6, at(250))).isFalse();
    }

    @Test
    void s2_stale_epoch_refused() {
        takenAt(9);
        assertThat(refusal(order(1, 1, take(8), 200))).isEqualTo("stale");
        assertThat(refusal(order(1, 1, new Command.Release("r", ADDRESS, 8, 8), 200)))
                .isEqualTo("stale");
    }

    @Test
    void s2_stale_term_refused_in_orders_and_ignored_in_acknowledgements() {
        takenAt(9);
        holder.heartbeatSent(2, at(200));
        holder.acknowledged(2, 7, List.of(), at(210));
        assertThat(refusal(order(2, 6, take(10), 220))).isEqualTo("stale");
        holder.heartbeatSent(3, at(300));
        assertThat(holder.acknowledged(3, 6, List.of(grant(9)), at(310))).isEmpty();
        assertThat(holder.acknowledged(3, 7, List.of(grant(9)), at(310))).hasSize(1);
    }

    @Test
    void s2_a_take_answers_a_known_heartbeat_and_comes_before_its_lease_would_be_over() {
        holder.heartbeatSent(1, at(0));
        assertThat(refusal(order(2, 1, take(5), 10))).isEqualTo("lease");
        assertThat(refusal(order(1, 1, take(5), TTL))).isEqualTo("lease");
        assertThat(order(1, 1, take(5), TTL - 1)).isEqualTo(new Verdict.Accepted(at(TTL)));
    }

    @Test
    void s2_a_deposed_leaders_take_is_refused_where_a_newer_order_was_heard() {
        holder.heartbeatSent(1, at(0));
        assertThat(order(1, 2, new Command.Release("r", ADDRESS, 9, 8), 10)).isInstanceOf(Verdict.Accepted.class);
        assertThat(refusal(order(1, 2, take(8), 20))).isEqualTo("stale");
    }

    @Test
    void s3_floors_survive_a_restart() {
        takenAt(5);
        holder.released(ADDRESS, 5);
        LeaseHolder restarted = new LeaseHolder(holder.floors());
        restarted.heartbeatSent(1, at(0));
        Order old = new Order(1, 1, TTL, take(5));
        assertThat(refusal(restarted.ordered(old, at(10)))).isEqualTo("stale");
        assertThat(restarted.leases()).isEmpty();
        assertThat(restarted.floors()).isEqualTo(new Floors(1, List.of(new Floor(ADDRESS, 5, 5))));
    }

    @Test
    void s3_a_released_epoch_is_never_taken_again() {
        takenAt(5);
        holder.released(ADDRESS, 5);
        assertThat(holder.lease(ADDRESS)).isEmpty();
        assertThat(refusal(order(1, 1, take(5), 200))).isEqualTo("stale");
        assertThatIllegalStateException().isThrownBy(() -> holder.take(ADDRESS, 5, at(TTL)));
        assertThat(order(1, 1, take(6), 200)).isInstanceOf(Verdict.Accepted.class);
    }

    @Test
    void s3_a_refused_order_leaves_the_floors_as_they_were() {
        takenAt(9);
        Floors before = holder.floors();
        var _ = order(1, 0, take(10), 200);
        var _ = order(1, 1, take(8), 200);
        var _ = order(77, 5, take(12), 200);
        assertThat(holder.floors()).isEqualTo(before);
    }

    @Test
    void s8_what_expired_during_a_gap_is_found_and_not_live() {
        takenAt(5);
        assertThat(holder.expired(at(TTL - 1))).isEmpty();
        assertThat(holder.expired(at(60_000))).extracting(Lease::resource).containsExactly(ADDRESS);
        assertThat(holder.live(ADDRESS, 5, at(60_000))).isFalse();
    }

    @Test
    void a_release_of_an_older_epoch_leaves_the_newer_lease() {
        takenAt(5);
        holder.released(ADDRESS, 4);
        assertThat(holder.live(ADDRESS, 5, at(100))).isTrue();
    }

    @Test
    void a_report_says_held_only_while_the_lease_is_live() {
        takenAt(5);
        assertThat(holder.report(at(100))).containsExactly(new LeaseReport(ADDRESS, 5, 0, 5));
        assertThat(holder.report(at(TTL))).containsExactly(new LeaseReport(ADDRESS, 5, 0, 0));
        holder.released(ADDRESS, 5);
        assertThat(holder.report(at(TTL))).containsExactly(new LeaseReport(ADDRESS, 5, 5, 0));
    }

    @Test
    void a_repeated_take_of_the_same_epoch_keeps_the_later_deadline() {
        takenAt(5);
        holder.heartbeatSent(2, at(500));
        holder.acknowledged(2, 1, List.of(grant(5)), at(510));
        holder.take(ADDRESS, 5, at(TTL));
        assertThat(holder.live(ADDRESS, 5, at(500 + TTL - 1))).isTrue();
    }

    @Test
    void what_is_kept_when_isolated_is_renewed_by_the_holder_itself_when_nobody_else_does() {
        takenAt(5);
        assertThat(holder.keep(Duration.ofMillis(TTL), at(400), _ -> true))
                .as("others may still renew it")
                .isEmpty();
        assertThat(holder.keep(Duration.ofMillis(TTL), at(800), _ -> false)).isEmpty();
        assertThat(holder.keep(Duration.ofMillis(TTL), at(800), _ -> true))
                .containsExactly(new Lease(ADDRESS, 5, at(800 + TTL)));
        assertThat(holder.keep(Duration.ofMillis(TTL), at(800 + TTL), _ -> true))
                .as("never revives")
                .isEmpty();
    }

    @Test
    void what_has_been_superseded_is_not_kept() {
        takenAt(5);
        holder.heartbeatSent(2, at(500));
        assertThat(order(2, 1, new Command.CloseEpoch("close", ADDRESS, 6), 600))
                .isInstanceOf(Verdict.Accepted.class);
        assertThat(holder.superseded(ADDRESS)).isTrue();
        assertThat(holder.keep(Duration.ofMillis(TTL), at(1000), _ -> true)).isEmpty();
    }
}
