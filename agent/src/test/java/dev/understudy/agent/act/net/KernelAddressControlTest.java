package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.TwoHosts;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Addresses under leases, on two hosts that are namespaces: what the other host sees is what counts.
class KernelAddressControlTest {

    private static final String IP = "10.77.0.100";
    private static final String IP6 = "fd77::100";
    private static final ResourceId VIP = new ResourceId("edge", IP);
    private static final ResourceId VIP6 = new ResourceId("edge", IP6);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final int SIGSTOP = 19;

    private TwoHosts hosts;
    private KernelAddressControl control;

    @BeforeEach
    void start() throws IOException {
        hosts = new TwoHosts();
        control = newControl();
        assertThat(control.enforcement().enforced())
                .as(control.enforcement().detail())
                .isTrue();
        guardBoth();
    }

    @AfterEach
    void stop() {
        control.close();
        hosts.close();
    }

    @Test
    void anAddressIsTakenAndReleased() {
        assertThat(control.present(VIP)).isFalse();
        assertThat(control.carrier(VIP)).isTrue();

        assertThat(control.take(VIP, 1, in(LONG), () -> true)).isEqualTo(Outcome.Done.withoutFacts());

        assertThat(control.present(VIP)).isTrue();
        assertThat(hosts.answers(IP)).isTrue();
        assertThat(control.release(VIP)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(control.present(VIP)).isFalse();
        assertThat(control.remaining(VIP, 1)).isEmpty();
        assertThat(control.release(VIP)).as("again").isEqualTo(Outcome.Done.withoutFacts());
    }

    @Test
    void s9_aLongLeaseCarriesTheAddressOverARestartToo() {
        control.take(VIP, 1, in(Duration.ofSeconds(1)), () -> true);
        assertThat(control.renew(VIP, 1, in(LONG))).isTrue(); // within a second of the take

        await().during(Duration.ofSeconds(4)).atMost(PATIENCE).until(() -> control.present(VIP));
        assertThat(hosts.answers(IP)).isTrue();
    }

    @Test
    void aTakeMovesTheNeighboursAtOnce() {
        forgedNeighbour(IP);
        forgedNeighbour(IP6);

        control.take(VIP, 1, in(LONG), () -> true);
        control.take(VIP6, 1, in(LONG), () -> true);

        await().atMost(PATIENCE).until(() -> hosts.neighbour(IP).equals(hosts.mac()));
        await().atMost(PATIENCE).until(() -> hosts.neighbour(IP6).equals(hosts.mac()));
        assertThat(hosts.answers(IP)).isTrue();
        assertThat(hosts.answers(IP6)).isTrue();
    }

    @Test
    void anAnnouncementNeedsALiveElement() {
        control.take(VIP, 1, in(LONG), () -> true);
        forgedNeighbour(IP);
        control.announce(VIP);
        await().atMost(PATIENCE).until(() -> hosts.neighbour(IP).equals(hosts.mac()));

        control.release(VIP);
        forgedNeighbour(IP);
        control.announce(VIP);

        await().during(Duration.ofSeconds(1))
                .atMost(PATIENCE)
                .until(() -> !hosts.neighbour(IP).equals(hosts.mac()));
    }

    @Test
    void s2_theLeaseIsAskedBeforeEachAct() {
        for (int dies = 0; dies < 3; dies++) {
            AtomicInteger left = new AtomicInteger(dies);
            Outcome outcome = control.take(VIP, 1, in(LONG), () -> left.getAndDecrement() > 0);

            assertThat(outcome)
                    .as("after %d looks", dies)
                    .isInstanceOfSatisfying(
                            Outcome.Refused.class,
                            refused -> assertThat(refused.code()).isEqualTo("lease"));
            assertThat(control.present(VIP)).isFalse();
            assertThat(control.remaining(VIP, 1)).isEmpty();
        }
    }

    /// The thread that keeps leases may be in a renewal while a worker's take asks it.
    @Test
    void aLeaseCheckMayWaitForAThreadThatUsesThisObject() {
        control.take(VIP6, 1, in(LONG), () -> true);

        Outcome outcome = control.take(
                VIP,
                1,
                in(LONG),
                () -> CompletableFuture.supplyAsync(() -> control.renew(VIP6, 1, in(LONG)))
                        .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                        .join());

        assertThat(outcome).isEqualTo(Outcome.Done.withoutFacts());
    }

    @Test
    void aTakeWhoseDeadlineIsOverTouchesNothing() {
        Outcome outcome = control.take(VIP, 1, in(Duration.ofSeconds(-1)), () -> true);

        assertThat(outcome).isInstanceOf(Outcome.Refused.class);
        assertThat(control.present(VIP)).isFalse();
        assertThat(control.remaining(VIP, 1)).isEmpty();
    }

    @Test
    void s10_aHolderThatStandsStillGoesSilent() {
        control.take(VIP, 1, in(Duration.ofSeconds(2)), () -> true);
        assertThat(hosts.answers(IP)).isTrue();
        assertThat(LibC.kill(control.nftPid(), SIGSTOP)).isZero(); // and nobody calls this object any more
        hosts.here("ip", "addr", "change", IP + "/24", "dev", TwoHosts.LINK, "valid_lft", "forever");

        await().atMost(PATIENCE).until(() -> !hosts.answers(IP));

        assertThat(hosts.configured(IP))
                .as("the gate did it, the address is still there")
                .isTrue();
        assertThat(hosts.answersArp(IP)).isFalse();
    }

    @Test
    void s10_theAddressItselfEndsTooWhenNobodyRenews() {
        control.take(VIP, 1, in(Duration.ofSeconds(1)), () -> true);
        control.close();

        await().atMost(PATIENCE).until(() -> !hosts.configured(IP));
    }

    @Test
    void s10_renewalsKeepALeaseAndNeverReviveIt() {
        control.take(VIP, 1, in(Duration.ofMillis(1500)), () -> true);
        Moment until = in(Duration.ofSeconds(4)); // longer than the first lease and the first life of the address
        while (now().isBefore(until)) {
            assertThat(control.renew(VIP, 1, in(Duration.ofMillis(1500)))).isTrue();
            assertThat(hosts.answers(IP)).isTrue();
        }
        await().atMost(PATIENCE).until(() -> control.remaining(VIP, 1).isEmpty());

        assertThat(control.renew(VIP, 1, in(LONG))).isFalse();

        assertThat(control.remaining(VIP, 1)).isEmpty();
        assertThat(hosts.answers(IP)).isFalse();
    }

    @Test
    void aRenewalOfAnotherEpochIsRefused() {
        control.take(VIP, 5, in(LONG), () -> true);

        assertThat(control.renew(VIP, 4, in(LONG))).isFalse();
        assertThat(control.renew(VIP, 6, in(LONG))).isFalse();
        assertThat(control.renew(VIP, 5, in(LONG))).isTrue();
        assertThat(control.take(VIP, 6, in(LONG), () -> true)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(control.remaining(VIP, 5)).isEmpty();
        assertThat(control.remaining(VIP, 6)).isPresent();
    }

    @Test
    void s9_aRestartedAgentFindsItsLeaseAndRenewsIt() throws IOException {
        control.take(VIP, 7, in(LONG), () -> true);
        control.close();
        control = newControl();
        assertThat(control.remaining(VIP, 7)).as("nothing is guarded yet").isEmpty();

        guardBoth();

        assertThat(control.remaining(VIP, 7))
                .hasValueSatisfying(left -> assertThat(left).isBetween(Duration.ofSeconds(30), LONG));
        assertThat(control.remaining(VIP, 6)).isEmpty();
        assertThat(control.present(VIP)).isTrue();
        assertThat(hosts.answers(IP)).isTrue();
        assertThat(control.renew(VIP, 6, in(LONG))).isFalse();
        assertThat(control.renew(VIP, 7, in(LONG))).isTrue();
    }

    @Test
    void s9_anAddressWithoutALiveElementIsRemovedAtStart() throws IOException {
        control.close();
        hosts.here("ip", "addr", "add", IP + "/24", "dev", TwoHosts.LINK);
        control = newControl();

        guardBoth();

        assertThat(control.present(VIP)).isFalse();
        assertThat(hosts.configured("10.77.0.1")).isTrue();
    }

    @Test
    void anAddressThatSomebodyRemovesComesBack() {
        control.take(VIP, 1, in(LONG), () -> true);
        control.take(VIP6, 1, in(LONG), () -> true);

        assertThat(hosts.here("ip", "addr", "del", IP + "/24", "dev", TwoHosts.LINK)
                        .exit())
                .isZero();
        assertThat(hosts.here("ip", "addr", "del", IP6 + "/64", "dev", TwoHosts.LINK)
                        .exit())
                .isZero();

        await().atMost(PATIENCE).until(() -> control.present(VIP) && control.present(VIP6));
        assertThat(hosts.answers(IP)).isTrue();
    }

    @Test
    void aReleasedAddressStaysAway() {
        control.take(VIP, 1, in(LONG), () -> true);
        control.release(VIP);

        await().during(Duration.ofMillis(500)).atMost(PATIENCE).until(() -> !hosts.configured(IP));
    }

    @Test
    void aHeldAddressThatIsNoLongerNamedIsReleased() {
        control.take(VIP, 1, in(LONG), () -> true);

        control.guard(Map.of());

        assertThat(hosts.configured(IP)).isFalse();
        assertThat(control.take(VIP, 1, in(LONG), () -> true)).isInstanceOf(Outcome.Refused.class);
    }

    @Test
    void aMissingInterfaceIsAnErrorOfOperation() {
        control.guard(Map.of(VIP, new VirtualAddress(IP, 24, "eth7", null)));

        assertThat(control.take(VIP, 1, in(LONG), () -> true))
                .isInstanceOfSatisfying(
                        Outcome.Failed.class,
                        failed -> assertThat(failed.reason()).contains("eth7"));
        assertThat(control.remaining(VIP, 1)).isEmpty();
    }

    @Test
    void s11_aTakeAfterAFlushedRulesetBuildsTheGateFirst() {
        hosts.here("nft", "flush", "ruleset");

        assertThat(control.take(VIP, 1, in(Duration.ofSeconds(2)), () -> true)).isEqualTo(Outcome.Done.withoutFacts());
        hosts.here("ip", "addr", "change", IP + "/24", "dev", TwoHosts.LINK, "valid_lft", "forever");

        assertThat(hosts.answers(IP)).isTrue();
        await().atMost(PATIENCE).until(() -> !hosts.answers(IP));
    }

    @Test
    void aFlushedRulesetIsNoRenewal() {
        control.take(VIP, 1, in(LONG), () -> true);

        hosts.here("nft", "flush", "ruleset");

        assertThat(control.renew(VIP, 1, in(LONG))).isFalse();
        assertThat(control.release(VIP)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(hosts.configured(IP)).isFalse();
    }

    @Test
    void anAddressWithAnotherPrefixIsRemovedToo() {
        hosts.here("ip", "addr", "add", IP + "/32", "dev", TwoHosts.LINK);

        assertThat(control.release(VIP)).isEqualTo(Outcome.Done.withoutFacts());

        assertThat(hosts.configured(IP)).isFalse();
    }

    /// nft refuses the name of this object's tables, so nothing can be proven; what is left is the address's
    /// lifetime.
    @Test
    void withoutAGateTheAddressAloneEndsTheLease() throws IOException {
        control.close();
        control = KernelAddressControl.start("9 no name", hosts.namespace(), KernelAddressControlTest::now);
        assertThat(control.enforcement().enforced()).isFalse();
        assertThat(control.enforcement().detail()).contains("nft");
        hosts.here("nft", "flush", "ruleset");
        guardBoth();

        assertThat(control.take(VIP, 1, in(Duration.ofMillis(900)), () -> true)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(control.renew(VIP, 1, in(Duration.ofMillis(1500)))).isTrue();
        assertThat(hosts.answers(IP)).isTrue();

        await().atMost(PATIENCE).until(() -> !hosts.configured(IP));
        assertThat(control.renew(VIP, 1, in(LONG))).isFalse();
        assertThat(hosts.configured(IP)).isFalse();
    }

    private KernelAddressControl newControl() throws IOException {
        return KernelAddressControl.start("understudy", hosts.namespace(), KernelAddressControlTest::now);
    }

    private void guardBoth() {
        control.guard(Map.of(
                VIP, new VirtualAddress(IP, 24, TwoHosts.LINK, null),
                VIP6, new VirtualAddress(IP6, 64, TwoHosts.LINK, null)));
    }

    private void forgedNeighbour(String ip) {
        assertThat(hosts.there(
                                "ip",
                                "neigh",
                                "replace",
                                ip,
                                "lladdr",
                                "02:00:00:00:00:99",
                                "dev",
                                TwoHosts.LINK,
                                "nud",
                                "stale")
                        .exit())
                .isZero();
    }

    private static Moment in(Duration duration) {
        return now().plus(duration);
    }

    private static Moment now() {
        return new Moment(System.nanoTime());
    }
}
