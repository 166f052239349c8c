package dev.understudy.agent.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.agent.act.AddressControl.Guard;
import dev.understudy.agent.act.net.KernelAddressControl;
import dev.understudy.agent.peer.HttpLook.Seen;
import dev.understudy.agent.status.StatusServer;
import dev.understudy.agent.status.StatusServer.Answer;
import dev.understudy.agent.sys.NetworkNamespace;
import dev.understudy.agent.sys.TwoHosts;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation.Reach;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import dev.understudy.wire.http.HttpClients;
import dev.understudy.wire.metrics.Metrics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The holder's own page through the writer address, between two hosts that are namespaces, with the kernel's gate
/// between them: an eye sees the writer exactly as long as its lease lives.
class WriterPageTest {

    private static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    private static final String WRITER = "10.77.0.200";
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final OkHttpClient client = HttpClients.peers();
    private final HttpLook look = new HttpLook(client);
    private volatile int status = 200;
    private TwoHosts hosts;
    private KernelAddressControl addresses;
    private StatusServer page;

    @BeforeEach
    void start() throws Exception {
        hosts = new TwoHosts();
        addresses = KernelAddressControl.start("understudy", hosts.namespace(), WriterPageTest::now);
        addresses.guard(
                Map.of(PRIMARY, Guard.of(new VirtualAddress(WRITER, 24, TwoHosts.LINK, null))), TimingProfile.STANDARD);
        page = in(
                hosts.namespace(),
                () -> StatusServer.start(
                        new InetSocketAddress(0),
                        new Metrics(),
                        () -> new Answer(200, "ok\n"),
                        _ -> new Answer(status, "epoch 1\n")));
    }

    @AfterEach
    void stop() {
        page.close();
        addresses.close();
        hosts.close();
        HttpClients.close(client);
    }

    @Test
    void s10_the_page_answers_through_the_writer_address_while_the_lease_lives_and_is_silent_after() throws Exception {
        assertThat(see().reach()).as("nobody holds it").isEqualTo(Reach.SILENT);
        addresses.take(PRIMARY, 1, now().plus(Duration.ofSeconds(3)), () -> true);
        await().until(() -> see().reach() == Reach.ANSWERS);
        status = 503;
        assertThat(see()).extracting(Seen::reach, Seen::detail).containsExactly(Reach.ANSWERS, "HTTP 503");
        await().until(() -> see().reach() == Reach.SILENT); // the lease was not renewed, and nobody acted
        assertThat(addresses.remaining(PRIMARY, 1)).isEmpty();
    }

    @Test
    void an_agent_that_ended_refuses_through_the_address() throws Exception {
        addresses.take(PRIMARY, 1, now().plus(Duration.ofMinutes(1)), () -> true);
        await().until(() -> see().reach() == Reach.ANSWERS);
        page.close();
        assertThat(see().reach()).isEqualTo(Reach.REFUSES);
    }

    private Seen see() throws Exception {
        HttpUrl url = HttpUrl.get("http://" + WRITER + ":" + page.port() + "/writer/shopdb");
        return in(hosts.otherNamespace(), () -> look.anew(url, SECOND));
    }

    private interface Doing<T> {
        T now() throws IOException;
    }

    private static <T> T in(NetworkNamespace namespace, Doing<T> doing) throws Exception {
        CompletableFuture<T> done = new CompletableFuture<>();
        int _ = namespace.open(() -> {
            try {
                done.complete(doing.now());
            } catch (IOException e) {
                done.completeExceptionally(e);
            }
            return 0;
        });
        return done.get();
    }

    private static Moment now() {
        return new Moment(System.nanoTime());
    }
}
