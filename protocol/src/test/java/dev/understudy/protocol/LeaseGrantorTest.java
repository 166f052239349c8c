package dev.understudy.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder.Floors;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The controller's half, and both halves together.
class LeaseGrantorTest {

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    private static final TimingProfile TIMING = TimingProfile.STANDARD;

    private static Moment at(long millis) {
        return new Moment(millis * 1_000_000);
    }

    @Test
    void s1_a_lease_is_over_here_only_after_ttl_with_drift_and_slack_from_sending() {
        LeaseGrantor grantor = LeaseGrantor.started(TIMING, at(0)).granted(ADDRESS, 1, TIMING.ttl(), at(100_000));
        long over = 100_000 + 1500 + 15 + 100;
        assertThat(grantor.lapsed(ADDRESS, at(over - 1))).isFalse();
        assertThat(grantor.lapsed(ADDRESS, at(over))).isTrue();
    }

    @Test
    void s4_a_new_leader_waits_for_what_its_predecessor_may_have_granted() {
        LeaseGrantor grantor = LeaseGrantor.started(TIMING, at(0));
        long window = TIMING.authorityWindow().plus(TIMING.ttl()).toMillis();
        assertThat(grantor.lapsed(ADDRESS, at(window))).isFalse();
        assertThat(grantor.lapsed(
                        ADDRESS, at(window + window / 100 + TIMING.slack().toMillis() + 1)))
                .isTrue();
        LeaseGrantor short1 = grantor.granted(ADDRESS, 1, Duration.ofMillis(1), at(1));
        assertThat(short1.lapsed(ADDRESS, at(window))).isFalse();
    }

    @Test
    void a_short_grant_does_not_shorten_a_long_one() {
        LeaseGrantor grantor = LeaseGrantor.started(TIMING, at(0))
                .granted(ADDRESS, 1, Duration.ofSeconds(30), at(10_000))
                .granted(ADDRESS, 1, TIMING.ttl(), at(10_200));
        assertThat(grantor.lapsed(ADDRESS, at(40_000))).isFalse();
    }

    @Test
    void s9_an_epoch_that_has_begun_does_not_wait_for_a_longer_lease_of_one_before() {
        LeaseGrantor grantor = LeaseGrantor.started(TIMING, at(0))
                .granted(ADDRESS, 1, Duration.ofSeconds(30), at(10_000))
                .granted(ADDRESS, 2, TIMING.ttl(), at(12_000));
        long over = 12_000 + 1500 + 15 + 100;
        assertThat(grantor.begun(ADDRESS, 1).lapsed(ADDRESS, at(40_000))).isFalse();
        assertThat(grantor.begun(new ResourceId("edge", "192.0.2.11"), 2).lapsed(ADDRESS, at(40_000)))
                .isFalse();
        LeaseGrantor begun = grantor.begun(ADDRESS, 2);
        assertThat(begun.longLeaseOver(ADDRESS, at(12_000))).isTrue();
        assertThat(begun.lapsed(ADDRESS, at(over - 1))).isFalse();
        assertThat(begun.lapsed(ADDRESS, at(over))).isTrue();
    }

    @Test
    void s9_a_longer_lease_of_an_epoch_to_come_is_kept_when_that_begins() {
        LeaseGrantor grantor = LeaseGrantor.started(TIMING, at(0))
                .granted(ADDRESS, 2, Duration.ofSeconds(30), at(10_000))
                .begun(ADDRESS, 2);
        assertThat(grantor.longLeaseOver(ADDRESS, at(40_000))).isFalse();
        assertThat(grantor.lapsed(ADDRESS, at(40_000))).isFalse();
    }

    @Test
    void profiles_keep_their_inequalities() {
        for (TimingProfile profile : List.of(TimingProfile.FAST, TimingProfile.STANDARD, TimingProfile.RELAXED)) {
            assertThat(TimingProfile.named(profile.name())).isEqualTo(profile);
        }
        Duration second = Duration.ofSeconds(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new TimingProfile("x", second, second.multipliedBy(2), second, Duration.ZERO));
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new TimingProfile("x", second, second.multipliedBy(3), second.multipliedBy(3), Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> TimingProfile.named("quick"));
    }

    /// Random delays, losses and reorderings, clocks of different origin and up to 1 % different speed: whenever the
    /// grantor says that the lease has lapsed, the holder's is over.
    @Test
    void s1_whatever_the_network_does_the_lease_ends_at_the_holder_before_it_ends_here() {
        for (long seed = 0; seed < 500; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            double speed = 1 + (random.nextDouble() * 2 - 1) * TimingProfile.DRIFT / 2;
            long origin = random.nextLong(1_000_000);
            LeaseHolder holder = new LeaseHolder(new Floors(0, List.of()));
            LeaseGrantor grantor = LeaseGrantor.started(TIMING, at(0));
            long millis = 60_000;
            holder.heartbeatSent(1, holderTime(millis, speed, origin));
            millis += random.nextLong(50);
            grantor = grantor.granted(ADDRESS, 1, TIMING.ttl(), at(millis));
            Order order = new Order(1, 1, TIMING.ttl().toMillis(), new Command.TakeAddress("t", ADDRESS, 1));
            millis += random.nextLong(50);
            if (holder.ordered(order, holderTime(millis, speed, origin))
                    instanceof LeaseHolder.Verdict.Accepted accepted) {
                holder.take(ADDRESS, 1, accepted.deadline());
            }
            for (long seq = 2; seq < 40; seq++) {
                millis += random.nextLong(400);
                holder.heartbeatSent(seq, holderTime(millis, speed, origin));
                if (random.nextInt(3) != 0) {
                    long acknowledgedAt = millis + random.nextLong(600);
                    grantor = grantor.granted(ADDRESS, 1, TIMING.ttl(), at(acknowledgedAt));
                    long arrives = acknowledgedAt + random.nextLong(2000);
                    holder.acknowledged(
                            seq,
                            1,
                            List.of(new Grant(ADDRESS, 1, TIMING.ttl().toMillis())),
                            holderTime(arrives, speed, origin));
                }
                long lapse = grantor.lapseOf(ADDRESS).nanos() / 1_000_000 + 1;
                assertThat(grantor.lapsed(ADDRESS, at(lapse))).isTrue();
                assertThat(holder.live(ADDRESS, 1, holderTime(lapse, speed, origin)))
                        .as("seed %d, heartbeat %d", seed, seq)
                        .isFalse();
            }
        }
    }

    private static Moment holderTime(long millis, double speed, long origin) {
        return new Moment((long) ((origin + millis * speed) * 1_000_000));
    }
}
