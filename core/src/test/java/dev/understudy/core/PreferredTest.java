package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.protocol.ClusterSpec.Mode;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A better placed candidate that lacks transactions fetches them from the most advanced one. db2 lacks five that db3
/// has; db1 is the primary.
class PreferredTest {

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        site.host("db1").write(100);
        site.run(Duration.ofMillis(200));
        assertThat(primary().holder()).isEqualTo("db1");
        assertThat(primary().ackers()).containsExactlyInAnyOrder("db2", "db3");
    }

    @AfterEach
    void nothing_is_lost_and_nobody_is_promoted_while_it_receives() {
        assertThat(site.violations).isEmpty();
        for (String host : List.of("db2", "db3")) {
            assertThat(site.host(host).stagedWhileReceiving()).as(host).isFalse();
        }
    }

    @Test
    void one_that_the_specification_prefers_fetches_and_is_promoted() {
        prefer("db2");
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).as(told()).isEqualTo("db2");
        assertThat(site.events()).anyMatch(e -> e.contains("DB-58")).anyMatch(e -> e.contains("DB-46"));
        assertThat(told()).contains("db2 has fetched up to 0-1-105 from db3");
        site.run(Duration.ofSeconds(2));
        assertThat(site.host("db3").follows("db2")).isTrue();
        assertThat(primary().ackers()).contains("db3");
    }

    /// The order of the file decides between equals only: nobody waits for it.
    @Test
    void the_order_of_the_file_is_no_reason_to_fetch() {
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).isEqualTo("db3");
        assertThat(told()).doesNotContain("DB-58");
    }

    @Test
    void one_that_is_preferred_and_has_everything_fetches_nothing() {
        prefer("db3");
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).isEqualTo("db3");
        assertThat(told()).doesNotContain("DB-58");
    }

    @Test
    void without_a_difference_the_preferred_one_is_promoted_and_is_the_target_of_a_move() {
        prefer("db3");
        assertThat(dev.understudy.core.candidate.PrimaryCandidates.forMove(
                                new dev.understudy.core.evidence.Evidence(site.state(), site.now()), primary())
                        .getFirst()
                        .host())
                .isEqualTo("db3");
        site.host("db1").killService();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).isEqualTo("db3");
    }

    @Test
    void one_that_an_operator_names_fetches() {
        site.host("db2").fallBehind();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(100));
        site.decide(new Input.Operator("f", "test", new OperatorRequest.Failover(StagedSite.PRIMARY, "db2")));
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).as(told()).isEqualTo("db2");
        assertThat(told()).contains("DB-58");
    }

    @Test
    void one_without_a_drawback_fetches_from_one_with() {
        site.host("db3").isSetUp("free_percent", "4");
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).as(told()).isEqualTo("db2");
        assertThat(told()).contains("DB-58");
    }

    @Test
    void one_with_a_drawback_fetches_from_nobody() {
        prefer("db2");
        site.host("db2").isSetUp("free_percent", "4");
        site.host("db3").isSetUp("delay", "3600");
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).isEqualTo("db3");
        assertThat(told()).doesNotContain("DB-58");
    }

    @ParameterizedTest
    @ValueSource(strings = {"finding", "version", "maintenance"})
    void one_that_could_not_be_promoted_anyway_fetches_from_nobody(String why) {
        prefer("db2");
        if (why.equals("maintenance")) {
            site.decide(new Input.Operator(
                    "m", "test", new OperatorRequest.Maintenance("db2", true, Duration.ofHours(1), "")));
        } else {
            site.host("db2").isSetUp(why, why.equals("finding") ? "LOG_BIN" : "10.6.20-MariaDB");
        }
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
        assertThat(told()).doesNotContain("DB-58");
    }

    /// The donor serves only what it has applied; the site waits for a preference as long as the deadline says.
    @Test
    void a_fetch_that_takes_too_long_is_given_up_and_not_tried_again() {
        prefer("db2");
        site.host("db3").slowApplier();
        primaryDies();
        site.run(Deadlines.FETCHING.minusMillis(300));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.FETCHING);
        site.run(Duration.ofMillis(600));
        assertThat(primary().phase()).as(told()).isEqualTo(PrimaryPhase.CATCHING_UP);
        assertThat(plan().to()).isEqualTo("db3");
        assertThat(plan().rejected()).singleElement().satisfies(c -> {
            assertThat(c.host()).isEqualTo("db2");
            assertThat(c.reason()).isEqualTo("db2 fetches from db3 and has not got everything in 3 s");
        });
        assertThat(reason("db2")).startsWith("it failed in this plan: db2 fetches from db3");
        site.host("db3").goesOnApplying();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
        assertThat(site.events().stream().filter(e -> e.contains("DB-58"))).hasSize(1);
    }

    @Test
    void a_fetch_that_fails_leads_to_the_most_advanced() {
        prefer("db2");
        site.host("db2").stallReceiver();
        primaryDies();
        site.run(Duration.ofSeconds(1));
        site.host("db2").goesOnReceiving();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
        assertThat(told()).contains("DB-47").contains("reaches: db2 failed");
    }

    @Test
    void one_that_differs_from_its_donor_is_refused() {
        prefer("db2");
        site.host("db2").diverge();
        primaryDies();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
        assertThat(told()).contains("follows: db2 refused");
    }

    /// S14: the donor's rows are on nobody else, and it is still accounted for. When it is back the plan goes on,
    /// without another fetch.
    @Test
    void s14_a_donor_that_is_lost_is_waited_for() {
        prefer("db2");
        site.host("db3").slowApplier();
        primaryDies();
        site.run(Duration.ofMillis(300));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.FETCHING);
        site.host("db3").cut();
        site.run(Duration.ofSeconds(20));
        assertThat(told()).contains("DONOR_LOST");
        assertThat(primary().phase()).as(told()).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(List.of("db1", "db2", "db3"))
                .noneMatch(h -> site.host(h).actsAsHolder(StagedSite.PRIMARY, site.mono()));
        site.host("db3").goesOnApplying();
        site.host("db3").heal();
        site.run(Duration.ofSeconds(20));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
        assertThat(site.events().stream().filter(e -> e.contains("DB-58"))).hasSize(1);
    }

    @Test
    void one_that_is_lost_while_it_fetches_is_waited_for_as_an_acker() {
        prefer("db2");
        site.host("db3").slowApplier();
        primaryDies();
        site.run(Duration.ofMillis(300));
        site.host("db2").cut();
        site.host("db3").goesOnApplying();
        site.run(Duration.ofSeconds(4));
        assertThat(told()).contains("DB-47").contains("db2 is lost");
        site.host("db2").heal();
        site.run(Duration.ofSeconds(30));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
    }

    /// S19: the old primary stays cut off from everybody, also when its server is back.
    @Test
    void s19_nobody_fetches_from_the_old_primary() {
        prefer("db2,db3");
        site.host("db2").fallBehind();
        site.host("db3").fallBehind();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(100));
        site.host("db1").stopServiceCleanly();
        site.run(Duration.ofSeconds(1));
        site.host("db1").startService();
        site.run(Duration.ofSeconds(8));
        assertThat(primary().holder()).as(told()).isEqualTo("db1");
        assertThat(told()).doesNotContain("DB-58");
    }

    /// In each point the next controller goes on: nothing is lost, and it ends with a primary that has everything.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
    void a_controller_that_crashes_is_resumed_in_each_point(int entries) {
        prefer("db2");
        site.host("db2").fallBehind();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(100));
        site.crashControllerAfter(entries);
        site.host("db1").killService();
        site.run(Duration.ofSeconds(20));
        assertThat(primary().phase()).as(told()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).as(told()).isEqualTo("db2");
        assertThat(site.host("db2").rows()).isEqualTo(105);
    }

    /// Between two orders of one fetch.
    @ParameterizedTest
    @ValueSource(ints = {50, 100, 150, 200, 250, 300, 350})
    void a_controller_that_is_restarted_in_mid_fetch_goes_on(int millis) {
        prefer("db2");
        primaryDies();
        site.run(Duration.ofMillis(millis));
        site.restartController(site.state().journaled());
        site.run(Duration.ofSeconds(15));
        assertThat(primary().holder()).as(told()).isEqualTo("db2");
        assertThat(site.host("db2").rows()).isEqualTo(105);
    }

    /// S15: what it has is looked at when its receiver is stopped, not believed.
    @Test
    void s15_one_that_loses_what_it_fetched_is_not_promoted() {
        prefer("db2");
        site.host("db2").losesWhatItFetches();
        primaryDies();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).as(told()).isEqualTo("db3");
        assertThat(told()).contains("DB-47").contains("is-cut: db2 has only");
    }

    private void prefer(String members) {
        site.obey(new String[] {"prefer", members});
        site.run(Duration.ofMillis(200));
    }

    private void primaryDies() {
        site.host("db2").fallBehind();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(100));
        site.host("db1").killService();
        site.run(Duration.ofMillis(50));
    }

    private String told() {
        return String.join("\n", site.events());
    }

    private Plan plan() {
        return Objects.requireNonNull(primary().plan());
    }

    private @Nullable String reason(String host) {
        return site.state().journaled().events().reversed().stream()
                .flatMap(event -> event.candidates().stream())
                .filter(c -> c.host().equals(host))
                .map(Candidate::reason)
                .findFirst()
                .orElse(null);
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
