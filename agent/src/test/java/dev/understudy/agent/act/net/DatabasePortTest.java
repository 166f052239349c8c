package dev.understudy.agent.act.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.AddressControl.ServerPort;
import dev.understudy.agent.sys.TwoHosts;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A database's port under leases, with real TCP: a server `here`; `there` is a client at 10.77.0.2 and fd77::2, and
/// another member of the group at 10.77.0.3 and fd77::3.
class DatabasePortTest {

    private static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    private static final int PORT = 3306;
    private static final String SERVER = "10.77.0.1";
    private static final String SERVER6 = "fd77::1";
    private static final String CLIENT = "10.77.0.2";
    private static final String CLIENT6 = "fd77::2";
    private static final String MEMBER = "10.77.0.3";
    private static final String MEMBER6 = "fd77::3";
    private static final Guard GUARD = new Guard(null, new ServerPort(PORT, List.of(MEMBER, MEMBER6)));
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration LONG = Duration.ofMinutes(2);

    private TwoHosts hosts;
    private KernelAddressControl control;
    private ServerSocket server;

    @BeforeEach
    void start() throws IOException {
        hosts = new TwoHosts();
        hosts.there("ip", "addr", "add", MEMBER + "/24", "dev", TwoHosts.LINK);
        hosts.there("ip", "addr", "add", MEMBER6 + "/64", "dev", TwoHosts.LINK, "nodad");
        server = hosts.listenHere(PORT);
        control = newControl();
        guard(GUARD);
    }

    @AfterEach
    void stop() throws IOException {
        control.close();
        server.close();
        hosts.close();
    }

    @Test
    void s11_aPortIsShutUnlessItIsHeld() {
        assertThat(connects(CLIENT)).isFalse();
        assertThat(connects(CLIENT6)).isFalse();

        assertThat(control.open(PRIMARY, 1, in(LONG), () -> true)).isEqualTo(Outcome.Done.withoutFacts());

        assertThat(connects(CLIENT)).isTrue();
        assertThat(connects(CLIENT6)).isTrue();
        assertThat(control.release(PRIMARY)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(connects(CLIENT)).isFalse();
        assertThat(connects(CLIENT6)).isFalse();
    }

    @Test
    void s11_membersLoopbackAndOtherPortsAreExempt() throws IOException {
        try (Socket local = hosts.connectHere(SERVER, SERVER, PORT);
                Socket accepted = server.accept()) {
            echoes(local, accepted);
        }
        assertThat(connects(MEMBER)).isTrue();
        assertThat(connects(MEMBER6)).isTrue();
        try (ServerSocket own = hosts.listenHere(7442);
                Socket peer = hosts.connectThere(CLIENT, SERVER, 7442)) {
            assertThat(own.isBound() && peer.isConnected()).isTrue();
        }
        guard(new Guard(null, new ServerPort(PORT, List.of())));
        assertThat(connects(MEMBER)).as("a member no more").isFalse();
    }

    @Test
    void s10_establishedSessionsEndWhenTheElementLapses() throws IOException {
        control.open(PRIMARY, 1, in(Duration.ofSeconds(3)), () -> true);
        try (Socket client = hosts.connectThere(CLIENT, SERVER, PORT);
                Socket accepted = server.accept();
                Socket member = hosts.connectThere(MEMBER, SERVER, PORT);
                Socket replication = server.accept()) {
            echoes(client, accepted);
            control.close(); // nobody is left who could act

            await().atMost(PATIENCE).until(() -> !connects(CLIENT));

            assertThatThrownBy(() -> {
                        client.getOutputStream().write(7);
                        client.getInputStream().read();
                    })
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(SocketTimeoutException.class);
            echoes(member, replication);
        }
    }

    /// A commit that was waiting when the lease ended must not be acknowledged afterwards.
    @Test
    void s11_anAnswerAfterExpiryIsNotHeard() throws IOException {
        control.open(PRIMARY, 1, in(Duration.ofSeconds(2)), () -> true);
        try (Socket client = hosts.connectThere(CLIENT, SERVER, PORT);
                Socket accepted = server.accept()) {
            echoes(client, accepted);
            await().atMost(PATIENCE).until(() -> control.remaining(PRIMARY, 1).isEmpty());

            accepted.getOutputStream().write(7);

            client.setSoTimeout(500);
            assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> {
                        accepted.getInputStream().read(); // and the server's session is over
                    })
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(SocketTimeoutException.class);
        }
    }

    /// What a client sends when the lease is over must not be carried out either.
    @Test
    void s11_aRequestAfterExpiryIsNotHeard() throws IOException {
        control.open(PRIMARY, 1, in(Duration.ofSeconds(2)), () -> true);
        try (Socket client = hosts.connectThere(CLIENT, SERVER, PORT);
                Socket accepted = server.accept()) {
            echoes(client, accepted);
            await().atMost(PATIENCE).until(() -> control.remaining(PRIMARY, 1).isEmpty());

            client.getOutputStream().write(7);

            notHeard(accepted);
        }
    }

    /// A container's port: the gate sees packets before they are translated, and answers after.
    @Test
    void s11_theGateIsAheadOfNat() throws IOException {
        redirect();
        try (ServerSocket inside = hosts.listenHere(13306)) {
            assertThat(connects(CLIENT)).isFalse();
            control.open(PRIMARY, 1, in(Duration.ofSeconds(2)), () -> true);
            try (Socket client = hosts.connectThere(CLIENT, SERVER, PORT);
                    Socket accepted = inside.accept()) {
                echoes(client, accepted);
                await().atMost(PATIENCE)
                        .until(() -> control.remaining(PRIMARY, 1).isEmpty());

                accepted.getOutputStream().write(7);
                notHeard(client);
            }
        }
    }

    @Test
    void s11_aRequestAfterExpiryIsNotHeardBehindNat() throws IOException {
        redirect();
        try (ServerSocket inside = hosts.listenHere(13306)) {
            control.open(PRIMARY, 1, in(Duration.ofSeconds(2)), () -> true);
            try (Socket client = hosts.connectThere(CLIENT, SERVER, PORT);
                    Socket accepted = inside.accept()) {
                echoes(client, accepted);
                await().atMost(PATIENCE)
                        .until(() -> control.remaining(PRIMARY, 1).isEmpty());

                client.getOutputStream().write(7);
                notHeard(accepted);
            }
        }
    }

    private void redirect() {
        assertThat(hosts.here(
                                "nft",
                                "add table ip nat; add chain ip nat pre { type nat hook prerouting priority dstnat; };"
                                        + " add rule ip nat pre tcp dport 3306 redirect to :13306")
                        .exit())
                .isZero();
    }

    /// Nothing that the other side sent arrives: a reset does, or silence.
    private static void notHeard(Socket socket) throws IOException {
        socket.setSoTimeout(700);
        assertThatThrownBy(() -> socket.getInputStream().read()).isInstanceOf(IOException.class);
    }

    @Test
    void s11_aReplicaIsReadUntilItIsPromotedAndNotAfterItsLease() {
        assertThat(control.letRead(PRIMARY, true)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(connects(CLIENT)).isTrue();
        assertThat(control.letRead(PRIMARY, false)).isEqualTo(Outcome.Done.withoutFacts());
        assertThat(connects(CLIENT)).isFalse();
        control.letRead(PRIMARY, true);

        control.open(PRIMARY, 2, in(Duration.ofSeconds(2)), () -> true);
        assertThat(control.letRead(PRIMARY, true)).isInstanceOf(Outcome.Refused.class);
        assertThat(connects(CLIENT)).isTrue();
        control.close();

        await().atMost(PATIENCE).until(() -> !connects(CLIENT));
    }

    @Test
    void s11_aReplicaIsReadWhileItsAgentIsGone() throws IOException {
        control.letRead(PRIMARY, true);
        control.close();
        assertThat(connects(CLIENT)).isTrue();

        control = newControl();
        guard(GUARD);

        assertThat(connects(CLIENT)).isTrue();
        control.letRead(PRIMARY, false);
        assertThat(connects(CLIENT))
                .as("a new agent knows nothing of what is in the kernel")
                .isFalse();
    }

    @Test
    void s11_afterAFlushAReplicaIsShutUntilItIsSeenAgain() {
        control.letRead(PRIMARY, true);
        hosts.here("nft", "flush", "ruleset");

        await().atMost(PATIENCE).until(() -> !connects(CLIENT));

        await().atMost(PATIENCE).until(() -> {
            control.letRead(PRIMARY, true);
            return connects(CLIENT);
        });
    }

    @Test
    void s11_aSessionUnderALiveLeaseOutlivesAFlush() throws IOException {
        control.open(PRIMARY, 1, in(LONG), () -> true);
        try (Socket client = hosts.connectThere(CLIENT, SERVER, PORT);
                Socket accepted = server.accept()) {
            hosts.here("nft", "flush", "ruleset");
            await().atMost(PATIENCE).until(() -> control.remaining(PRIMARY, 1).isPresent());

            echoes(client, accepted);
        }
    }

    @Test
    void s9_aPrimaryWithoutAnAddressIsAdopted() throws IOException {
        control.open(PRIMARY, 7, in(LONG), () -> true);
        control.close();
        control = newControl();
        guard(GUARD);

        assertThat(control.remaining(PRIMARY, 6)).isEmpty();
        assertThat(control.remaining(PRIMARY, 7)).isPresent();
        assertThat(control.renew(PRIMARY, 7, in(LONG))).isTrue();
        assertThat(connects(CLIENT)).isTrue();
    }

    /// With a writer address both elements are renewed, or neither.
    @Test
    void s10_addressAndPortLiveTogether() {
        guard(new Guard(new VirtualAddress("10.77.0.100", 24, TwoHosts.LINK, null), GUARD.port()));
        control.open(PRIMARY, 3, in(LONG), () -> true);
        assertThat(hosts.configured("10.77.0.100"))
                .as("the address comes later")
                .isFalse();
        control.renew(PRIMARY, 3, in(LONG.plusSeconds(60)));
        assertThat(hosts.configured("10.77.0.100")).as("nor with a renewal").isFalse();
        control.take(PRIMARY, 3, in(LONG), () -> true);
        assertThat(hosts.configured("10.77.0.100")).isTrue();

        hosts.here("nft", "delete element inet understudy ports { 3306 }");

        assertThat(control.renew(PRIMARY, 3, in(LONG))).isFalse();
        assertThat(control.remaining(PRIMARY, 3)).isEmpty();
    }

    @Test
    void s10_aPauseBetweenComputingAndWritingDoesNotLengthenALease() throws IOException {
        Moment computed = now();
        long wall = wall() - Duration.ofSeconds(10).toNanos(); // both clocks read 10 s before the kernel hears of it
        GateTarget port = new GateTarget.Port(PORT, List.of(InetAddress.ofLiteral(MEMBER)));
        NftClient nft = new NftClient(hosts.namespace(), Duration.ofSeconds(5), NftClient.PROGRAM);
        try (KernelGate paused = new KernelGate("understudy", () -> computed, () -> wall, nft)) {
            paused.open(List.of(port), "shopdb/primary 1", computed.plus(Duration.ofSeconds(9)));

            assertThat(paused.element(port))
                    .as("the relative time-out alone would hold")
                    .isPresent();
            assertThat(connects(CLIENT)).isFalse();
        }
    }

    @Test
    void inModeObserveNothingIsGated() {
        control.guard(Map.of(), TimingProfile.STANDARD);

        assertThat(connects(CLIENT)).isTrue();
    }

    private boolean connects(String from) {
        String to = from.indexOf(':') < 0 ? SERVER : SERVER6;
        try (Socket client = hosts.connectThere(from, to, PORT)) {
            return client.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static void echoes(Socket client, Socket accepted) throws IOException {
        client.setSoTimeout((int) PATIENCE.toMillis());
        accepted.setSoTimeout((int) PATIENCE.toMillis());
        client.getOutputStream().write(1);
        assertThat(accepted.getInputStream().read()).isEqualTo(1);
        accepted.getOutputStream().write(2);
        assertThat(client.getInputStream().read()).isEqualTo(2);
    }

    private void guard(Guard guard) {
        control.guard(Map.of(PRIMARY, guard), TimingProfile.STANDARD);
    }

    private KernelAddressControl newControl() throws IOException {
        return KernelAddressControl.start("understudy", hosts.namespace(), DatabasePortTest::now);
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
