package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Observation;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A member's data are replaced by a copy of another member's: who gives it, what is refused, and that it acknowledges
/// nothing when its data are touched. On the staged site, over virtual time.
class RebuildTest {

    private static final List<String> TOKENS = IntStream.range(0, Rebuild.ATTEMPTS)
            .mapToObj(i -> Integer.toString(i).repeat(64))
            .toList();
    private static final long MIB = 1L << 20;

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        List.of("db1", "db2", "db3").forEach(host -> data(host, 100 * MIB, 1000 * MIB, "", ""));
        site.run(Duration.ofSeconds(4));
        assertThat(primary().holder()).isEqualTo("db1");
        assertThat(primary().members().promotable()).containsExactlyInAnyOrder("db2", "db3");
        site.host("db1").write(100);
        site.run(Duration.ofMillis(300));
    }

    @Test
    void a_member_leaves_is_copied_from_a_replica_and_follows_again() {
        assertThat(ask("db3", null)).startsWith("R").contains("db3 will be rebuilt from db2");
        site.run(Duration.ofSeconds(15));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(site.host("db2").copy.verbs()).containsExactly("offer-copy");
        assertThat(site.host("db3").copy.verbs()).containsExactly("receive-copy", "adopt-copy");
        assertThat(site.host("db1").copy.ordered)
                .as("the primary is left alone")
                .isEmpty();
        assertThat(site.host("db3").follows("db1")).isTrue();
        assertThat(primary().quarantined()).isEmpty();
        assertThat(primary().ackers()).containsExactlyInAnyOrder("db2", "db3");
        assertThat(primary().members().promotable()).containsExactlyInAnyOrder("db2", "db3");
        assertThat(story()).contains("row=DM-13", "row=RB-03", "row=RB-12", "row=RB-23", "row=RB-32");
    }

    @Test
    void the_receiver_is_told_what_the_donor_said_and_both_have_the_same_ticket() {
        ask("db3", null);
        site.run(Duration.ofSeconds(5));
        Command.OfferCopy offer =
                (Command.OfferCopy) site.host("db2").copy.ordered.getFirst();
        Command.ReceiveCopy receive =
                (Command.ReceiveCopy) site.host("db3").copy.ordered.getFirst();
        assertThat(receive.ticket()).isEqualTo(offer.ticket());
        assertThat(receive.ticket().token()).isEqualTo(TOKENS.getFirst());
        assertThat(receive.address()).isEqualTo("10.0.0.16");
        assertThat(receive.port()).isEqualTo(7444);
        assertThat(receive.bytes()).isEqualTo(1_000_000);
        assertThat(offer.toString() + site.state().journaled().operations() + story())
                .as("a token stands in no text")
                .doesNotContain(TOKENS.getFirst());
    }

    @Test
    void s14_its_data_are_not_touched_while_it_may_acknowledge() {
        site.host("db2").stallReceiver();
        site.host("db1").write(5); // db3 has the only other copy: it cannot leave
        site.run(Duration.ofMillis(300));
        ask("db3", "db1");
        site.run(Duration.ofSeconds(10));
        assertThat(primary().ackers()).as(story()).contains("db3");
        assertThat(site.host("db3").copy.ordered).isEmpty();
        assertThat(rebuild().phase()).isEqualTo(Rebuild.Phase.LEAVING);
        site.host("db3").copy.hold("receive-copy");
        site.host("db2").goesOnReceiving();
        site.run(Duration.ofSeconds(1));
        assertThat(site.host("db3").copy.ordered).as(story()).isNotEmpty();
        assertThat(primary().ackers()).doesNotContain("db3");
    }

    @Test
    void a_rebuild_of_the_only_one_that_acknowledges_stops_no_writes() {
        site.host("db2").stallReceiver();
        site.host("db1").write(5); // db3 alone acknowledges
        site.run(Duration.ofMillis(300));
        ask("db3", "db1");
        site.run(Duration.ofSeconds(10));
        assertThat(site.host("db1").shutsOut("db3")).as(story()).isFalse();
        assertThat(primary().members().promotable()).contains("db3");
        assertThat(story()).contains("db3 acknowledges, and nobody else would");
        site.host("db2").goesOnReceiving();
        site.run(Duration.ofSeconds(15));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(primary().ackers()).containsExactlyInAnyOrder("db2", "db3");
    }

    @Test
    void s14_while_it_is_an_acker_it_is_a_candidate_like_any_other() {
        site.host("db2").stallReceiver();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        ask("db3", "db1");
        site.run(Duration.ofMillis(300));
        site.host("db1").killService();
        site.host("db2").goesOnReceiving();
        site.run(Duration.ofSeconds(10));
        assertThat(primary().holder()).as(story()).isEqualTo("db3");
        assertThat(rebuild()).as("the primary's data are not replaced").isNull();
        assertThat(site.host("db3").copy.ordered).isEmpty();
        assertThat(story()).contains("row=RB-05");
    }

    @Test
    void a_member_that_is_rebuilt_is_not_promoted_and_not_told_to_follow() {
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(3));
        assertThat(rebuild().phase()).as(story()).isEqualTo(Rebuild.Phase.COPYING);
        site.host("db1").killService();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db2");
        assertThat(primary().ackers()).doesNotContain("db3");
        assertThat(site.host("db3").follows("db2")).isFalse();
        assertThat(rebuild().phase()).as("the copy goes on").isEqualTo(Rebuild.Phase.COPYING);
    }

    @Test
    void its_server_is_not_stopped_while_a_plan_runs() {
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(3));
        site.host("db1").cut();
        site.host("db2").cut(); // the plan stops: it must hear db2
        site.run(Duration.ofMillis(600));
        site.host("db3").copy.work("receive-copy"); // it is complete when nobody hears the primary any more
        site.run(Duration.ofSeconds(8));
        assertThat(primary().steady()).as(story()).isFalse();
        assertThat(rebuild().phase()).as(story()).isEqualTo(Rebuild.Phase.ADOPTING);
        assertThat(site.host("db3").copy.verbs()).as(story()).doesNotContain("adopt-copy");
        site.host("db1").heal();
        site.host("db2").heal();
        site.run(Duration.ofSeconds(30));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(site.host("db3").copy.verbs()).contains("adopt-copy");
        assertThat(story()).as("it was not even ordered, and refused").doesNotContain("row=RB-24");
    }

    @Test
    void the_least_lagging_replica_gives_the_copy() {
        site.host("db1").heartbeatRow(new Observation.HeartbeatRow(1, 1, 9_000_000));
        site.host("db2").heartbeatRow(new Observation.HeartbeatRow(1, 1, 4_000_000));
        site.host("db3").heartbeatRow(new Observation.HeartbeatRow(1, 1, 9_000_000));
        site.run(Duration.ofSeconds(1));
        // of three members one is rebuilt: the other replica comes before the primary however far it lags
        assertThat(ask("db3", null)).contains("from db2");
    }

    @Test
    void the_primary_gives_the_copy_only_when_no_replica_will_do_or_it_is_named() {
        assertThat(ask("db3", "db1")).contains("from db1");
        cancelled("db3");
        site.host("db2").breakApplier();
        site.run(Duration.ofSeconds(1));
        assertThat(ask("db3", null)).contains("from db1");
        site.run(Duration.ofSeconds(10));
        assertThat(site.host("db1").copy.verbs()).as(story()).contains("offer-copy");
    }

    @Test
    void what_cannot_be_done_is_refused_with_one_line() {
        assertThat(ask("db1", null)).isEqualTo("db1 is the primary: move it first (understudy switchover shopdb)");
        assertThat(ask("web1", null)).isEqualTo("web1 is no member of shopdb");
        assertThat(ask("db3", "db3")).contains("db3 is no other member of the group");
        data("db3", 100 * MIB, 120 * MIB, "", "");
        site.run(Duration.ofSeconds(1));
        assertThat(ask("db3", null)).isEqualTo("db3 has room for 120 MiB beside its data, and a copy of db2 needs 174");
        data("db3", 100 * MIB, 1000 * MIB, "", "there is no folder /data");
        site.run(Duration.ofSeconds(1));
        assertThat(ask("db3", null)).isEqualTo("db3 cannot take a copy: there is no folder /data");
        data("db3", 100 * MIB, 1000 * MIB, "", "");
        data("db2", 100 * MIB, 1000 * MIB, "mariadb-backup is not installed", "");
        data("db1", 100 * MIB, 1000 * MIB, "mariadb-backup is not installed", "");
        site.run(Duration.ofSeconds(1));
        assertThat(ask("db3", null)).contains("nobody can give db3 a copy", "db2: mariadb-backup is not installed");
        assertThat(ask("db3", "db2")).isEqualTo("db2 cannot give a copy: mariadb-backup is not installed");
        data("db2", 100 * MIB, 1000 * MIB, "", "");
        site.host("db3").cut();
        site.run(Duration.ofSeconds(2));
        assertThat(ask("db3", null)).isEqualTo("the agent on db3 is not heard");
        site.host("db3").heal();
        site.run(Duration.ofSeconds(5));
        assertThat(ask("db3", null)).contains("will be rebuilt from db2");
        assertThat(ask("db2", null)).startsWith("db3 is being rebuilt");
        assertThat(site.host("db1").copy.ordered).isEmpty();
    }

    @Test
    void a_plan_that_runs_refuses_a_rebuild() {
        site.host("db1").cut();
        site.run(Duration.ofMillis(1700));
        assertThat(primary().steady()).as(story()).isFalse();
        assertThat(ask("db3", null)).startsWith("shopdb/primary is ");
    }

    @Test
    void an_attempt_that_fails_is_begun_again_from_nothing_with_another_token_and_bounded() {
        site.host("db3").copy.fail("receive-copy", "the stream broke after 17 bytes");
        ask("db3", null);
        site.run(Duration.ofSeconds(30));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(site.host("db3").copy.ordered.stream()
                        .filter(Command.ReceiveCopy.class::isInstance)
                        .map(c -> ((Command.ReceiveCopy) c).ticket().token())
                        .distinct())
                .containsExactlyElementsOf(TOKENS);
        assertThat(site.host("db3").copy.verbs()).doesNotContain("adopt-copy");
        assertThat(story())
                .contains("row=RB-13", "row=RB-14", "attempt 3 of 3", "db3 says the stream broke after 17 bytes");
        assertThat(primary().quarantined()).as("it was not quarantined before").isEmpty();
        assertThat(site.host("db3").follows("db1")).isTrue();
    }

    @Test
    void a_member_whose_copy_could_not_be_put_in_place_stays_quarantined() {
        site.host("db3").copy.fail("adopt-copy", "the server does not answer with the new data");
        ask("db3", null);
        site.run(Duration.ofSeconds(40));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(primary().isQuarantined("db3")).as(story()).isTrue();
        assertThat(primary().ackers()).doesNotContain("db3");
        assertThat(story()).contains("row=RB-25");
    }

    @Test
    void a_quarantined_member_is_rebuilt_and_quarantined_no_more() {
        site.host("db3").cut();
        site.run(Duration.ofSeconds(12));
        site.host("db3").diverge();
        site.host("db3").heal();
        site.run(Duration.ofSeconds(1));
        tell(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db2"));
        site.run(Duration.ofSeconds(40));
        assertThat(primary().isQuarantined("db3")).as(story()).isTrue();
        assertThat(ask("db3", null)).contains("will be rebuilt from db1");
        site.run(Duration.ofSeconds(15));
        assertThat(primary().quarantined()).as(story()).isEmpty();
        assertThat(site.host("db3").follows("db2")).isTrue();
    }

    @Test
    void it_can_be_cancelled_until_its_data_are_replaced() {
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(3));
        assertThat(cancel("db2")).isEqualTo("db2 is not being rebuilt");
        assertThat(tell(new OperatorRequest.Detach("shopdb"))).startsWith("db3 is being rebuilt: wait for its end");
        assertThat(cancel("db3")).contains("is being cancelled");
        site.run(Duration.ofSeconds(5));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(site.host("db2").copy.verbs()).containsExactly("offer-copy", "end-copy");
        assertThat(site.host("db3").copy.verbs()).containsExactly("receive-copy", "end-copy");
        site.run(Duration.ofSeconds(5));
        assertThat(primary().quarantined()).isEmpty();
        assertThat(primary().ackers()).as("it acknowledges again").contains("db3");
        site.host("db3").copy.work("receive-copy");
        site.host("db3").copy.hold("adopt-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(5));
        assertThat(cancel("db3")).contains("not stopped halfway");
    }

    @Test
    void an_operators_retry_does_not_free_a_member_that_is_being_rebuilt() {
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(3));
        assertThat(tell(new OperatorRequest.Retry(StagedSite.PRIMARY))).contains("no member is quarantined");
        assertThat(primary().isQuarantined("db3")).isTrue();
    }

    @Test
    void s20_when_the_only_acker_is_rebuilt_the_primary_runs_alone_meanwhile_and_says_so() {
        site.host("db2").cut();
        site.run(Duration.ofSeconds(12));
        assertThat(primary().ackers()).containsExactly("db3");
        site.host("db3").copy.hold("receive-copy");
        assertThat(ask("db3", null)).contains("db1 runs alone meanwhile");
        site.run(Duration.ofSeconds(3));
        assertThat(primary().alone()).as(story()).isTrue();
        assertThat(site.host("db1").copy.verbs()).contains("offer-copy");
        site.host("db3").copy.work("receive-copy");
        site.run(Duration.ofSeconds(15));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(primary().alone()).as(story()).isFalse();
        assertThat(primary().ackers()).containsExactly("db3");
    }

    @Test
    void the_primary_is_spared_while_a_replica_is_silent_for_a_moment() {
        site.host("db3").cut();
        site.run(Duration.ofSeconds(12));
        site.host("db3").diverge();
        site.host("db3").heal();
        site.run(Duration.ofSeconds(1));
        tell(new OperatorRequest.Switchover(StagedSite.PRIMARY, "db2"));
        site.run(Duration.ofSeconds(40));
        assertThat(primary().isQuarantined("db3")).as(story()).isTrue();
        site.host("db1").cut();
        site.run(Duration.ofSeconds(3));
        ask("db3", null);
        site.run(Duration.ofSeconds(2));
        assertThat(rebuild()).as(story()).isNotNull();
        assertThat(site.host("db2").copy.ordered).as(story()).isEmpty();
        site.host("db1").heal();
        site.run(Duration.ofSeconds(15));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(site.host("db1").copy.verbs()).contains("offer-copy");
        assertThat(site.host("db2").copy.ordered).isEmpty();
    }

    /// Until the primary has said so, what it answered may be nowhere else than with those that acknowledged it.
    @Test
    void s14_the_only_acker_leaves_when_the_primary_has_said_that_it_runs_alone() {
        site.host("db2").cut();
        site.run(Duration.ofSeconds(12));
        site.host("db1").failTakes();
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(10));
        assertThat(primary().alone()).as("journaled before it is ordered").isTrue();
        assertThat(primary().ackers()).as(story()).containsExactly("db3");
        assertThat(site.host("db1").shutsOut("db3")).isFalse();
        assertThat(site.host("db1").copy.ordered).isEmpty();
        site.host("db3").copy.work("receive-copy");
        site.host("db1").takesAgain();
        site.run(Duration.ofSeconds(20));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(primary().ackers()).containsExactly("db3");
        assertThat(primary().alone()).isFalse();
    }

    @Test
    void a_controller_that_is_restarted_goes_on_with_it() {
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(3));
        site.restartController(site.state().journaled());
        site.host("db3").copy.work("receive-copy");
        site.run(Duration.ofSeconds(15));
        assertThat(rebuild()).as(story()).isNull();
        assertThat(site.host("db3").follows("db1")).as(story()).isTrue();
        assertThat(site.host("db3").copy.ordered.stream()
                        .filter(Command.ReceiveCopy.class::isInstance)
                        .map(c -> ((Command.ReceiveCopy) c).ticket().copy())
                        .distinct())
                .as("one attempt")
                .hasSize(1);
    }

    @Test
    void progress_is_told_in_quarters() {
        site.host("db3").copy.hold("receive-copy");
        ask("db3", null);
        site.run(Duration.ofSeconds(3));
        String copy = rebuild().ticket().copy();
        for (int percent = 10; percent <= 90; percent += 10) {
            site.host("db3")
                    .sees(new Observation.Data(
                            "shopdb",
                            100 * MIB,
                            1000 * MIB,
                            "",
                            "",
                            new Observation.Copying(
                                    copy, Observation.CopyStep.RECEIVING, percent * MIB, 100 * MIB, 5 * MIB)));
            site.run(Duration.ofMillis(500));
        }
        assertThat(site.events().stream().filter(e -> e.contains("row=RB-11")))
                .hasSize(3)
                .anySatisfy(
                        e -> assertThat(e).contains("db3 has 50 % of the copy from db2 (50 MiB, 5.0 MiB a second)"));
    }

    private void data(String host, long bytes, long free, String cannotGive, String cannotReceive) {
        site.host(host).sees(new Observation.Data("shopdb", bytes, free, cannotGive, cannotReceive, null));
    }

    private String ask(String host, @Nullable String from) {
        return tell(new OperatorRequest.Rebuild(StagedSite.PRIMARY, host, from, null, TOKENS));
    }

    private String cancel(String host) {
        return tell(new OperatorRequest.CancelRebuild(StagedSite.PRIMARY, host));
    }

    private void cancelled(String host) {
        cancel(host);
        site.run(Duration.ofSeconds(8));
        assertThat(site.state().journaled().operations().rebuild("shopdb")).isEmpty();
    }

    private String tell(OperatorRequest request) {
        return site.decide(new Input.Operator("r", "test", request)).getFirst().text();
    }

    @SuppressWarnings("NullAway") // null is what some tests expect
    private Rebuild rebuild() {
        return site.state().journaled().operations().rebuild("shopdb").orElse(null);
    }

    private String story() {
        return String.join("\n", site.events());
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
