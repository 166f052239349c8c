package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.controller.Site.Ran;
import dev.understudy.controller.api.Api;
import dev.understudy.controller.api.ApiJson;
import dev.understudy.protocol.Health;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What operators say that stays in force, on the command line, against a real controller.
class OperatorCliTest {

    @TempDir
    private Path folder;

    private Site site;
    private BalancerAgent first;
    private BalancerAgent second;

    @BeforeEach
    void start() throws Exception {
        site = new Site(folder.resolve("state"));
        site.start(Site.PAIR, true);
        first = site.agent("lb1");
        second = site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
    }

    @AfterEach
    void stop() throws Exception {
        site.close();
        assertThat(site.faults).isEmpty();
    }

    @Test
    void aPauseHoldsAMoveBackOverARestartOfTheControllerUntilItIsEnded() throws Exception {
        Ran paused = site.cli("pause", "edge", "--for", "1h", "--reason", "new cables");
        assertThat(paused.err()).isEmpty();
        assertThat(paused.out()).contains("edge paused until ").contains("because new cables");
        first.service(Health.DOWN);
        await().until(() -> site.cli("events").out().contains("LB-14"));
        site.controller().close();
        site.start(null, false);
        await().atMost(Duration.ofSeconds(30))
                .until(() -> site.controller().view().orElseThrow().connected().contains("lb2"));

        assertThat(site.cli("status").out()).containsPattern("automatic +paused until .* because new cables");
        Api.Site json = ApiJson.compact().readValue(site.cli("--json", "status").out(), Api.Site.class);
        assertThat(json.groups().getFirst().standing()).startsWith("paused until");
        assertThat(site.address().holder()).isEqualTo("lb1");

        assertThat(site.cli("resume", "edge").out()).contains("ended the pause of edge");
        site.awaitHeldBy(second, "lb2");
        assertThat(site.cli("resume").err()).isEqualTo("understudy: no group is paused\n");
        assertThat(site.cli("pause", "edge", "--for", "30").code()).isEqualTo(2);
        assertThat(site.cli("pause", "nothing", "--for", "30m").code()).isEqualTo(2);
        assertThat(site.cli("pause", "edge").code()).isEqualTo(2);
    }

    @Test
    void aHolderGoesIntoMaintenanceOnlyAfterItWasMovedFrom() {
        Ran refused = site.cli("maintenance", "lb1", "on");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("lb1 holds edge/192.0.2.10: move that first");

        Ran moved = site.cli("maintenance", "lb1", "on", "--move", "--for", "2h", "--reason", "new memory");
        assertThat(moved.err()).isEmpty();
        assertThat(moved.out()).contains("lb1 is in maintenance until ").contains("because new memory");
        site.awaitHeldBy(second, "lb2");
        first.service(Health.DOWN);
        await().until(() -> site.cli("status").out().contains("balancer/edge down"));
        assertThat(site.cli("status").code()).as(site.cli("status").out()).isZero();
        assertThat(site.cli("status").out()).contains("in maintenance until");
        assertThat(site.cli("switchover", "edge").err()).contains("lb1: it is in maintenance until");

        assertThat(site.cli("maintenance", "lb1", "off").code()).isZero();
        assertThat(site.cli("status").code()).isEqualTo(1);
        assertThat(site.cli("maintenance", "lb1", "maybe").code()).isEqualTo(2);
    }

    @Test
    void aModeIsChangedInTheFileInForce() {
        assertThat(site.cli("mode", "edge", "manual").out()).isEqualTo("version 2 is in force\n");
        String text = Objects.requireNonNull(
                site.controller().view().orElseThrow().state().journaled().specText());
        assertThat(text).contains("    mode: manual\n").contains("    members: [lb1, lb2]\n");
        first.service(Health.DOWN);
        await().until(() -> site.cli("events").out().contains("mode is MANUAL"));
        Ran failover = site.cli("failover", "edge");
        assertThat(failover.err()).isEmpty();
        assertThat(failover.out()).contains("edge/192.0.2.10 is held by lb2");
        Ran observe = site.cli("mode", "edge", "observe");
        assertThat(observe.code()).isEqualTo(1);
        assertThat(observe.err()).contains("understudy detach edge first");
        assertThat(site.cli("mode", "edge", "manual").code()).isEqualTo(1);
        assertThat(site.cli("mode", "edge", "sometimes").code()).isEqualTo(2);
    }

    @Test
    void whatCannotBeTakenBackIsTypedOut() {
        Ran wrong = site.cli("fenced", "lb1", "--yes", "lb2");
        assertThat(wrong.code()).isEqualTo(1);
        assertThat(wrong.err()).isEqualTo("understudy: 'lb2' is not 'lb1': nothing was done\n");
        assertThat(site.cli("fenced", "lb1", "--yes", "lb1").err())
                .isEqualTo("understudy: lb1 is not off: its agent is heard now\n");
        assertThat(site.cli("fenced", "lb9", "--yes", "lb9").code()).isEqualTo(2);
        assertThat(site.cli("detach", "edge", "--yes", "shop").err()).contains("'shop' is not 'pair'");
    }

    @Test
    void aHostThatIsVouchedForIsJournaled() {
        second.mute(true);
        first.mute(true);
        await().until(() -> site.cli("status").out().contains("! lb1 is not heard of"));
        Ran ran = site.cli("fenced", "lb1", "--yes", "lb1");
        assertThat(ran.out()).isEqualTo("lb1 counts as off: edge/192.0.2.10 epoch 1\n");
        await().untilAsserted(() -> assertThat(site.controller()
                        .view()
                        .orElseThrow()
                        .state()
                        .journaled()
                        .vouched())
                .containsEntry(BalancerAgent.ADDRESS, 1L));
    }

    @Test
    void aDetachedGroupIsLeftAsItIsUntilItIsAttachedAgain() {
        Ran ran = site.cli("detach", "edge", "--yes", "pair");
        assertThat(ran.err()).isEmpty();
        assertThat(ran.out()).contains("detaches edge");
        await().until(() -> first.detached() && second.detached());
        await().until(() -> site.address().holder() == null);
        assertThat(site.cli("status").out()).containsPattern("VACANT .*detached");
        assertThat(site.cli("switchover", "edge").err()).contains("edge is detached");

        assertThat(site.cli("mode", "edge", "automatic").out()).contains("attaches edge again");
        site.awaitHeldBy(first, "lb1");
        assertThat(second.detached()).isFalse();
    }

    @Test
    void aDatabaseIsBegunWhereThereIsOne() {
        Ran ran = site.cli("database", "init", "edge");
        assertThat(ran.code()).isEqualTo(2);
        assertThat(ran.err()).isEqualTo("understudy: there is no database group 'edge'\n");
        assertThat(site.cli("database").code()).isEqualTo(2);
        assertThat(site.cli("database", "init").code()).isEqualTo(2);
    }
}
