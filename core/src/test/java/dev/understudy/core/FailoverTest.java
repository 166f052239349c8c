package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Decision.Answer;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Command;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Both failovers and both planned moves on the staged site, over virtual time.
class FailoverTest {

    private StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        assertThat(address().phase()).isEqualTo(AddressPhase.HELD);
        assertThat(address().holder()).isEqualTo("lb1");
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db1");
        site.host("db1").write(100);
        site.run(Duration.ofMillis(200));
    }

    @AfterEach
    void neverTwoHolders() {
        assertThat(site.violations).isEmpty();
    }

    @Test
    void a_dead_haproxy_is_replaced_by_the_message_that_says_so() {
        site.host("lb1").killService();
        site.run(Duration.ofMillis(100));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(address().phase()).isEqualTo(AddressPhase.HELD);
        assertThat(address().epoch()).isEqualTo(2);
        assertThat(rows()).contains("LB-20", "LB-31", "LB-41");
    }

    @Test
    void a_silent_balancer_is_replaced_when_its_lease_is_over_and_not_before() {
        site.host("lb1").cut();
        site.run(Duration.ofMillis(1300));
        assertThat(address().holder()).isEqualTo("lb1");
        site.run(Duration.ofMillis(700));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(rows()).contains("LB-24");
    }

    @Test
    void the_old_balancer_returns_and_stays_passive() {
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(1));
        site.host("lb1").startService();
        site.run(Duration.ofSeconds(10));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(address().epoch()).isEqualTo(2);
    }

    @Test
    void a_stall_shorter_than_the_lease_moves_nothing() {
        int before = site.events().size();
        site.host("lb1").freeze();
        site.host("db1").freeze();
        site.run(Duration.ofMillis(900));
        site.host("lb1").thaw();
        site.host("db1").thaw();
        site.run(Duration.ofSeconds(3));
        assertThat(site.events()).hasSize(before);
    }

    @Test
    void s8_a_controller_that_slept_judges_nobody_before_it_has_heard_all_that_came_meanwhile() {
        int before = site.events().size();
        site.decide(new Input.LoopWasLate(Duration.ofSeconds(5)));
        site.host("lb1").killService(); // the first of what waits in the mailbox
        site.host("db1").killService();
        assertThat(site.events()).hasSize(before);
        site.decide(new Input.Tick()); // comes when the mailbox is empty
        assertThat(rows()).contains("LB-20", "DB-20");
    }

    @Test
    void a_planned_move_of_the_address() {
        List<Answer> answers = move(new OperatorRequest.Switchover(StagedSite.ADDRESS, null));
        assertThat(answers.getFirst().accepted()).isTrue();
        site.run(Duration.ofMillis(300));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(rows()).contains("LB-23");
    }

    @Test
    void s13_a_planned_move_tells_the_taker_who_drains() {
        move(new OperatorRequest.Switchover(StagedSite.ADDRESS, null));
        site.run(Duration.ofMillis(300));
        assertThat(site.host("lb2").giver()).isEqualTo(new Command.Giver("192.0.2.11", "02:00:00:00:00:01", 30_000));
        assertThat(String.join("\n", site.events())).contains("established connections go on at lb1 for at most 30 s");

        site.host("lb2").killService(); // an unplanned move, to the host that drains
        site.run(Duration.ofSeconds(2));
        assertThat(address().holder()).isEqualTo("lb1");
        assertThat(site.host("lb1").giver()).isNull();
    }

    @Test
    void s13_a_failover_on_order_drains_nothing() {
        move(new OperatorRequest.Failover(StagedSite.ADDRESS, null));
        site.run(Duration.ofSeconds(2));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(site.host("lb2").giver()).isNull();
    }

    @Test
    void s13_a_host_that_cannot_drain_gives_up_all_the_same_and_that_is_said() {
        site.host("lb1").cannotDrain();
        move(new OperatorRequest.Switchover(StagedSite.ADDRESS, null));
        site.run(Duration.ofMillis(300));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(site.host("lb2").giver()).isNull();
        assertThat(String.join("\n", site.events())).contains("connections are reset: this kernel cannot");
    }

    @Test
    void a_planned_move_to_a_host_that_cannot_is_refused_with_the_reason() {
        site.host("lb2").killService();
        site.run(Duration.ofMillis(300));
        int before = site.events().size();
        Answer answer =
                move(new OperatorRequest.Switchover(StagedSite.ADDRESS, "lb2")).getFirst();
        assertThat(answer.accepted()).isFalse();
        assertThat(answer.text()).contains("lb2 cannot take over: its HAProxy is DOWN");
        assertThat(move(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db9"))
                        .getFirst()
                        .text())
                .contains("db9 is no other member");
        assertThat(site.events()).hasSize(before);
    }

    @Test
    void no_candidate_moves_nothing_and_says_so() {
        site.host("lb2").killService();
        site.run(Duration.ofMillis(300));
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(3));
        assertThat(rows()).contains("LB-15");
        site.host("lb2").startService();
        site.run(Duration.ofSeconds(1));
        assertThat(address().holder()).isEqualTo("lb2");
    }

    @Test
    void a_dead_primary_is_replaced_and_returns_as_a_follower() {
        site.host("db1").killService();
        site.run(Duration.ofMillis(600));
        assertThat(primary().holder()).as(String.join("\n", site.events())).isEqualTo("db2");
        assertThat(site.host("db2").writable()).isTrue();
        assertThat(site.host("db3").follows("db2")).isTrue();
        assertThat(primary().ackers()).containsExactly("db3");
        site.host("db1").startService();
        site.run(Duration.ofSeconds(2));
        assertThat(site.host("db1").follows("db2")).isTrue();
        assertThat(primary().ackers()).containsExactlyInAnyOrder("db1", "db3");
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void a_primary_that_is_cut_off_is_replaced_after_its_lease() {
        site.host("db1").cut();
        site.run(Duration.ofMillis(1300));
        assertThat(primary().holder()).isEqualTo("db1");
        site.run(Duration.ofMillis(1500));
        assertThat(primary().holder()).isEqualTo("db2");
        site.host("db1").heal();
        site.run(Duration.ofSeconds(2));
        assertThat(site.host("db1").follows("db2")).isTrue();
    }

    @Test
    void s14_the_member_with_the_only_copy_is_chosen_whatever_its_place() {
        site.host("db2").cut();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(100));
        site.host("db2").heal();
        site.host("db1").killService();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).isEqualTo("db3");
    }

    @Test
    void s14_a_missing_acker_stops_the_plan_until_it_answers() {
        site.host("db2").cut();
        site.run(Duration.ofMillis(200));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(rows()).contains("DB-57");
        site.host("db2").heal();
        site.run(Duration.ofSeconds(6));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isIn("db2", "db3");
    }

    @Test
    void s14_a_target_that_is_lost_in_mid_plan_is_still_accounted_for() {
        site.host("db3").stallReceiver(); // db2 alone receives the last rows
        site.host("db1").write(5);
        site.run(Duration.ofMillis(100));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(1));
        // db3 is attached to db2 but has not received what db2 has: that is no follower to rely on
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.ATTACHING);
        assertThat(site.host("db3").follows("db2")).isTrue();
        site.host("db2").cut();
        site.run(Duration.ofSeconds(25));
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(site.host("db3").writable()).isFalse();
    }

    @Test
    void a_broken_applier_is_not_promoted() {
        site.host("db2").breakApplier();
        site.run(Duration.ofMillis(300));
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).isEqualTo("db3");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
    }

    @Test
    void a_receiver_that_the_primary_does_not_let_in_is_told_to_follow_again() {
        site.host("db2").wrongPassword();
        site.run(Duration.ofSeconds(5));
        assertThat(site.host("db2").follows("db1")).isTrue();
        assertThat(primary().holder()).isEqualTo("db1");
    }

    @Test
    void a_lagging_member_is_not_promoted_while_another_has_applied_all() {
        site.host("db2").slowApplier();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).isEqualTo("db3");
    }

    @Test
    void only_lagging_members_stop_the_plan_instead_of_losing_rows() {
        site.host("db2").slowApplier();
        site.host("db3").slowApplier();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(60));
        assertThat(site.host("db2").writable()).isFalse();
        assertThat(site.host("db3").writable()).isFalse();
        assertThat(rows()).contains("DB-62", "DB-57");
    }

    @Test
    void a_planned_move_of_the_primary() {
        assertThat(move(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db3"))
                        .getFirst()
                        .accepted())
                .isTrue();
        site.run(Duration.ofSeconds(1));
        assertThat(primary().holder()).isEqualTo("db3");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
        assertThat(rows()).contains("DB-25", "DB-31", "DB-35", "DB-52", "DB-71", "DB-76");
        site.run(Duration.ofSeconds(1));
        assertThat(site.host("db1").follows("db3")).isTrue();
        assertThat(site.host("db2").follows("db3")).isTrue();
    }

    @Test
    void a_planned_move_whose_target_cannot_keep_up_is_undone() {
        site.host("db2").slowApplier();
        move(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db3"));
        site.run(Duration.ofSeconds(1));
        // db3 went well; now back to a member that stalls after the check
        site.host("db1").slowApplier();
        Answer answer =
                move(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db2")).getFirst();
        assertThat(answer.accepted()).isFalse();
        assertThat(answer.text()).contains("lags");
        assertThat(site.host("db3").writable()).isTrue();
    }

    @Test
    void a_diverged_member_is_quarantined_and_not_repointed() {
        site.host("db1").killService();
        site.run(Duration.ofSeconds(1));
        site.host("db1").diverge();
        site.host("db1").startService();
        site.run(Duration.ofSeconds(10));
        assertThat(primary().isQuarantined("db1")).isTrue();
        assertThat(primary().ackers()).containsExactly("db3");
        assertThat(site.host("db1").follows("db2")).isFalse();
        assertThat(rows().stream().filter("DM-06"::equals)).hasSize(1);
    }

    @Test
    void s16_what_a_start_dropped_and_nobody_has_is_told_once() {
        site.host("db1").killService();
        site.run(Duration.ofSeconds(1));
        site.host("db1").dropTail("1 transaction: 0-1-7, decoded in /state/shopdb-dropped-0-1-7.txt");
        site.host("db1").startService();
        site.run(Duration.ofSeconds(20));
        assertThat(site.host("db1").follows("db2")).isTrue();
        assertThat(site.state().journaled().events().stream()
                        .filter(e -> e.situation().equals("TAIL_DROPPED")))
                .singleElement()
                .satisfies(e -> assertThat(e.text())
                        .startsWith("db1 dropped at its start")
                        .contains("0-1-7", "/state/shopdb-dropped-0-1-7.txt"));
    }

    @Test
    void a_quarantined_member_is_looked_at_again_when_the_operator_asks() {
        site.host("db1").killService();
        site.run(Duration.ofSeconds(1));
        site.host("db1").diverge();
        site.host("db1").startService();
        site.run(Duration.ofSeconds(4));
        assertThat(move(new OperatorRequest.Retry(StagedSite.PRIMARY))
                        .getFirst()
                        .accepted())
                .isTrue();
        site.run(Duration.ofSeconds(4));
        assertThat(primary().isQuarantined("db1")).as("still diverged").isTrue();
        site.host("db1").repair();
        move(new OperatorRequest.Retry(StagedSite.PRIMARY));
        site.run(Duration.ofSeconds(4));
        assertThat(primary().isQuarantined("db1")).isFalse();
        assertThat(site.host("db1").follows("db2")).isTrue();
    }

    @Test
    void s9_a_longer_lease_is_not_inherited_by_the_next_holder() {
        site.decide(new Input.Operator("r", "test", new OperatorRequest.PlannedStop()));
        assertThat(site.state().journaled().longLeases()).hasSize(2);
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(1));
        assertThat(address().holder()).isEqualTo("lb2");
        assertThat(site.state().journaled().longLeases()).containsOnlyKeys(StagedSite.PRIMARY);
    }

    @Test
    void s9_a_longer_lease_of_the_holder_before_delays_no_failover_from_the_next_one() {
        site.decide(new Input.Operator("r", "test", new OperatorRequest.PlannedStop()));
        site.run(Duration.ofMillis(500));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).isEqualTo("db2");
        site.host("db1").startService();
        site.run(Duration.ofSeconds(5));
        site.host("db2").powerOff();
        site.run(Duration.ofSeconds(8));
        assertThat(primary().holder()).as(String.join("\n", site.events())).isEqualTo("db3");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
    }

    @Test
    void s9_an_address_that_was_released_is_given_again_before_the_longer_lease_would_be_over() {
        site.decide(new Input.Operator("r", "test", new OperatorRequest.PlannedStop()));
        site.run(Duration.ofMillis(500));
        site.host("lb2").failTakes();
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(1));
        assertThat(address().phase()).as(String.join("\n", site.events())).isEqualTo(ResourceState.AddressPhase.VACANT);
        site.host("lb2").killService();
        site.host("lb1").startService();
        site.run(Duration.ofSeconds(4));
        assertThat(address().holder()).as(String.join("\n", site.events())).isEqualTo("lb1");
    }

    @Test
    void a_clean_restart_moves_nothing_though_it_is_elected_anew() {
        site.host("db1").stopServiceCleanly();
        site.run(Duration.ofSeconds(5));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
        site.host("db1").startService();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).as(String.join("\n", site.events())).isEqualTo("db1");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
        assertThat(site.host("db1").writable()).isTrue();
        assertThat(rows()).contains("DB-16", "DB-23");
    }

    @Test
    void a_clean_stop_that_lasts_too_long_is_a_failover() {
        site.host("db1").stopServiceCleanly();
        site.run(Duration.ofSeconds(25));
        assertThat(primary().holder()).isEqualTo("db2");
        assertThat(rows()).contains("DB-24");
    }

    @Test
    void a_blind_controller_moves_nothing_and_says_so() {
        site.hosts.values().forEach(StagedHost::cut);
        site.run(Duration.ofSeconds(10));
        assertThat(address().holder()).isEqualTo("lb1");
        assertThat(primary().holder()).isEqualTo("db1");
        assertThat(rows()).contains("LB-13", "DB-13");
    }

    @Test
    void observe_mode_gives_no_lease_and_moves_nothing() {
        site = new StagedSite(Mode.OBSERVE);
        site.run(Duration.ofSeconds(15));
        assertThat(address().phase()).isEqualTo(AddressPhase.VACANT);
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.VACANT);
        assertThat(move(new OperatorRequest.Switchover(StagedSite.ADDRESS, null))
                        .getFirst()
                        .accepted())
                .isFalse();
    }

    @Test
    void nobody_left_to_attach_opens_alone_and_says_so() {
        site.host("db3").breakApplier();
        site.host("db3").diverge();
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofSeconds(20));
        assertThat(primary().holder()).isEqualTo("db2");
        assertThat(primary().alone()).isTrue();
        assertThat(rows()).contains("DB-72");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8})
    void a_controller_that_dies_at_any_entry_of_a_failover_completes_it(int entries) {
        site.crashControllerAfter(entries);
        site.host("db1").killService();
        site.run(Duration.ofSeconds(8));
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db2");
        assertThat(site.host("db2").writable()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void a_controller_that_dies_at_any_entry_of_a_planned_move_completes_or_undoes_it(int entries) {
        site.crashControllerAfter(entries);
        move(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db2"));
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).as(String.join("\n", site.events())).isEqualTo(PrimaryPhase.HELD);
        String holder = String.valueOf(primary().holder());
        assertThat(holder).isIn("db1", "db2");
        assertThat(site.host(holder).writable()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void a_controller_that_dies_at_any_entry_of_a_balancer_failover_completes_it(int entries) {
        site.crashControllerAfter(entries);
        site.host("lb1").killService();
        site.run(Duration.ofSeconds(8));
        assertThat(address().phase()).isEqualTo(AddressPhase.HELD);
        assertThat(address().holder()).isEqualTo("lb2");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void a_controller_that_dies_at_any_entry_of_a_planned_balancer_move_completes_it(int entries) {
        site.crashControllerAfter(entries);
        move(new OperatorRequest.Switchover(StagedSite.ADDRESS, null));
        site.run(Duration.ofSeconds(8));
        assertThat(address().phase()).as(String.join("\n", site.events())).isEqualTo(AddressPhase.HELD);
        assertThat(address().holder()).isEqualTo(entries == 0 ? "lb1" : "lb2");
    }

    @Test
    void a_planned_move_whose_target_does_not_take_goes_back() {
        site.host("lb2").failTakes();
        move(new OperatorRequest.Switchover(StagedSite.ADDRESS, null));
        site.run(Duration.ofSeconds(5));
        assertThat(address().phase()).isEqualTo(AddressPhase.HELD);
        assertThat(address().holder()).isEqualTo("lb1");
        assertThat(rows()).contains("LB-35");
    }

    @Test
    void s22_a_journal_older_than_the_agents_decides_nothing() {
        Journaled backup = site.state().journaled();
        site.host("lb1").killService();
        site.host("db1").killService();
        site.run(Duration.ofSeconds(1));
        site.host("lb1").startService();
        site.host("db1").startService();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().epoch()).isEqualTo(2);
        site.restartController(backup);
        site.run(Duration.ofSeconds(20));
        assertThat(primary().epoch()).isEqualTo(1);
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
        assertThat(rows()).contains("LB-16", "DB-17");
        assertThat(site.host("db3").writable()).isFalse();
        assertThat(site.host("db1").writable()).isFalse();
    }

    @Test
    void s9_a_planned_stop_of_the_controller_costs_no_lease() {
        site.decide(new Input.Operator("r", "test", new OperatorRequest.PlannedStop()));
        site.run(Duration.ofMillis(500));
        site.stopController();
        site.run(Duration.ofSeconds(10));
        site.startController();
        site.run(Duration.ofSeconds(2));
        assertThat(address().epoch()).isEqualTo(1);
        assertThat(primary().epoch()).isEqualTo(1);
        assertThat(site.state().journaled().longLeases().values()).allMatch(LongLease::restartOver);
    }

    private List<Answer> move(OperatorRequest request) {
        return site.decide(new Input.Operator("r", "test", request));
    }

    private List<String> rows() {
        return site.state().journaled().events().stream().map(Event::row).toList();
    }

    private AddressState address() {
        return (AddressState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.ADDRESS));
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
