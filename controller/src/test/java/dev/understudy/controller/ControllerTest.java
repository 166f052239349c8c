package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.ControllerMessage.Acknowledgement;
import dev.understudy.protocol.Health;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The shell around the real core: real Raft server, real web server, real connections.
class ControllerTest {

    @TempDir
    Path folder;

    private Site site;

    @BeforeEach
    void newSite() {
        site = new Site(folder.resolve("state"));
    }

    @AfterEach
    void noFaults() throws Exception {
        site.close();
        assertThat(site.faults).isEmpty();
    }

    @Test
    void givesTheAddressToOneAndMovesItWhenTheServiceDies() throws Exception {
        site.start(Site.PAIR, true);
        BalancerAgent first = site.agent("lb1");
        BalancerAgent second = site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        assertThat(second.holds()).isFalse();
        long epoch = first.epoch();

        first.service(Health.DOWN);

        site.awaitHeldBy(second, "lb2");
        assertThat(first.holds()).isFalse();
        assertThat(second.epoch()).isGreaterThan(epoch);
        await().until(() -> second.heard.stream()
                .anyMatch(m -> m instanceof Acknowledgement ack && !ack.grants().isEmpty()));
    }

    @Test
    void aSilentHolderIsReplacedOnlyWhenItsLeaseIsOver() throws Exception {
        site.start(Site.PAIR, true);
        BalancerAgent first = site.agent("lb1");
        BalancerAgent second = site.agent("lb2");
        site.awaitHeldBy(first, "lb1");

        first.mute(true);

        await().atMost(Duration.ofSeconds(30)).until(() -> {
            assertThat(first.holds() && second.holds()).isFalse();
            return second.holds();
        });
        site.awaitHeldBy(second, "lb2");
    }

    @Test
    void aCrashedControllerGoesOnWithHolderAndEpoch() throws Exception {
        site.start(Site.PAIR, true);
        BalancerAgent first = site.agent("lb1");
        site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        long epoch = site.address().epoch();

        site.crash();
        site.start(null, false);

        assertThat(site.address().epoch()).isEqualTo(epoch);
        assertThat(site.address().holder()).isEqualTo("lb1");
        await().atMost(Duration.ofSeconds(30))
                .until(() -> site.controller().view().orElseThrow().connected().size() == 2);
    }

    /// S8: after a sleep of its own the controller judges nobody by the silence.
    @Test
    void aControllerThatSleptMovesNothing() throws Exception {
        site.start(Site.PAIR, true);
        BalancerAgent first = site.agent("lb1");
        site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        long epoch = site.address().epoch();
        long terms = site.controller().view().orElseThrow().state().term();

        for (int sleeps = 0; sleeps < 5; sleeps++) {
            var before = site.controller().view().orElseThrow().at().mono();
            site.sleepOf(Duration.ofMinutes(1));
            await().until(() -> site.controller()
                            .view()
                            .orElseThrow()
                            .at()
                            .mono()
                            .since(before)
                            .compareTo(Duration.ofSeconds(61))
                    > 0);
        }

        assertThat(site.address().epoch()).isEqualTo(epoch);
        assertThat(site.address().steady()).isTrue();
        assertThat(first.holds()).isTrue();
        assertThat(site.controller().view().orElseThrow().state().term()).isEqualTo(terms);
    }

    /// S9: the lease outlives the restart.
    @Test
    void aPlannedStopMakesTheLeaseLongFirst() throws Exception {
        site.start(Site.PAIR, true);
        BalancerAgent first = site.agent("lb1");
        site.agent("lb2");
        site.awaitHeldBy(first, "lb1");
        long epoch = first.epoch();

        site.controller().close();
        assertThat(first.leaseLeft()).isGreaterThan(Duration.ofSeconds(5));
        site.start(null, false);

        await().atMost(Duration.ofSeconds(30))
                .until(() -> site.controller().view().orElseThrow().connected().contains("lb1"));
        assertThat(first.holds()).isTrue();
        assertThat(first.epoch()).isEqualTo(epoch);
        assertThat(site.address().epoch()).isEqualTo(epoch);
    }

    @Test
    void aBadFileIsRefusedBeforeAnythingIsTouched() throws Exception {
        Path bad = Files.writeString(
                folder.resolve("bad.yml"), Files.readString(Site.PAIR).replace("[lb1, lb2]", "[lb1, lb3]"));

        assertThatThrownBy(() -> site.start(bad, true))
                .isInstanceOf(Controller.RefusedException.class)
                .hasMessageContaining(bad + ":10: groups.edge.members: 'lb3' is not declared under hosts");
        assertThat(folder.resolve("state")).doesNotExist();
    }

    @Test
    void aBadFileAtARestartLeavesTheOldOneInForce() throws Exception {
        site.start(Site.PAIR, true);
        site.crash();
        Path bad = Files.writeString(folder.resolve("bad.yml"), "cluster: pair\n");
        assertThatThrownBy(() -> site.start(bad, false)).isInstanceOf(Controller.RefusedException.class);

        site.start(null, false);

        assertThat(site.controller().view().orElseThrow().state().journaled().specVersion())
                .isEqualTo(1);
    }

    @Test
    void aFileOfAnotherClusterIsRefused() throws Exception {
        site.start(Site.PAIR, true);
        site.crash();
        Path other = Files.writeString(
                folder.resolve("other.yml"), Files.readString(Site.PAIR).replace("cluster: pair", "cluster: other"));

        assertThatThrownBy(() -> site.start(other, false))
                .isInstanceOf(Controller.RefusedException.class)
                .hasMessageContaining("this is cluster pair, the file is for other");
    }

    @Test
    void aSecondControllerOnTheFolderOrThePortsIsToldSo() throws Exception {
        site.start(Site.PAIR, true);
        Site onFolder = new Site(folder.resolve("state"));
        assertThatThrownBy(() -> onFolder.start(Site.PAIR, true))
                .isInstanceOf(Controller.RefusedException.class)
                .hasMessageContaining("another controller runs on");
        Controller.Settings samePort = new Controller.Settings(
                "ctl2", Site.PAIR, folder.resolve("other"), "127.0.0.1", site.port(), Site.freePort(), true);
        assertThatThrownBy(() -> Controller.start(samePort, (_, _) -> {}))
                .isInstanceOf(Controller.RefusedException.class)
                .hasMessageContaining("127.0.0.1:" + site.port() + " cannot be used");
        assertThat(folder.resolve("other")).doesNotExist();
    }

    @Test
    void withoutAJournalItDoesNotStart() {
        assertThatThrownBy(() -> site.start(Site.PAIR, false))
                .isInstanceOf(Controller.RefusedException.class)
                .hasMessageContaining("there is no journal in");
    }
}
