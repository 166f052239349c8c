package dev.understudy.agent.act.net;

import static dev.understudy.agent.sys.ThreeHosts.Host.CLIENT;
import static dev.understudy.agent.sys.ThreeHosts.Host.ONE;
import static dev.understudy.agent.sys.ThreeHosts.Host.TWO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.sys.Shell;
import dev.understudy.agent.sys.ThreeHosts;
import dev.understudy.agent.sys.ThreeHosts.Host;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.Command.Giver;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A planned handover as a client sees it (S13): host one gives the address to host two.
class DrainTest {

    private static final String IP = "10.78.0.100";
    private static final String IP6 = "fd78::100";
    private static final int PORT = 8080;
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final Duration LONG = Duration.ofMinutes(2);
    private static final int SOON_MILLIS = 800;

    private ThreeHosts hosts;
    private final Map<Host, KernelAddressControl> controls = new EnumMap<>(Host.class);
    private final List<AutoCloseable> open = new java.util.concurrent.CopyOnWriteArrayList<>();

    @BeforeEach
    void start() throws IOException {
        hosts = new ThreeHosts();
        for (Host host : List.of(ONE, TWO)) {
            controls.put(host, newControl(host));
            serve(host);
        }
    }

    @AfterEach
    void stop() throws Exception {
        for (KernelAddressControl control : controls.values()) {
            control.close();
        }
        for (AutoCloseable closeable : open) {
            closeable.close();
        }
        hosts.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_establishedConnectionsGoOnAndFreshOnesReachTheTaker(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection kept = new Connection(ip);
        assertThat(kept.answer()).isEqualTo("ONE");

        Giver giver = drained(ONE, ip, LONG);
        assertThat(control(ONE).remaining(vip(ip), 1))
                .as("draining is not holding")
                .isEmpty();
        taken(TWO, ip, 2, giver);

        for (int i = 0; i < 20; i++) {
            assertThat(kept.answer()).isEqualTo("ONE");
            try (Connection fresh = new Connection(ip)) {
                assertThat(fresh.answer()).isEqualTo("TWO");
            }
        }
        assertThat(control(ONE).drains()).singleElement().asString().startsWith(ip + " drains");
        assertThat(control(TWO).drains()).singleElement().asString().startsWith(ip + " forwards");
        assertThat(copied()).as("packets that went on to the giver").isPositive();
    }

    /// The giver does not know its neighbours any more and asks: not under the address, or they would learn that it
    /// is there.
    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_theGiverNeitherAnswersNorAsksUnderTheAddress(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection kept = new Connection(ip);
        kept.answer();
        taken(TWO, ip, 2, drained(ONE, ip, LONG));
        await().atMost(PATIENCE).until(() -> hosts.neighbour(ip).equals(hosts.mac(TWO)));

        hosts.on(ONE, "ip", "neigh", "flush", "all");
        hosts.on(ONE, "ip", "neigh", "flush", "dev", ThreeHosts.LINK, "nud", "permanent");
        assertThat(kept.answer()).isEqualTo("ONE");
        assertThat(hosts.neighbour(ip)).isEqualTo(hosts.mac(TWO));

        control(TWO).release(vip(ip)); // nobody is left who may answer
        hosts.on(CLIENT, "ip", "neigh", "flush", "all");
        hosts.on(CLIENT, "ping", "-n", "-q", "-c", "1", "-W", "1", ip);
        assertThat(hosts.neighbour(ip)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_noNewConnectionIsAcceptedByTheGiver(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection kept = new Connection(ip);
        kept.answer();
        drained(ONE, ip, LONG);

        sendTo(ONE, ip); // a client that has heard no announcement
        assertThatThrownBy(() -> new Connection(ip)).hasCauseInstanceOf(SocketTimeoutException.class);
        assertThat(hosts.on(CLIENT, "ping", "-n", "-q", "-c", "1", "-W", "1", ip)
                        .exit())
                .as("a question that is no connection")
                .isNotZero();
        String client = ip.equals(IP) ? "10.78.0.1" : "fd78::1";
        assertThat(hosts.on(ONE, "ping", "-n", "-q", "-c", "1", "-W", "1", "-I", ip, client)
                        .exit())
                .as("and none begins there")
                .isNotZero();
        assertThat(kept.answer()).isEqualTo("ONE");
    }

    /// Its SYN is answered, the client does not hear that: to the kernel the repeated SYN belongs to something
    /// known.
    @Test
    void s13_aHalfOpenConnectionIsNoEstablishedOne() throws Exception {
        held(ONE, IP, 1);
        hosts.on(CLIENT, "nft", "add table inet deaf");
        hosts.on(CLIENT, "nft", "add chain inet deaf in { type filter hook input priority 0; }");
        hosts.on(CLIENT, "nft", "add rule inet deaf in tcp sport " + PORT + " drop");
        sendTo(ONE, IP);
        CompletableFuture<Boolean> connects = CompletableFuture.supplyAsync(() -> {
            try (Socket socket = hosts.connect(IP, PORT, 5000)) {
                return socket.isConnected();
            } catch (IOException e) {
                return false;
            }
        });
        await().atMost(PATIENCE)
                .until(() -> hosts.on(ONE, "ss", "-Htn", "state", "syn-recv")
                        .output()
                        .contains(":" + PORT));

        drained(ONE, IP, LONG);

        await().atMost(PATIENCE)
                .until(() -> Pattern.compile("tcp flags [^\\n]*syn[^\\n]* counter packets [1-9]\\d* bytes \\d+ drop")
                        .matcher(rules(ONE))
                        .find());
        assertThat(connects.get()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_theKernelEndsItWithoutTheAgents(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection kept = new Connection(ip);
        kept.answer();
        taken(TWO, ip, 2, drained(ONE, ip, Duration.ofSeconds(3)));
        assertThat(kept.answer()).isEqualTo("ONE");
        controls.values().forEach(KernelAddressControl::close);

        await().atMost(PATIENCE).until(() -> !hosts.configured(ONE, ip));

        assertThatThrownBy(kept::answer).as("a reset, not a dead host").isInstanceOf(SocketException.class);
    }

    /// By its time-out while the wall clock stands far behind, and by its deadline when the time-out came too late.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void s13_theGateAloneEndsItToo(boolean byTimeout) throws Exception {
        held(ONE, IP, 1);
        Connection kept = new Connection(IP);
        kept.answer();
        drained(ONE, IP, Duration.ofSeconds(6));
        control(ONE).close();
        hosts.on(ONE, "ip", "addr", "change", IP + "/24", "dev", ThreeHosts.LINK, "valid_lft", "forever");
        sendTo(ONE, IP);
        String table = " inet understudy ";
        Shell.Result lengthened = byTimeout
                ? hosts.on(
                        ONE,
                        "nft",
                        "flush set" + table + "drained_0a4e0064; add element" + table
                                + "drained_0a4e0064 { 0-4000000000 }")
                : hosts.on(
                        ONE,
                        "nft",
                        "delete element" + table + "draining { " + IP + " }; add element" + table + "draining { " + IP
                                + " timeout 1h }");
        assertThat(lengthened.exit()).as(lengthened.output()).isZero();
        assertThat(kept.answer()).isEqualTo("ONE");

        await().atMost(PATIENCE).until(() -> kept.answers() == Answer.NONE);
        assertThat(hosts.configured(ONE, IP)).isTrue();
    }

    /// While the giver would go on: what is not sent on any more gets a reset from the taker.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void s13_theForwardingEndsByItselfToo(boolean byTimeout) throws Exception {
        held(ONE, IP, 1);
        Connection kept = new Connection(IP);
        kept.answer();
        Giver giver = drained(ONE, IP, LONG);
        taken(TWO, IP, 2, new Giver(giver.address(), giver.link(), 6000));
        control(TWO).close();
        String table = " ip understudy_drain ";
        Shell.Result lengthened = byTimeout
                ? hosts.on(
                        TWO,
                        "nft",
                        "flush set" + table + "until_0a4e0064; add element" + table + "until_0a4e0064 { 0-4000000000 }")
                : hosts.on(
                        TWO,
                        "nft",
                        "delete element" + table + "giving { " + IP + " }; add element" + table + "giving { " + IP
                                + " timeout 1h }");
        assertThat(lengthened.exit()).as(lengthened.output()).isZero();
        assertThat(kept.answer()).isEqualTo("ONE");

        await().atMost(PATIENCE).until(() -> kept.answers() == Answer.RESET);
    }

    @Test
    void s13_theAddressIsRemovedAndTheRuleTakenAwayAtTheEnd() throws Exception {
        held(ONE, IP, 1);
        taken(TWO, IP, 2, drained(ONE, IP, Duration.ofSeconds(1)));

        await().atMost(PATIENCE)
                .until(() -> !hosts.configured(ONE, IP)
                        && control(ONE).draining(vip(IP)).isEmpty());
        await().atMost(PATIENCE).until(() -> !rules(TWO).contains("dup to"));
        assertThat(control(TWO).present(vip(IP))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_whatComesFromThePeerIsNotSentBack(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection kept = new Connection(ip);
        kept.answer();
        Giver giver = drained(ONE, ip, LONG);

        taken(TWO, ip, 2, new Giver(giver.address(), hosts.mac(CLIENT), giver.millis()));

        assertThatThrownBy(kept::answer).isInstanceOf(SocketException.class);
        assertThat(copied()).isZero();
    }

    /// Each pass takes one from the hop limit, and a host that drains sends nothing on.
    @Test
    void s13_aDrainingHostForwardsNothing() throws Exception {
        held(ONE, IP, 1);
        taken(TWO, IP, 2, drained(ONE, IP, LONG));
        drained(TWO, IP, LONG);

        assertThat(rules(ONE)).doesNotContain("dup to");
        assertThat(rules(TWO)).doesNotContain("dup to");
    }

    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_anUnplannedTakeoverResetsWhatItDoesNotKnow(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection kept = new Connection(ip);
        kept.answer();
        Giver giver = drained(ONE, ip, LONG);
        taken(TWO, ip, 2, giver);
        assertThat(kept.answer()).isEqualTo("ONE");

        assertThat(control(TWO).take(vip(ip), 3, in(LONG), () -> true)).isEqualTo(Outcome.Done.withoutFacts());

        assertThatThrownBy(kept::answer).isInstanceOf(SocketException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {IP, IP6})
    void s13_aMoveBackEndsTheDrainAndTheForwardingFirst(String ip) throws Exception {
        held(ONE, ip, 1);
        Connection first = new Connection(ip);
        first.answer();
        taken(TWO, ip, 2, drained(ONE, ip, LONG));
        Connection second = new Connection(ip);
        assertThat(second.answer()).isEqualTo("TWO");

        taken(ONE, ip, 3, drained(TWO, ip, LONG));

        assertThat(first.answer()).isEqualTo("ONE");
        assertThat(second.answer()).isEqualTo("TWO");
        try (Connection fresh = new Connection(ip)) {
            assertThat(fresh.answer()).isEqualTo("ONE");
        }
        assertThat(control(ONE).drains()).singleElement().asString().startsWith(ip + " forwards");
        assertThat(control(TWO).drains()).singleElement().asString().startsWith(ip + " drains");
        assertThat(control(ONE).draining(vip(ip))).isEmpty();
        assertThat(control(ONE).remaining(vip(ip), 3)).isPresent();
    }

    @Test
    void s13_aRestartedAgentLetsItGoOnToItsEndAndNotLonger() throws Exception {
        held(ONE, IP, 1);
        Connection kept = new Connection(IP);
        kept.answer();
        taken(TWO, IP, 2, drained(ONE, IP, Duration.ofSeconds(6)));
        control(ONE).close();

        controls.put(ONE, newControl(ONE));
        assertThat(control(ONE).draining(vip(IP))).isPresent();
        assertThat(kept.answer()).isEqualTo("ONE");

        await().atMost(PATIENCE).until(() -> control(ONE).draining(vip(IP)).isEmpty());
        assertThat(hosts.configured(ONE, IP)).isFalse();
    }

    @Test
    void s13_aRestartedTakerForwardsNothing() throws Exception {
        held(ONE, IP, 1);
        taken(TWO, IP, 2, drained(ONE, IP, LONG));
        control(TWO).close();

        controls.put(TWO, newControl(TWO));

        assertThat(rules(TWO)).doesNotContain("dup to");
    }

    @Test
    void s13_onlyWhatIsHeldIsDrained() throws Exception {
        assertThat(control(ONE).take(vip(IP), 1, in(Duration.ofMillis(300)), () -> true))
                .isInstanceOf(Outcome.Done.class);
        await().atMost(PATIENCE).until(() -> control(ONE).remaining(vip(IP), 1).isEmpty());

        assertThat(control(ONE).release(vip(IP), LONG))
                .isInstanceOfSatisfying(
                        Outcome.Done.class,
                        done -> assertThat(done.facts()).containsOnlyKeys(Command.Release.NO_DRAIN));
        assertThat(hosts.configured(ONE, IP)).isFalse();
        assertThat(control(ONE).drains()).isEmpty();
    }

    @Test
    void s13_aRepeatedReleaseDoesNotRenewIt() throws Exception {
        held(ONE, IP, 1);
        Giver giver = drained(ONE, IP, Duration.ofSeconds(2));

        assertThat(drained(ONE, IP, LONG)).isEqualTo(giver);

        await().atMost(PATIENCE).until(() -> !hosts.configured(ONE, IP));
    }

    @Test
    void whereNoDrainIsConfiguredTheAddressIsGivenUpAndThatIsSaid() throws Exception {
        guard(ONE, false);
        held(ONE, IP, 1);

        assertThat(control(ONE).release(vip(IP), LONG))
                .isInstanceOfSatisfying(
                        Outcome.Done.class,
                        done -> assertThat(done.facts()).containsOnlyKeys(Command.Release.NO_DRAIN));

        assertThat(hosts.configured(ONE, IP)).isFalse();
        assertThat(hosts.on(ONE, "nft", "list", "ruleset").output())
                .as("no connection tracking")
                .doesNotContain("ct state established,related accept\n\t\tip daddr " + IP);
    }

    @Test
    void s13_aGateThatWasFlushedEndsTheDrain() throws Exception {
        held(ONE, IP, 1);
        drained(ONE, IP, LONG);

        hosts.on(ONE, "nft", "flush", "ruleset");

        await().atMost(PATIENCE).until(() -> !hosts.configured(ONE, IP));
        assertThat(control(ONE).draining(vip(IP))).isEmpty();
    }

    @Test
    void s13_aDetachedHostKeepsNoDrainedAddressForGood() throws Exception {
        held(ONE, IP, 1);
        drained(ONE, IP, LONG);

        control(ONE).detach(vip(IP), new VirtualAddress(IP, 24, ThreeHosts.LINK, null));

        assertThat(hosts.configured(ONE, IP)).isFalse();
    }

    @Test
    void whatIsNoNeighbourIsNotForwardedTo() throws Exception {
        held(ONE, IP, 1);
        drained(ONE, IP, LONG);

        Outcome outcome =
                control(TWO).take(vip(IP), 2, in(LONG), () -> true, new Giver("192.0.2.7", hosts.mac(ONE), 30_000));

        assertThat(outcome)
                .isInstanceOfSatisfying(
                        Outcome.Done.class,
                        done -> assertThat(done.facts())
                                .containsEntry(Command.Release.NO_DRAIN, "192.0.2.7 is in no network of eth0"));
        assertThat(rules(TWO)).doesNotContain("dup to");
    }

    private void held(Host host, String ip, long epoch) {
        assertThat(control(host).take(vip(ip), epoch, in(LONG), () -> true)).isEqualTo(Outcome.Done.withoutFacts());
    }

    private Giver drained(Host host, String ip, Duration length) {
        Outcome outcome = control(host).release(vip(ip), length);
        assertThat(outcome).isInstanceOf(Outcome.Done.class);
        return Giver.of(((Outcome.Done) outcome).facts()).orElseThrow(() -> new AssertionError(outcome.describe()));
    }

    private void taken(Host host, String ip, long epoch, Giver giver) {
        assertThat(control(host).take(vip(ip), epoch, in(LONG), () -> true, giver))
                .isEqualTo(Outcome.Done.withoutFacts());
        await().atMost(PATIENCE).until(() -> {
            hosts.on(CLIENT, "ping", "-n", "-q", "-c", "1", "-W", "1", ip);
            return hosts.neighbour(ip).equals(hosts.mac(host));
        });
    }

    /// The client has this host's link for the address, whatever is announced.
    private void sendTo(Host host, String ip) {
        hosts.on(
                CLIENT,
                "ip",
                "neigh",
                "replace",
                ip,
                "lladdr",
                hosts.mac(host),
                "dev",
                ThreeHosts.LINK,
                "nud",
                "permanent");
    }

    private String rules(Host host) {
        return hosts.on(host, "nft", "list", "ruleset").output();
    }

    /// The packets that host two has sent on.
    private long copied() {
        return Pattern.compile("counter packets (\\d+) bytes \\d+ dup to")
                .matcher(rules(TWO))
                .results()
                .mapToLong(match -> Long.parseLong(match.group(1)))
                .sum();
    }

    private KernelAddressControl control(Host host) {
        return java.util.Objects.requireNonNull(controls.get(host));
    }

    private KernelAddressControl newControl(Host host) throws IOException {
        KernelAddressControl control = KernelAddressControl.start("understudy", hosts.namespace(host), DrainTest::now);
        controls.put(host, control);
        guard(host, true);
        return control;
    }

    private void guard(Host host, boolean drains) {
        control(host)
                .guard(
                        Map.of(
                                vip(IP),
                                new Guard(new VirtualAddress(IP, 24, ThreeHosts.LINK, null), null, drains),
                                vip(IP6),
                                new Guard(new VirtualAddress(IP6, 64, ThreeHosts.LINK, null), null, drains)),
                        TimingProfile.STANDARD);
    }

    /// Answers each byte with the host's name in a line.
    private void serve(Host host) throws IOException {
        ServerSocket server = hosts.listen(host, PORT);
        open.add(server);
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    open.add(socket);
                    Thread.ofVirtual().start(() -> echo(socket, host));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    private static void echo(Socket socket, Host host) {
        try {
            while (socket.getInputStream().read() >= 0) {
                socket.getOutputStream().write((host.name() + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            // the client's side says it
        }
    }

    private enum Answer {
        SOME,
        NONE,
        RESET
    }

    private final class Connection implements AutoCloseable {
        private final Socket socket;

        Connection(String ip) throws IOException {
            socket = hosts.connect(ip, PORT, SOON_MILLIS);
            socket.setSoTimeout((int) PATIENCE.toMillis());
            open.add(socket);
        }

        String answer() throws IOException {
            socket.getOutputStream().write('x');
            StringBuilder line = new StringBuilder();
            for (int c = socket.getInputStream().read();
                    c != '\n';
                    c = socket.getInputStream().read()) {
                if (c < 0) {
                    throw new SocketException("closed by the other side");
                }
                line.append((char) c);
            }
            return line.toString();
        }

        Answer answers() throws IOException {
            socket.setSoTimeout(SOON_MILLIS);
            try {
                answer();
                return Answer.SOME;
            } catch (SocketTimeoutException e) {
                return Answer.NONE;
            } catch (SocketException e) {
                return Answer.RESET;
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static ResourceId vip(String ip) {
        return new ResourceId("edge", ip);
    }

    private static Moment in(Duration duration) {
        return now().plus(duration);
    }

    private static Moment now() {
        return new Moment(System.nanoTime());
    }
}
