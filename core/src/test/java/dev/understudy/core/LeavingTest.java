package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.Membership.Stage;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Trouble;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Members leave the ackers in an orderly way and come back (S14); a primary goes on alone (S20). On the staged site,
/// over virtual time.
class LeavingTest {

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    @BeforeEach
    void settle() {
        site.run(Duration.ofSeconds(4));
        assertThat(primary().holder()).isEqualTo("db1");
        assertThat(primary().members().promotable()).containsExactlyInAnyOrder("db2", "db3");
        site.host("db1").write(100);
        site.run(Duration.ofMillis(300));
    }

    @Test
    void s14_a_member_that_is_away_for_long_leaves_and_no_longer_blocks_a_failover() {
        site.host("db3").cut();
        site.run(Duration.ofSeconds(9));
        assertThat(primary().ackers()).contains("db3");
        site.run(Duration.ofSeconds(3));
        assertThat(site.host("db1").shutsOut("db3")).isTrue();
        assertThat(primary().ackers()).as(story()).containsExactly("db2");
        assertThat(primary().members().promotable()).containsExactly("db2");

        site.host("db1").killService();
        site.run(Duration.ofSeconds(10));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db2");
    }

    @Test
    void s14_it_is_out_of_the_promotable_ones_before_the_primary_is_told() {
        site.host("db1").cutFromController(); // the order does not reach it
        site.host("db3").cut();
        site.run(Duration.ofSeconds(12));
        assertThat(primary().members().promotable()).contains("db3");
        assertThat(primary().ackers()).contains("db3");
    }

    @Test
    void s14_it_stays_an_acker_until_another_has_everything() {
        site.host("db2").stallReceiver();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db3").cut(); // with the only other copy
        site.run(Duration.ofSeconds(20));
        assertThat(primary().members().isAt("db3", Stage.LEAVING)).as(story()).isTrue();
        assertThat(primary().members().promotable()).containsExactly("db2");
        assertThat(primary().ackers()).contains("db3");
        site.host("db1").killService();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).isEqualTo(PrimaryPhase.BLOCKED);
    }

    @Test
    void s14_who_returns_is_journaled_let_in_and_promotable_in_that_order() {
        site.host("db3").cut();
        site.run(Duration.ofSeconds(12));
        site.host("db1").write(3);
        site.host("db3").heal();
        site.run(Duration.ofMillis(100));
        assertThat(primary().ackers()).as(story()).contains("db3");
        assertThat(primary().members().promotable()).doesNotContain("db3");
        site.run(Duration.ofSeconds(6));
        assertThat(site.host("db1").shutsOut("db3")).isFalse();
        assertThat(site.host("db3").follows("db1")).isTrue();
        assertThat(primary().members().promotable()).containsExactlyInAnyOrder("db2", "db3");
        assertThat(primary().members().departures()).isEmpty();

        site.host("db3").cut(); // and once more
        site.run(Duration.ofSeconds(12));
        assertThat(primary().ackers()).as(story()).containsExactly("db2");
        assertThat(site.host("db1").shutsOut("db3")).isTrue();
    }

    @Test
    void s14_a_member_that_is_taken_out_of_the_group_leaves() {
        tell(new OperatorRequest.Apply(withMembers(List.of("db1", "db2")), ""));
        site.run(Duration.ofSeconds(2));
        assertThat(primary().ackers()).as(story()).containsExactly("db2");
        assertThat(site.host("db1").shutsOut("db3")).isTrue();
        assertThat(String.join("\n", site.events())).contains("row=DM-12");
    }

    /// It was told to follow the next primary already, so it may acknowledge.
    @Test
    void s14_a_member_that_is_taken_out_in_the_middle_of_a_failover_leaves_like_any_other() {
        site.host("db3").holdFollows();
        site.host("db1").killService();
        for (int i = 0; i < 100 && primary().phase() != PrimaryPhase.ATTACHING; i++) {
            site.run(Duration.ofMillis(50));
        }
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.ATTACHING);
        site.run(Duration.ofMillis(100));
        tell(new OperatorRequest.Apply(withMembers(List.of("db1", "db2")), ""));
        site.run(Duration.ofMillis(100));
        assertThat(primary().holder()).isEqualTo("db2");
        assertThat(primary().ackers()).as(story()).contains("db3");
        site.host("db1").startService();
        site.run(Duration.ofSeconds(20));
        assertThat(primary().ackers()).as(story()).containsExactly("db1");
        assertThat(site.host("db2").shutsOut("db3")).isTrue();
    }

    /// Neither can leave to the other: the primary runs alone until the copy follows.
    @Test
    void s20_a_member_is_taken_out_of_the_group_while_the_only_other_is_to_be_rebuilt() {
        List<String> tokens = IntStream.range(0, Rebuild.ATTEMPTS)
                .mapToObj(i -> Integer.toString(i).repeat(64))
                .toList();
        for (String host : List.of("db1", "db2")) {
            site.host(host).sees(new Observation.Data("shopdb", 1 << 20, 1 << 30, "", "", null));
        }
        site.run(Duration.ofMillis(500));
        tell(new OperatorRequest.Apply(withMembers(List.of("db1", "db2")), ""));
        assertThat(tell(new OperatorRequest.Rebuild(StagedSite.PRIMARY, "db2", null, null, tokens)))
                .contains("db2 will be rebuilt from db1");
        site.run(Duration.ofSeconds(20));
        assertThat(site.state().journaled().operations().rebuild("shopdb"))
                .as(story())
                .isEmpty();
        assertThat(primary().ackers()).as(story()).containsExactly("db2");
        assertThat(primary().alone()).isFalse();
    }

    @Test
    void s14_a_host_is_not_taken_out_of_the_file_while_its_database_may_acknowledge() {
        ClusterSpec spec = withMembers(List.of("db1", "db2"));
        ClusterSpec without = new ClusterSpec(
                spec.cluster(),
                spec.profile(),
                spec.hosts().stream().filter(h -> !h.name().equals("db3")).toList(),
                spec.groups());
        assertThat(tell(new OperatorRequest.Apply(without, ""))).contains("db3 may still acknowledge");
        tell(new OperatorRequest.Apply(spec, ""));
        site.run(Duration.ofSeconds(2));
        assertThat(tell(new OperatorRequest.Apply(without, ""))).contains("in force");
    }

    @Test
    void s14_a_member_in_maintenance_leaves_as_soon_as_it_is_away() {
        tell(new OperatorRequest.Maintenance("db3", true, null, "new memory"));
        site.run(Duration.ofSeconds(2));
        assertThat(primary().ackers()).contains("db3");
        site.host("db3").cut();
        site.run(Duration.ofSeconds(2));
        assertThat(primary().ackers()).as(story()).containsExactly("db2");
    }

    @Test
    void s14_commits_that_were_answered_unacknowledged_void_the_set_until_a_follower_has_everything() {
        site.host("db2").stallReceiver();
        site.host("db3").stallReceiver();
        site.host("db1").write(5);
        site.host("db1").answerUnacknowledged();
        site.run(Duration.ofMillis(500));
        assertThat(primary().alone()).as(story()).isTrue();
        assertThat(primary().members().promotable()).isEmpty();
        site.host("db1").killService();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.BLOCKED);
        site.host("db1").startService();
        site.run(Duration.ofSeconds(15));
        assertThat(primary().phase()).as(story()).isEqualTo(PrimaryPhase.HELD);
        assertThat(primary().holder()).isEqualTo("db1");
    }

    @Test
    void s14_a_void_set_is_established_again_by_itself() {
        site.host("db1").answerUnacknowledged();
        site.run(Duration.ofSeconds(5));
        assertThat(primary().alone()).as(story()).isFalse();
        assertThat(primary().members().promotable()).containsExactlyInAnyOrder("db2", "db3");
        assertThat(String.join("\n", site.events())).contains("answered commits without an acknowledgement");
    }

    @Test
    void s20_the_last_acker_leaves_and_the_primary_goes_on_alone_until_one_is_back() {
        site.host("db2").cut();
        site.host("db3").cut();
        site.host("db1").troubled(Trouble.SEMI_SYNC_BLOCKED);
        site.run(Duration.ofSeconds(9));
        assertThat(site.host("db1").waits()).isTrue();
        site.run(Duration.ofSeconds(3));
        assertThat(primary().alone()).as(story()).isTrue();
        assertThat(site.host("db1").waits()).isFalse();
        assertThat(primary().members().promotable()).isEmpty();

        site.host("db1").write(10);
        site.host("db2").heal();
        site.run(Duration.ofSeconds(6));
        assertThat(primary().alone()).as(story()).isFalse();
        assertThat(site.host("db1").waits()).isTrue();
        assertThat(primary().members().promotable()).containsExactly("db2");
        assertThat(primary().ackers()).as("the other one has left meanwhile").containsExactly("db2");
    }

    @Test
    void s20_nobody_goes_on_alone_while_no_commit_waits() {
        site.host("db2").cut();
        site.host("db3").cut();
        site.run(Duration.ofSeconds(20));
        assertThat(primary().alone()).as(story()).isFalse();
        assertThat(site.host("db1").waits()).isTrue();
    }

    @Test
    void a_controller_that_is_restarted_goes_on_with_a_departure() {
        site.host("db2").stallReceiver();
        site.host("db1").write(5);
        site.run(Duration.ofMillis(300));
        site.host("db3").cut();
        site.run(Duration.ofSeconds(12));
        assertThat(primary().members().isAt("db3", Stage.LEAVING)).isTrue();
        site.restartController(site.state().journaled());
        site.host("db2").goesOnReceiving();
        site.run(Duration.ofSeconds(5));
        assertThat(primary().ackers()).as(story()).containsExactly("db2");
    }

    private static ClusterSpec withMembers(List<String> members) {
        ClusterSpec spec = StagedSite.spec(Mode.AUTOMATIC);
        List<Group> groups = spec.groups().stream()
                .map(group -> group instanceof DatabaseGroup d
                        ? new DatabaseGroup(
                                d.name(),
                                d.mode(),
                                members,
                                d.engine(),
                                d.port(),
                                d.writer(),
                                d.routeBackend(),
                                d.service(),
                                d.cleanStopWait(),
                                d.recovery())
                        : group)
                .toList();
        return new ClusterSpec(spec.cluster(), spec.profile(), spec.hosts(), groups);
    }

    private String tell(OperatorRequest request) {
        return site.decide(new Input.Operator("r", "test", request)).getFirst().text();
    }

    private String story() {
        return String.join("\n", site.events());
    }

    private PrimaryState primary() {
        return (PrimaryState)
                Objects.requireNonNull(site.state().journaled().resources().get(StagedSite.PRIMARY));
    }
}
