package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.candidate.PromotionRules;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Observation.HeartbeatRow;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Who is not promoted although it has everything, and who is only when nobody else is there. db2 stands first in the
/// file, so without the rule it would be the one.
class PromotionRulesTest {

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        site.host("db1").write(100);
        site.run(Duration.ofMillis(200));
        assertThat(primary().holder()).isEqualTo("db1");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
    }

    @AfterEach
    void neverTwoHolders() {
        assertThat(site.violations).isEmpty();
    }

    @Test
    void without_a_difference_the_first_of_the_file_is_promoted() {
        primaryDies();
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @ParameterizedTest
    @CsvSource({
        "finding, LOG_SLAVE_UPDATES, its configuration: LOG_SLAVE_UPDATES: OFF",
        "server_id, 3, 'SERVER_ID: it has server_id 3, and so has db3'",
        "binlog_format, STATEMENT, 'BINLOG_FORMAT: it would log in format STATEMENT, db1 logged in ROW'",
        "gtid_domain_id, 7, 'GTID_DOMAIN: it would number in domain 7, db1 numbered in 0'",
        "version, 10.6.20-MariaDB, 'VERSION: it is 10.6, older than db1 with 10.11'",
        "version, 11.4.2-MariaDB, 'VERSION: it is 11.4, and db3 is older'"
    })
    void one_that_is_not_set_up_for_it_is_never_promoted(String what, String value, String because) {
        site.host("db2").isSetUp(what, value);
        site.host("db3").isSetUp("server_id", what.equals("server_id") ? "3" : "9");
        assertThat(verdict("db2").eligible()).isFalse();
        assertThat(verdict("db2").reason()).startsWith(because);
        primaryDies();
        assertThat(reason("db2")).startsWith(because);
        // two with one server id are both unfit
        assertThat(primary().holder()).isNotEqualTo("db2");
        assertThat(primary().holder()).isEqualTo(what.equals("server_id") ? "db1" : "db3");
        site.run(Duration.ofMinutes(2));
        assertThat(primary().holder()).isNotEqualTo("db2");
    }

    @ParameterizedTest
    @CsvSource({
        "delay, 3600, its applier stays 3600 s behind on purpose",
        "free_percent, 4, 'only 4096 MiB of 102400 are free for its data, min_free is 5 %'"
    })
    void one_with_a_drawback_is_promoted_only_for_want_of_another(String what, String value, String because) {
        site.host("db2").isSetUp(what, value);
        assertThat(verdict("db2").reason()).startsWith(because);
        assertThat(verdict("db2").eligible()).isFalse();
        primaryDies();
        assertThat(primary().holder()).isEqualTo("db3");
        assertThat(reason("db2")).contains("only for want of a better one: " + because);

        site.run(Duration.ofSeconds(15)); // db1 leaves the ackers
        site.host("db3").killService();
        site.run(Duration.ofSeconds(6));
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void one_that_is_far_behind_comes_after_one_with_as_much_to_apply_that_is_not() {
        for (String host : List.of("db2", "db3")) {
            site.host(host).slowApplier(); // 100 s by its own estimate
        }
        site.host("db1").write(10);
        site.host("db1").heartbeatRow(new HeartbeatRow(1, 1, 1_000_000_000L));
        site.host("db3").heartbeatRow(new HeartbeatRow(1, 1, 999_000_000L)); // one second
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofMillis(200));
        assertThat(Objects.requireNonNull(primary().plan()).to()).isEqualTo("db3");
        assertThat(reason("db2")).contains("only for want of a better one: it lags by 100 s");
    }

    @Test
    void one_that_is_far_behind_is_told_while_all_is_well_unless_it_is_meant_to_be() {
        site.host("db1").heartbeatRow(new HeartbeatRow(1, 1, 1_000_000_000L));
        site.host("db2").heartbeatRow(new HeartbeatRow(1, 1, 990_000_000L));
        site.run(Duration.ofMillis(300));
        assertThat(rules().problem("db2")).isEmpty();
        site.host("db2").heartbeatRow(new HeartbeatRow(1, 1, 980_000_000L));
        site.run(Duration.ofMillis(300));
        assertThat(rules().problem("db2"))
                .hasValueSatisfying(text -> assertThat(text).startsWith("db2: it lags by 20"));
        site.host("db2").isSetUp("delay", "3600");
        site.run(Duration.ofMillis(300));
        assertThat(rules().problem("db2")).isEmpty();
    }

    private PromotionRules rules() {
        return new PromotionRules(evidence(), primary());
    }

    @Test
    void the_time_to_apply_is_that_of_the_phase() {
        assertThat(PromotionRules.APPLIES_WITHIN).isEqualTo(Deadlines.CATCHING_UP);
    }

    /// S14: set-up never outweighs what a member has. The other one fetches, and gets nothing.
    @Test
    void s14_nobody_is_preferred_that_lacks_what_a_member_with_a_drawback_has() {
        site.host("db2").isSetUp("delay", "3600");
        site.host("db3").stallReceiver();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.run(Duration.ofMillis(300));
        assertThat(site.events()).anyMatch(e -> e.contains("DB-47"));
        assertThat(Objects.requireNonNull(primary().plan()).to()).isEqualTo("db2");
        site.host("db3").goesOnReceiving();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void s14_a_row_that_only_an_unfit_member_has_stops_the_failover() {
        site.host("db2").isSetUp("finding", "LOG_SLAVE_UPDATES");
        site.host("db3").stallReceiver();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        primaryDies();
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.BLOCKED);
        assertThat(primary().holder()).isEqualTo("db1");
        // it is repaired: the plan goes on by itself
        site.host("db2")
                .isSetUp(s -> new dev.understudy.protocol.Observation.Settings(
                        s.group(), s.version(), 2, "ROW", 0, 0, s.diskFreeBytes(), s.diskBytes(), List.of()));
        site.run(Duration.ofSeconds(90));
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void a_primary_that_was_restarted_goes_on_however_it_is_set_up() {
        site.host("db1").isSetUp("finding", "LOG_SLAVE_UPDATES");
        site.host("db1").stopServiceCleanly();
        site.run(Duration.ofSeconds(2));
        site.host("db1").startService();
        site.run(Duration.ofSeconds(5));
        assertThat(primary().holder()).isEqualTo("db1");
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.HELD);
    }

    @Test
    void a_newer_one_is_promoted_when_only_the_last_primary_is_older() {
        site.host("db2").isSetUp("version", "11.4.2-MariaDB");
        site.host("db3").isSetUp("version", "11.4.2-MariaDB");
        assertThat(verdict("db2").eligible()).as(verdict("db2").reason()).isTrue();
        primaryDies();
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void a_format_that_the_primary_had_too_changes_nothing() {
        for (String host : List.of("db1", "db2", "db3")) {
            site.host(host).isSetUp("binlog_format", "STATEMENT");
        }
        assertThat(verdict("db2").eligible()).as(verdict("db2").reason()).isTrue();
    }

    @Test
    void a_warning_keeps_nobody_from_anything() {
        site.host("db2").isSetUp("warning", "SYNC_BINLOG");
        assertThat(verdict("db2").eligible()).as(verdict("db2").reason()).isTrue();
        primaryDies();
        assertThat(primary().holder()).isEqualTo("db2");
    }

    /// A primary that lives and cannot write is not given up for one that may not be promoted.
    @Test
    void an_unfit_member_is_no_stand_in() {
        for (String host : List.of("db2", "db3")) {
            site.host(host).isSetUp("finding", "LOG_BIN");
        }
        assertThat(PrimaryCandidates.standIns(evidence(), primary()))
                .hasSize(2)
                .allSatisfy(c -> assertThat(c.eligible()).isFalse())
                .allSatisfy(c -> assertThat(c.reason()).contains("LOG_BIN"));
    }

    private void primaryDies() {
        site.host("db1").killService();
        site.run(Duration.ofSeconds(3));
    }

    private Candidate verdict(String host) {
        return PrimaryCandidates.forMove(evidence(), primary()).stream()
                .filter(c -> c.host().equals(host))
                .findFirst()
                .orElseThrow();
    }

    /// What the last election said of the member.
    private String reason(String host) {
        return site.state().journaled().events().reversed().stream()
                .flatMap(event -> event.candidates().stream())
                .filter(c -> c.host().equals(host))
                .map(Candidate::reason)
                .findFirst()
                .orElse("");
    }

    private Evidence evidence() {
        return new Evidence(site.state(), site.now());
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
