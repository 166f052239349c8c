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

    private static final InetAddress VIP = InetAddress.ofLiteral("10.77.0.100");
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private TwoHosts hosts;
    private KernelGate gate;

    @BeforeEach
    void build() throws IOException {
        hosts = new TwoHosts();
        gate = gate(KernelGateTest::now, KernelGateTest::wall);
        assertThat(gate.prove()).isEqualTo(new KernelGate.Proof(true, ""));
        gate.guard(List.of(VIP));
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

        assertThat(gate.open(VIP, "edge/a 1", in(Duration.ofSeconds(30)))).isTrue();

        answersSoon();
        assertThat(hosts.answersArp("10.77.0.100")).isTrue();
        gate.remove(VIP);
        assertThat(hosts.answers("10.77.0.100")).isFalse();
        assertThat(hosts.answersArp("10.77.0.100")).isFalse();
    }

    @Test
    void s10_trafficEndsByItselfWhenTheElementLapses() throws IOException {
        gate.open(VIP, "edge/a 1", in(Duration.ofSeconds(2)));
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
        gate.open(VIP, "edge/a 1", in(Duration.ofSeconds(2)));

        assertThat(gate.extend(VIP, "edge/a 1", in(Duration.ofSeconds(60)))).isTrue();

        assertThat(gate.element(VIP)).hasValueSatisfying(element -> {
            assertThat(element.comment()).isEqualTo("edge/a 1");
            assertThat(element.expires()).isGreaterThan(Duration.ofSeconds(30));
        });
        assertThat(hosts.answers("10.77.0.100")).isTrue();
    }

    @Test
    void s10_aRenewalNeverRevivesALapsedElement() throws Exception {
        gate.open(VIP, "edge/a 1", in(Duration.ofMillis(100)));
        await().atMost(PATIENCE).until(() -> gate.element(VIP).isEmpty());

        assertThat(gate.extend(VIP, "edge/a 1", in(Duration.ofSeconds(60)))).isFalse();

        assertThat(gate.element(VIP)).isEmpty();
        assertThat(hosts.answers("10.77.0.100")).isFalse();
    }

    @Test
    void s10_aPauseBetweenComputingAndWritingDoesNotLengthenALease() throws IOException {
        Moment computed = now();
        long wall = wall() - Duration.ofSeconds(10).toNanos(); // both clocks read 10 s before the kernel hears of it
        try (KernelGate paused = gate(() -> computed, () -> wall)) {
            paused.open(VIP, "edge/a 1", computed.plus(Duration.ofSeconds(9)));

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
            behind.open(VIP, "edge/a 1", in(Duration.ofSeconds(1)));

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
            absolute.open(VIP, "edge/a 1", frozen.plus(Duration.ofSeconds(60)));
            assertThat(hosts.answers("10.77.0.100")).isTrue();

            await().atMost(PATIENCE).until(() -> !hosts.answers("10.77.0.100"));

            assertThat(wall()).as("not before its time").isGreaterThanOrEqualTo(end);
            assertThat(absolute.element(VIP)).isPresent();
        }
    }

    @Test
    void s9_guardingAgainKeepsLiveElements() throws IOException {
        gate.open(VIP, "edge/a 7", in(Duration.ofSeconds(60)));
        gate.close();
        gate = gate(KernelGateTest::now, KernelGateTest::wall);

        gate.guard(List.of(VIP, InetAddress.ofLiteral("10.77.0.101")));

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

        gate.guard(List.of(VIP));

        assertThat(hosts.answers("10.77.0.100")).isFalse();
        assertThat(gate.open(VIP, "edge/a 1", in(Duration.ofSeconds(30)))).isTrue();
        answersSoon();
    }

    @Test
    void nftIsStartedAgainWhenItDied() throws IOException {
        gate.open(VIP, "edge/a 1", in(Duration.ofSeconds(30)));
        ProcessHandle nft = ProcessHandle.of(gate.nftPid()).orElseThrow();
        nft.destroyForcibly();
        await().atMost(PATIENCE).until(() -> !nft.isAlive());

        assertThat(gate.extend(VIP, "edge/a 1", in(Duration.ofSeconds(60)))).isTrue();
    }

    @Test
    void ipv6IsGatedWithItsNeighbourAdvertisements() throws IOException {
        InetAddress six = InetAddress.ofLiteral("fd77::100");
        gate.guard(List.of(VIP, six));
        hosts.here("ip", "addr", "add", "fd77::100/64", "dev", TwoHosts.LINK, "nodad");
        assertThat(hosts.answers("fd77::100")).isFalse();
        assertThat(hosts.neighbour("fd77::100")).as("nobody said who has it").isEmpty();

        gate.open(six, "edge/six 1", in(Duration.ofSeconds(30)));

        await().atMost(PATIENCE).until(() -> hosts.answers("fd77::100"));
        gate.remove(six);
        assertThat(hosts.answers("fd77::100")).isFalse();
    }

    /// The other host may have a failed neighbour entry, which it tries again within a second.
    private void answersSoon() {
        await().atMost(PATIENCE).until(() -> hosts.answers("10.77.0.100"));
    }

    private KernelGate gate(Supplier<Moment> clock, LongSupplier wall) {
        return new KernelGate("understudy", hosts.namespace(), clock, wall, Duration.ofSeconds(5));
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
