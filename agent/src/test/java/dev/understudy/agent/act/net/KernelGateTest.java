package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.sys.TwoHosts;
import dev.understudy.protocol.Moment;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The gate alone, against the real nftables of a namespace.
class KernelGateTest {

    private static final GateTarget VIP = address("10.77.0.100");
    private static final List<GateTarget> ONLY = List.of(VIP);
    private static final String IP6 = "fd77::100";
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private TwoHosts hosts;
    private KernelGate gate;

    @BeforeEach
    void build() throws IOException {
        hosts = new TwoHosts();
        gate = gate(KernelGateTest::now, KernelGateTest::wall);
        assertThat(gate.prove()).isEqualTo(new KernelGate.Proof(true, ""));
        gate.guard(ONLY);
        hosts.here("ip", "addr", "add", "10.77.0.100/24", "dev", TwoHosts.LINK);
    }

    @AfterEach
    void tearDown() {
        gate.close();
        hosts.close();
    }

    @Test
    void aGuardedAddressIsSilentUntilOpened() throws IOException {
        assertThat(hosts.answers("10.77.0.100")).isFalse();
        assertThat(hosts.answersArp("10.77.0.100")).isFalse();
        assertThat(hosts.answers("10.77.0.1"))
                .as("other addresses are not touched")
                .isTrue();
        assertThat(hosts.here("ping", "-n", "-q", "-c", "1", "-W", "1", "10.77.0.100")
                        .exit())
                .as("loopback is exempt")
                .isZero();

        assertThat(gate.open(ONLY, "edge/a 1", in(Duration.ofSeconds(30)))).isTrue();

        answersSoon();
        assertThat(hosts.answersArp("10.77.0.100")).isTrue();
        gate.remove(ONLY);
        assertThat(hosts.answers("10.77.0.100")).isFalse();
        assertThat(hosts.answersArp("10.77.0.100")).isFalse();
    }

    @Test
    void s10_trafficEndsByItselfWhenTheElementLapses() throws IOException {
        gate.open(ONLY, "edge/a 1", in(Duration.ofSeconds(2)));
        assertThat(hosts.answers("10.77.0.100")).isTrue();
        gate.close(); // nobody is left who could act

        await().atMost(PATIENCE).until(() -> !hosts.answers("10.77.0.100"));

        assertThat(hosts.configured("10.77.0.100"))
                .as("the gate ended it, not the address")
                .isTrue();
        assertThat(hosts.answersArp("10.77.0.100")).isFalse();
    }

    @Test
    void s10_aRenewalExtendsALiveElement() throws IOException {
        gate.open(ONLY, "edge/a 1", in(Duration.ofSeconds(2)));

        assertThat(gate.extend(ONLY, "edge/a 1", in(Duration.ofSeconds(60)))).isTrue();

        assertThat(gate.element(VIP)).hasValueSatisfying(element -> {
            assertThat(element.comment()).isEqualTo("edge/a 1");
            assertThat(element.expires()).isGreaterThan(Duration.ofSeconds(30));
        });
        assertThat(hosts.answers("10.77.0.100")).isTrue();
    }

    @Test
    void s10_aRenewalNeverRevivesALapsedElement() throws Exception {
        gate.open(ONLY, "edge/a 1", in(Duration.ofMillis(100)));
        await().atMost(PATIENCE).until(() -> gate.element(VIP).isEmpty());

        assertThat(gate.extend(ONLY, "edge/a 1", in(Duration.ofSeconds(60)))).isFalse();

        assertThat(gate.element(VIP)).isEmpty();
        assertThat(hosts.answers("10.77.0.100")).isFalse();
    }

    @Test
    void s10_aPauseBetweenComputingAndWritingDoesNotLengthenALease() throws IOException {
        Moment computed = now();
        long wall = wall() - Duration.ofSeconds(10).toNanos(); // both clocks read 10 s before the kernel hears of it
        try (KernelGate paused = gate(() -> computed, () -> wall)) {
            paused.open(ONLY, "edge/a 1", computed.plus(Duration.ofSeconds(9)));

            assertThat(paused.element(VIP))
                    .as("the relative time-out alone would hold")
                    .isPresent();
            assertThat(hosts.answers("10.77.0.100")).isFalse();
            assertThat(hosts.answersArp("10.77.0.100")).isFalse();
        }
    }

    @Test
    void s10_aWallClockThatIsSetBackDoesNotLengthenALease() throws IOException {
        try (KernelGate behind =
                gate(KernelGateTest::now, () -> wall() + Duration.ofHours(1).toNanos())) {
            behind.open(ONLY, "edge/a 1", in(Duration.ofSeconds(1)));

            await().atMost(PATIENCE).until(() -> !hosts.answers("10.77.0.100"));
        }
    }

    @Test
    void s10_absoluteDeadlinesAreFinerThanASecond() throws IOException {
        // The relative time-out is far away, so only the absolute deadline can end it.
        Moment frozen = now();
        long end = wall() + Duration.ofMillis(1500).toNanos();
        try (KernelGate absolute =
                gate(() -> frozen, () -> end - Duration.ofSeconds(60).toNanos())) {
            assertThat(absolute.prove().detail()).isEmpty();
            absolute.open(ONLY, "edge/a 1", frozen.plus(Duration.ofSeconds(60)));
            assertThat(hosts.answers("10.77.0.100")).isTrue();

            await().atMost(PATIENCE).until(() -> !hosts.answers("10.77.0.100"));

            assertThat(wall()).as("not before its time").isGreaterThanOrEqualTo(end);
            assertThat(absolute.element(VIP)).isPresent();
        }
    }

    @Test
    void s9_guardingAgainKeepsLiveElements() throws IOException {
        gate.open(ONLY, "edge/a 7", in(Duration.ofSeconds(60)));
        gate.close();
        gate = gate(KernelGateTest::now, KernelGateTest::wall);

        gate.guard(List.of(VIP, address("10.77.0.101")));

        assertThat(gate.element(VIP)).map(KernelGate.Element::comment).hasValue("edge/a 7");
        assertThat(hosts.answers("10.77.0.100")).isTrue();
    }

    @Test
    void anAddressThatIsNoLongerNamedLosesItsGate() throws IOException {
        gate.guard(List.of());

        assertThat(hosts.answers("10.77.0.100")).isTrue();
        assertThat(hosts.here("nft", "list", "ruleset").output()).doesNotContain("until_");
    }

    @Test
    void tablesOfAnotherShapeAreReplaced() throws IOException {
        hosts.here(
                "nft",
                "flush ruleset; add table inet understudy; add chain inet understudy arriving"
                        + " { type filter hook prerouting priority 0; }");

        gate.guard(ONLY);

        assertThat(hosts.answers("10.77.0.100")).isFalse();
        assertThat(gate.open(ONLY, "edge/a 1", in(Duration.ofSeconds(30)))).isTrue();
        answersSoon();
    }

    @Test
    void nftIsStartedAgainWhenItDied() throws IOException {
        gate.open(ONLY, "edge/a 1", in(Duration.ofSeconds(30)));
        ProcessHandle nft = ProcessHandle.of(gate.nftPid()).orElseThrow();
        nft.destroyForcibly();
        await().atMost(PATIENCE).until(() -> !nft.isAlive());

        assertThat(gate.extend(ONLY, "edge/a 1", in(Duration.ofSeconds(60)))).isTrue();
    }

    @Test
    void s11_ipv6IsGatedWithItsNeighbourAdvertisements() throws IOException {
        GateTarget six = six();
        assertThat(hosts.answers(IP6)).isFalse();
        assertThat(hosts.neighbour(IP6)).as("nobody said who has it").isEmpty();

        gate.open(List.of(six), "edge/six 1", in(Duration.ofSeconds(30)));

        await().atMost(PATIENCE).until(() -> hosts.answers(IP6));
        gate.remove(List.of(six));
        assertThat(hosts.answers(IP6)).isFalse();
        assertThat(hosts.saysWhoHas(IP6)).isFalse();
    }

    @Test
    void s10_ipv6EndsByItselfWhenItsElementsLapse() throws IOException {
        GateTarget six = six();
        gate.open(List.of(six), "edge/six 1", in(Duration.ofSeconds(2)));
        await().atMost(PATIENCE).until(() -> hosts.answers(IP6));
        gate.close(); // nobody is left who could act

        await().atMost(PATIENCE).until(() -> !hosts.answers(IP6));

        assertThat(hosts.configured(IP6)).isTrue();
        assertThat(hosts.saysWhoHas(IP6)).isFalse();
    }

    /// The kernel answers for a proxied address from another one of its own: what is gated is whom an advertisement
    /// names, not where it comes from.
    @Test
    void s11_anAdvertisementFromAnotherAddressNeedsALiveElementToo() throws IOException {
        GateTarget six = proxied();
        assertThat(hosts.saysWhoHas(IP6)).isFalse();

        gate.open(List.of(six), "edge/six 1", in(Duration.ofSeconds(30)));
        await().atMost(PATIENCE).until(() -> hosts.saysWhoHas(IP6));

        gate.remove(List.of(six));
        assertThat(hosts.saysWhoHas(IP6)).isFalse();
    }

    /// Each of the two deadlines alone keeps advertisements back.
    @Test
    void s10_advertisementsNeedTheTimeOutAndTheAbsoluteDeadline() throws IOException {
        GateTarget six = proxied();
        Moment computed = now();
        long late = wall() - Duration.ofSeconds(10).toNanos();
        try (KernelGate paused = gate(() -> computed, () -> late)) {
            paused.open(List.of(six), "edge/six 1", computed.plus(Duration.ofSeconds(9)));
            assertThat(paused.element(six)).isPresent();
            assertThat(hosts.saysWhoHas(IP6)).as("over by the wall clock").isFalse();
        }
        try (KernelGate ahead =
                gate(KernelGateTest::now, () -> wall() + Duration.ofHours(1).toNanos())) {
            ahead.open(List.of(six), "edge/six 2", in(Duration.ofSeconds(1)));

            await().atMost(PATIENCE).until(() -> ahead.element(six).isEmpty());

            assertThat(hosts.saysWhoHas(IP6)).as("over by the time-out").isFalse();
        }
    }

    private GateTarget proxied() throws IOException {
        GateTarget six = address(IP6);
        gate.guard(List.of(six));
        String conf = "net.ipv6.conf." + TwoHosts.LINK;
        assertThat(hosts.here(
                                "sysctl",
                                "-qw",
                                conf + ".forwarding=1",
                                conf + ".proxy_ndp=1",
                                "net.ipv6.neigh." + TwoHosts.LINK + ".proxy_delay=0")
                        .exit())
                .isZero();
        assertThat(hosts.here("ip", "-6", "neigh", "add", "proxy", IP6, "dev", TwoHosts.LINK)
                        .exit())
                .isZero();
        return six;
    }

    @Test
    void s10_aRenewalOfIpv6NeverRevivesIt() throws IOException {
        GateTarget six = six();
        gate.open(List.of(six), "edge/six 1", in(Duration.ofMillis(100)));
        await().atMost(PATIENCE).until(() -> gate.element(six).isEmpty());

        assertThat(gate.extend(List.of(six), "edge/six 1", in(Duration.ofSeconds(60))))
                .isFalse();

        assertThat(hosts.answers(IP6)).isFalse();
    }

    private GateTarget six() throws IOException {
        GateTarget six = address(IP6);
        gate.guard(List.of(VIP, six));
        hosts.here("ip", "addr", "add", IP6 + "/64", "dev", TwoHosts.LINK, "nodad");
        return six;
    }

    /// The other host may have a failed neighbour entry, which it tries again within a second.
    private void answersSoon() {
        await().atMost(PATIENCE).until(() -> hosts.answers("10.77.0.100"));
    }

    private KernelGate gate(Supplier<Moment> clock, LongSupplier wall) {
        return new KernelGate(
                "understudy", clock, wall, new NftClient(hosts.namespace(), Duration.ofSeconds(5), NftClient.PROGRAM));
    }

    private static GateTarget address(String literal) {
        return new GateTarget.Address(InetAddress.ofLiteral(literal));
    }

    private static Moment in(Duration duration) {
        return now().plus(duration);
    }

    private static Moment now() {
        return new Moment(System.nanoTime());
    }

    private static long wall() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
