package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.AddressControl.Enforcement;
import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.AddressControl.ServerPort;
import dev.understudy.agent.sys.Freezing;
import dev.understudy.agent.sys.LibC;
import dev.understudy.agent.sys.TwoHosts;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
    private static final int SIGKILL = 9;

    private TwoHosts hosts;
    private KernelAddressControl control;

    @BeforeEach
    void start() throws IOException {
        hosts = new TwoHosts();
        control = newControl();
        guardBoth();
        assertThat(enforcement()).isEqualTo(new Enforcement(true, ""));
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
    void whatIsDetachedAnswersForEver() {
        control.take(VIP, 1, in(Duration.ofSeconds(1)), () -> true);
        control.take(VIP6, 1, in(Duration.ofSeconds(1)), () -> true);

        assertThat(control.detach(VIP, new VirtualAddress(IP, 24, TwoHosts.LINK, null)))
                .isEqualTo(Outcome.Done.withoutFacts());
        assertThat(control.detach(VIP6, new VirtualAddress(IP6, 64, TwoHosts.LINK, null)))
                .isEqualTo(Outcome.Done.withoutFacts());

        assertThat(control.renew(VIP, 1, in(LONG))).isFalse();
        await().during(Duration.ofSeconds(4)).atMost(PATIENCE).until(() -> hosts.answers(IP) && hosts.answers(IP6));
    }

    @Test
    void anAddressThatIsKeptWaitsInItsPlaceToBeTaken() {
        VirtualAddress address = new VirtualAddress(IP, 24, TwoHosts.LINK, null);
        control.take(VIP, 1, in(LONG), () -> true);
        control.detach(VIP, address);
        control.keep(VIP);
        guardBoth();
        assertThat(control.present(VIP)).isTrue();
        assertThat(hosts.answers(IP)).as("no lease yet").isFalse();

        control.take(VIP, 2, in(LONG), () -> true);

        assertThat(hosts.answers(IP)).isTrue();
        control.detach(VIP, address);
        guardBoth();
        assertThat(hosts.answers(IP)).as("not kept").isFalse();
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
        Freezing.freeze(control.nftPid()); // and nobody calls this object any more
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

        control.guard(Map.of(), TimingProfile.STANDARD);

        assertThat(hosts.configured(IP)).isFalse();
        assertThat(control.take(VIP, 1, in(LONG), () -> true)).isInstanceOf(Outcome.Refused.class);
    }

    @Test
    void aMissingInterfaceIsAnErrorOfOperation() {
        control.guard(Map.of(VIP, Guard.of(new VirtualAddress(IP, 24, "eth7", null))), TimingProfile.STANDARD);

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

    /// `nft flush ruleset` on the holder: nobody calls this object, and the gate is back with the live element, which
    /// still ends by itself.
    @Test
    void s11_aFlushedGateComesBackWithTheLeasesThatAreLive() {
        control.take(VIP, 1, in(Duration.ofSeconds(4)), () -> true);
        hosts.here("nft", "flush", "ruleset");

        await().atMost(PATIENCE).until(() -> control.remaining(VIP, 1).isPresent());

        assertThat(hosts.answers(IP)).isTrue();
        assertThat(hosts.here("nft", "list", "ruleset").output()).contains("table arp understudy", "held6");
        assertThat(hosts.here("ip", "addr", "change", IP + "/24", "dev", TwoHosts.LINK, "valid_lft", "forever")
                        .exit())
                .isZero();
        await().atMost(PATIENCE).until(() -> !hosts.answers(IP));
    }

    @Test
    void s11_aFlushedGateComesBackShutForWhatIsNotHeld() {
        hosts.here("ip", "addr", "add", IP + "/24", "dev", TwoHosts.LINK);
        hosts.here("nft", "flush", "ruleset");

        await().atMost(PATIENCE)
                .until(() -> hosts.here("nft", "list", "tables").output().contains("arp understudy"));

        assertThat(hosts.answers(IP)).isFalse();
        assertThat(hosts.answersArp(IP)).isFalse();
    }

    @Test
    void s11_anythingElseThatOpensTheGateIsPutRight() {
        hosts.here("ip", "addr", "add", IP + "/24", "dev", TwoHosts.LINK);
        for (String[] harm : new String[][] {
            {"nft", "flush", "chain", "inet", "understudy", "arriving"},
            {"nft", "delete", "table", "arp", "understudy"},
            {"nft", "insert", "rule", "inet", "understudy", "arriving", "accept"},
            {"nft", "add", "table", "inet", "understudy", "{ flags dormant; }"}
        }) {
            String before = rules();
            assertThat(hosts.here(harm).exit()).as(String.join(" ", harm)).isZero();

            await(String.join(" ", harm)).atMost(PATIENCE).until(() -> rules().equals(before));
            assertThat(hosts.answers(IP)).isFalse();
        }
    }

    @Test
    void s11_aRenewalAfterAFlushIsNoLapse() {
        control.take(VIP, 1, in(LONG), () -> true);
        hosts.here("nft", "flush", "ruleset");

        assertThat(control.renew(VIP, 1, in(LONG))).isTrue();

        assertThat(control.remaining(VIP, 1)).isPresent();
        assertThat(hosts.answers(IP)).isTrue();
    }

    /// nft stops working while the ruleset is flushed: the gate cannot be put up again.
    @Test
    void s11_withoutAGateNothingNewIsTakenAndNothingIsRenewed() throws Exception {
        control.close();
        Path program = Files.createTempFile("usgate-nft", "");
        Path broken = Path.of(program + ".broken");
        Files.writeString(program, "#!/bin/sh\n[ -e " + broken + " ] && exit 1\nexec nft \"$@\"\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        try {
            control = KernelAddressControl.start(
                    "understudy", hosts.namespace(), KernelAddressControlTest::now, program.toString());
            guardBoth();
            control.take(VIP6, 1, in(Duration.ofSeconds(2)), () -> true);
            Files.createFile(broken);
            LibC.kill(control.nftPid(), SIGKILL);
            hosts.here("nft", "flush", "ruleset");

            await().atMost(PATIENCE).until(() -> !enforcement().enforced());
            assertThat(enforcement().detail()).contains("the gate cannot be built");
            assertThat(control.take(VIP, 1, in(LONG), () -> true))
                    .isInstanceOfSatisfying(
                            Outcome.Refused.class,
                            refused -> assertThat(refused.code()).isEqualTo("not-enforced"));
            assertThat(hosts.configured(IP)).isFalse();
            await().atMost(PATIENCE).until(() -> !control.renew(VIP6, 1, in(LONG)));

            Files.delete(broken);
            assertThat(control.take(VIP, 1, in(LONG), () -> true)).isEqualTo(Outcome.Done.withoutFacts());
            assertThat(enforcement().enforced()).isTrue();
            assertThat(rules()).contains("table arp understudy");
        } finally {
            Files.deleteIfExists(broken);
            Files.delete(program);
        }
    }

    private String rules() {
        return hosts.here("nft", "-s", "-t", "list", "ruleset").output();
    }

    @Test
    void anAddressWithAnotherPrefixIsRemovedToo() {
        hosts.here("ip", "addr", "add", IP + "/32", "dev", TwoHosts.LINK);

        assertThat(control.release(VIP)).isEqualTo(Outcome.Done.withoutFacts());

        assertThat(hosts.configured(IP)).isFalse();
    }

    /// nft refuses the name of this object's tables, so nothing can be proven; what is left is the address's
    /// lifetime, which never outlives the lease.
    @Test
    void s12_withoutAGateTheAddressAloneEndsTheLease() throws IOException {
        withoutGate(TimingProfile.RELAXED);

        assertThat(control.take(VIP, 1, in(Duration.ofMillis(2900)), () -> true))
                .isEqualTo(Outcome.Done.withoutFacts());
        Moment deadline = in(Duration.ofMillis(3900));
        assertThat(control.renew(VIP, 1, deadline)).isTrue();
        assertThat(hosts.answers(IP)).isTrue();

        await().atMost(PATIENCE).until(() -> !hosts.configured(IP));
        assertThat(now()).as("the address ends before the lease").isLessThanOrEqualTo(deadline);
        await().atMost(PATIENCE).until(() -> deadline.isBefore(now()));
        assertThat(control.renew(VIP, 1, in(LONG))).isFalse();
        assertThat(hosts.configured(IP)).isFalse();
    }

    @Test
    void s12_aProfileThatIsTooFastForLifetimesIsRefused() throws IOException {
        withoutGate(TimingProfile.STANDARD);

        assertThat(enforcement().enforced()).isFalse();
        assertThat(enforcement().detail()).contains("nft").contains("profile standard is too fast");
        for (ResourceId resource : List.of(VIP, VIP6)) {
            assertThat(control.take(resource, 1, in(LONG), () -> true))
                    .isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
                        assertThat(refused.code()).isEqualTo("not-enforced");
                        assertThat(refused.reason()).contains("nft");
                    });
        }
        assertThat(hosts.configured(IP)).isFalse();
        assertThat(hosts.configured(IP6)).isFalse();
    }

    /// A renewal under a profile that this host cannot keep is no renewal: the caller fences.
    @Test
    void s12_aLeaseEndsWhenItsProfileBecomesTooFast() throws IOException {
        withoutGate(TimingProfile.RELAXED);
        control.take(VIP, 1, in(LONG), () -> true);

        guardBoth(TimingProfile.STANDARD);

        assertThat(control.renew(VIP, 1, in(LONG))).isFalse();
    }

    /// No kernel without nftables ends what a database answers.
    @Test
    void s12_withoutAGateNoPrimaryIsTakenAtAnyProfile() throws IOException {
        withoutGate(TimingProfile.RELAXED);
        ResourceId primary = ResourceId.primary("shopdb");
        control.guard(Map.of(primary, new Guard(null, new ServerPort(3306, List.of()))), TimingProfile.RELAXED);

        assertThat(control.open(primary, 1, in(LONG), () -> true))
                .isInstanceOfSatisfying(
                        Outcome.Refused.class,
                        refused -> assertThat(refused.code()).isEqualTo("not-enforced"));
    }

    private void withoutGate(TimingProfile timing) throws IOException {
        control.close();
        hosts.here("nft", "flush", "ruleset");
        control = KernelAddressControl.start(
                "understudy", hosts.namespace(), KernelAddressControlTest::now, "/bin/false");
        guardBoth(timing);
    }

    @Test
    void ipv6_isHeldAndNeverPreferredAndEndsByItself() {
        control.take(VIP6, 1, in(Duration.ofSeconds(1)), () -> true);
        assertThat(hosts.here("ip", "addr", "show", "dev", TwoHosts.LINK).output())
                .containsPattern(IP6 + "/64 [^\\n]*deprecated");
        assertThat(hosts.answers(IP6)).isTrue();
        assertThat(control.renew(VIP6, 1, in(Duration.ofSeconds(2)))).isTrue();
        control.close();

        await().atMost(PATIENCE).until(() -> !hosts.configured(IP6));
    }

    /// The first address of a prefix would take the others of that prefix with it.
    @Test
    void anAddressThatEndsLeavesTheOthersOfItsPrefix() {
        hosts.here("ip", "addr", "flush", "dev", TwoHosts.LINK);
        hosts.here("sysctl", "-qw", "net.ipv4.conf." + TwoHosts.LINK + ".promote_secondaries=0");
        guardBoth();
        control.take(VIP, 1, in(LONG), () -> true);
        hosts.here("ip", "addr", "add", "10.77.0.1/24", "dev", TwoHosts.LINK);

        control.release(VIP);

        assertThat(hosts.configured(IP)).isFalse();
        assertThat(hosts.configured("10.77.0.1")).isTrue();
    }

    private KernelAddressControl newControl() throws IOException {
        return KernelAddressControl.start("understudy", hosts.namespace(), KernelAddressControlTest::now);
    }

    private void guardBoth() {
        guardBoth(TimingProfile.STANDARD);
    }

    private void guardBoth(TimingProfile timing) {
        control.guard(
                Map.of(
                        VIP, Guard.of(new VirtualAddress(IP, 24, TwoHosts.LINK, null)),
                        VIP6, Guard.of(new VirtualAddress(IP6, 64, TwoHosts.LINK, null))),
                timing);
    }

    private Enforcement enforcement() {
        return control.enforcement(Guard.of(new VirtualAddress(IP, 24, TwoHosts.LINK, null)), TimingProfile.STANDARD);
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
