package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.readiness.Blocker;
import dev.understudy.core.readiness.Blocker.Reason;
import dev.understudy.core.readiness.Readiness;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Observation.HeartbeatRow;
import dev.understudy.protocol.Observation.Trouble;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What readiness says is what a failover then does: each case is asked, and then the holder's host loses its power.
class ReadinessTest {

    private static final long NOON = 1_764_504_000_000_000L;
    private static final Duration SETTLE = Duration.ofSeconds(15);

    @ParameterizedTest(name = "{0}")
    @MethodSource("ready")
    void ready_means_that_the_named_member_takes_over(String name, ResourceId resource, Consumer<StagedSite> before) {
        StagedSite site = settled(before);
        Readiness says = readiness(site, resource);
        assertThat(says.blockers()).as(name).isEmpty();
        assertThat(says.ready()).isTrue();

        String holder = Objects.requireNonNull(says.holder());
        assertThat(says.candidates()).extracting(Candidate::host).doesNotContain(holder);
        site.host(holder).cut();
        site.run(Duration.ofSeconds(12));

        ResourceState after = state(site, resource);
        assertThat(after.steady()).as(String.join("\n", site.events())).isTrue();
        assertThat(after.holder()).isEqualTo(says.next()).isNotEqualTo(holder);
        assertThat(site.violations).isEmpty();
    }

    static Stream<Arguments> ready() {
        return Stream.of(
                well("all is well, the address", StagedSite.ADDRESS, _ -> {}),
                well("all is well, the primary", StagedSite.PRIMARY, _ -> {}),
                well("all is well, the reader address", StagedSite.READER, _ -> {}),
                well(
                        "a web host is away",
                        StagedSite.ADDRESS,
                        site -> site.host("web1").cut()),
                well(
                        "a replica has been away so long that it has left",
                        StagedSite.PRIMARY,
                        site -> site.host("db3").cut()),
                well(
                        "a replica is in maintenance",
                        StagedSite.PRIMARY,
                        site -> site.obey("maintenance db2 on".split(" "))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("notReady")
    void not_ready_means_that_nobody_takes_over_by_itself(
            String name, ResourceId resource, Set<Reason> reasons, Consumer<StagedSite> before) {
        StagedSite site = settled(before);
        Readiness says = readiness(site, resource);
        assertThat(reasons(says)).as(name + ": " + says.describe()).isEqualTo(reasons);
        assertThat(says.ready()).isFalse();
        assertThat(says.describe()).startsWith("not ready: ");
        assertThat(says.blockers()).allSatisfy(b -> assertThat(b.because()).isNotBlank());

        String holder = state(site, resource).holder();
        if (holder != null) {
            site.host(holder).cut();
        }
        site.run(Duration.ofSeconds(12));

        ResourceState after = state(site, resource);
        boolean moved = after.steady() && !Objects.equals(after.holder(), holder);
        assertThat(moved).as(String.join("\n", site.events())).isFalse();
        assertThat(site.violations).isEmpty();
    }

    static Stream<Arguments> notReady() {
        return Stream.of(
                amiss(
                        "paused",
                        StagedSite.ADDRESS,
                        Set.of(Reason.HELD_BACK),
                        site -> site.obey("pause edge 600s".split(" "))),
                amiss(
                        "manual",
                        StagedSite.PRIMARY,
                        Set.of(Reason.HELD_BACK),
                        site -> site.obey("mode shopdb manual".split(" "))),
                amiss(
                        "the other balancer is away",
                        StagedSite.ADDRESS,
                        Set.of(Reason.NO_CANDIDATE, Reason.NOBODY_TO_CLOSE),
                        site -> site.host("lb2").cut()),
                amiss(
                        "HAProxy of the other balancer is dead",
                        StagedSite.ADDRESS,
                        Set.of(Reason.NO_CANDIDATE),
                        site -> site.host("lb2").killService()),
                amiss(
                        "both replicas are away, commits wait",
                        StagedSite.PRIMARY,
                        Set.of(Reason.SEMI_SYNC, Reason.ACKER_UNSURE, Reason.NOBODY_TO_CLOSE, Reason.NO_CANDIDATE),
                        site -> List.of("db2", "db3")
                                .forEach(host -> site.host(host).cut())),
                amiss(
                        "both replicas are away, the primary has gone on alone",
                        StagedSite.PRIMARY,
                        Set.of(Reason.ALONE, Reason.NOBODY_PROMOTABLE, Reason.NOBODY_TO_CLOSE, Reason.NO_CANDIDATE),
                        site -> {
                            List.of("db2", "db3")
                                    .forEach(host -> site.host(host).cut());
                            site.host("db1").troubled(Trouble.SEMI_SYNC_BLOCKED);
                        }),
                amiss(
                        "half of the hosts are away",
                        StagedSite.ADDRESS,
                        Set.of(Reason.BLIND),
                        site -> List.of("web1", "web2", "db2", "db3")
                                .forEach(host -> site.host(host).cut())));
    }

    @Test
    void lag_is_a_reason_and_says_how_far() {
        StagedSite site = settled(_ -> {});
        site.host("db1").heartbeatRow(new HeartbeatRow(1, 1, NOON));
        for (String replica : List.of("db2", "db3")) {
            site.host(replica).heartbeatRow(new HeartbeatRow(1, 1, NOON - 40_000_000));
        }
        Readiness says = readiness(site, StagedSite.PRIMARY);
        assertThat(reasons(says)).containsExactly(Reason.LAG);
        assertThat(says.describe()).contains("db2 lags by 40.0 s").contains("db3 lags by 40.0 s");

        site.host("db3").heartbeatRow(new HeartbeatRow(1, 1, NOON - 1_000_000));
        assertThat(readiness(site, StagedSite.PRIMARY).ready()).isTrue();
        assertThat(readiness(site, StagedSite.PRIMARY).next()).isEqualTo("db3");
    }

    @Test
    void a_holder_that_is_not_heard_is_a_lease_at_risk_at_once() {
        StagedSite site = settled(_ -> {});
        site.host("lb1").cutFromController();
        site.run(Duration.ofSeconds(1));
        assertThat(reasons(readiness(site, StagedSite.ADDRESS))).containsExactly(Reason.LEASE_AT_RISK);
    }

    @Test
    void a_replica_that_may_have_the_only_copy_and_is_away_is_a_reason_until_it_has_left() {
        StagedSite site = settled(_ -> {});
        site.host("db3").cut();
        site.run(Duration.ofSeconds(2));
        Readiness says = readiness(site, StagedSite.PRIMARY);
        assertThat(reasons(says)).containsExactly(Reason.ACKER_UNSURE);
        assertThat(says.describe()).contains("db3 may have acknowledged");
        site.run(Duration.ofSeconds(15));
        assertThat(readiness(site, StagedSite.PRIMARY).ready()).isTrue();
    }

    @Test
    void a_restarted_replica_is_a_reason_until_it_was_seen_with_everything() {
        StagedSite site = settled(_ -> {});
        site.host("db2").stallReceiver();
        site.host("db2").killService();
        site.host("db2").startService();
        site.host("db1").write(5);
        site.run(Duration.ofSeconds(1));
        assertThat(reasons(readiness(site, StagedSite.PRIMARY))).contains(Reason.ACKER_UNSURE);
    }

    @Test
    void replicas_that_could_not_write_are_no_candidates() {
        StagedSite site = settled(_ -> {});
        List.of("db2", "db3").forEach(replica -> site.host(replica).troubled(Trouble.DISK_FULL));
        site.run(Duration.ofSeconds(1));
        Readiness says = readiness(site, StagedSite.PRIMARY);
        assertThat(reasons(says)).containsExactly(Reason.NO_CANDIDATE);
        assertThat(says.describe()).contains("it cannot write either");
    }

    @Test
    void a_replica_that_is_back_and_has_not_got_everything_is_no_candidate() {
        StagedSite site = settled(broken -> broken.host("db3").cut());
        site.host("db3").stallReceiver();
        site.host("db1").write(5);
        site.host("db3").heal();
        site.run(Duration.ofSeconds(5));
        Readiness says = readiness(site, StagedSite.PRIMARY);
        assertThat(says.next()).isEqualTo("db2");
        assertThat(says.candidates())
                .contains(new Candidate("db3", false, "it is not known to have every acknowledged write"));
    }

    @Test
    void a_journal_that_agents_are_ahead_of_is_a_reason() {
        StagedSite site = settled(_ -> {});
        site.obey(new String[] {"keep-journal"});
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(3));
        site.obey(new String[] {"restore-journal"});
        site.run(Duration.ofSeconds(1));
        assertThat(reasons(readiness(site, StagedSite.ADDRESS))).contains(Reason.JOURNAL_TOO_OLD);
    }

    @Test
    void a_primary_that_waits_for_nobody_is_a_reason() {
        StagedSite site = settled(_ -> {});
        site.host("db1").waitForNobody();
        assertThat(reasons(readiness(site, StagedSite.PRIMARY))).contains(Reason.ALONE, Reason.NOBODY_PROMOTABLE);
    }

    @Test
    void a_move_under_way_and_a_controller_that_does_not_lead_are_reasons() {
        StagedSite site = settled(_ -> {});
        site.host("db1").killService();
        site.run(Duration.ofMillis(100));
        assertThat(state(site, StagedSite.PRIMARY).steady()).isFalse();
        assertThat(reasons(readiness(site, StagedSite.PRIMARY))).contains(Reason.MOVING);

        StagedSite other = settled(_ -> {});
        State deposed = other.state().leading(2, false);
        assertThat(reasons(Readiness.of(
                        new Evidence(deposed, other.now()),
                        Objects.requireNonNull(deposed.journaled().resources().get(StagedSite.ADDRESS)))))
                .containsExactly(Reason.NO_QUORUM);
    }

    @Test
    void after_a_failover_the_member_that_failed_is_held_back_for_a_while() {
        StagedSite site = settled(_ -> {});
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(2));
        site.host("lb1").startService();
        site.run(Duration.ofSeconds(1));
        assertThat(state(site, StagedSite.ADDRESS).holder()).isEqualTo("lb2");
        assertThat(reasons(readiness(site, StagedSite.ADDRESS))).containsExactly(Reason.RECENT_FAILOVER);
        site.run(Duration.ofSeconds(8));
        assertThat(readiness(site, StagedSite.ADDRESS).ready()).isTrue();
    }

    private static Arguments well(String name, ResourceId resource, Consumer<StagedSite> before) {
        return Arguments.of(name, resource, before);
    }

    private static Arguments amiss(String name, ResourceId resource, Set<Reason> reasons, Consumer<StagedSite> before) {
        return Arguments.of(name, resource, reasons, before);
    }

    /// A site that has been well for a while, and then for a while with something done to it.
    private static StagedSite settled(Consumer<StagedSite> before) {
        StagedSite site = new StagedSite(StagedSite.spec(Mode.AUTOMATIC, Recovery.DEFAULT, StagedSite.READS));
        site.run(SETTLE);
        site.host("db1").write(100);
        site.run(Duration.ofSeconds(1));
        before.accept(site);
        site.run(Duration.ofSeconds(16));
        return site;
    }

    private static Readiness readiness(StagedSite site, ResourceId resource) {
        return Readiness.of(new Evidence(site.state(), site.now()), state(site, resource));
    }

    private static ResourceState state(StagedSite site, ResourceId resource) {
        return Objects.requireNonNull(site.state().journaled().resources().get(resource));
    }

    private static Set<Reason> reasons(Readiness readiness) {
        return readiness.blockers().stream().map(Blocker::reason).collect(Collectors.toSet());
    }
}
