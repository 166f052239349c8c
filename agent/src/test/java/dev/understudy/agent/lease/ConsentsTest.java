package dev.understudy.agent.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.Circle;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.PeerMessage.ConsentRequest;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.TimingProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The lease thread with answers of other members that come when the test says so. Its clock stands still until the
/// test moves it.
class ConsentsTest {

    private static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    private static final TimingProfile TIMING = TimingProfile.STANDARD;
    private static final Duration TICK = TIMING.heartbeat().dividedBy(4);

    @TempDir
    Path folder;

    private volatile Moment clock = new Moment(1_000_000_000);
    private final List<Asked> asked = new CopyOnWriteArrayList<>();
    private final List<Lease> renewed = new CopyOnWriteArrayList<>();
    private final List<ResourceId> givenUp = new CopyOnWriteArrayList<>();
    private final List<List<LeaseReport>> heartbeats = new CopyOnWriteArrayList<>();
    private volatile boolean connected;
    private FloorStore store;
    private LeaseKeeper keeper;

    private record Asked(ConsentRequest question, Moment at, Consumer<Consent> answered) {
        void answer() {
            answered.accept(new Consent(question.resource(), question.epoch(), question.seq(), true, ""));
        }
    }

    @BeforeEach
    void open() throws IOException {
        try (FloorStore before = FloorStore.open(folder)) {
            before.write(new DurableRecord(
                    "shop", 3, List.of(new DurableRecord.Entry(ADDRESS, 5, 0, 5, 0, new Circle(1, List.of("h2"))))));
        }
        start();
    }

    private void start() throws IOException {
        store = FloorStore.open(folder);
        keeper =
                new LeaseKeeper(() -> clock, store, new Acts(), new Sender(), "h1", (member, question, _, answered) -> {
                    assertThat(member).isEqualTo("h2");
                    asked.add(new Asked(question, clock, answered));
                });
    }

    @AfterEach
    void close() throws IOException {
        keeper.close();
        store.close();
    }

    private void hold() {
        keeper.adopt(ADDRESS, 5, TIMING.ttl());
        keeper.configure("shop", TIMING, Set.of(ADDRESS)); // before the start, as an agent with a cached spec does
        keeper.start();
        await().until(() -> !asked.isEmpty());
    }

    /// Lets time go on in ticks, each of which the lease thread sees.
    private void pass(Duration time) {
        pass(time, TICK);
    }

    private void pass(Duration time, Duration tick) {
        Moment until = clock.plus(time);
        while (clock.isBefore(until)) {
            clock = clock.plus(tick);
            onLeaseThread(); // it ticks after this task
            onLeaseThread();
        }
    }

    private void onLeaseThread() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        keeper.enqueue(() -> done.complete(null));
        done.join();
    }

    @Test
    void s1_a_consent_counts_from_the_asking_not_from_the_answer() {
        hold();
        pass(TIMING.heartbeat().multipliedBy(5));
        asked.getFirst().answer();
        onLeaseThread();
        assertThat(renewed).as("it adds nothing to a lease of the same moment").isEmpty();
        Asked later = asked.getLast();
        assertThat(later.at()).isGreaterThan(asked.getFirst().at());
        pass(Duration.ofMillis(200));
        later.answer();
        await().until(() -> !renewed.isEmpty());
        assertThat(renewed.getLast().deadline()).isEqualTo(later.at().plus(TIMING.ttl()));
    }

    @Test
    void s1_late_and_repeated_answers_do_not_revive_a_lease() {
        hold();
        Asked first = asked.getFirst();
        for (int i = 0; i < 10; i++) {
            first.answer(); // again and again the same one
            pass(TIMING.ttl().dividedBy(9));
        }
        await().until(() -> givenUp.contains(ADDRESS));
        assertThat(keeper.heldNow(ADDRESS)).isNull();
        asked.forEach(Asked::answer);
        onLeaseThread();
        pass(TIMING.heartbeat());
        assertThat(keeper.heldNow(ADDRESS)).isNull();
        assertThat(renewed).isEmpty();
    }

    @Test
    void a_lease_that_is_asked_for_in_time_lives_without_any_controller() {
        hold();
        for (int i = 0; i < 20; i++) {
            asked.getLast().answer();
            pass(TIMING.heartbeat());
        }
        assertThat(givenUp).isEmpty();
        assertThat(keeper.heldNow(ADDRESS)).isNotNull();
        assertThat(asked.stream().map(a -> a.question().seq()).toList())
                .doesNotHaveDuplicates()
                .isSorted();
    }

    @Test
    void what_is_being_given_up_asks_for_nothing() {
        hold();
        keeper.release(ADDRESS, 5, "test", _ -> {}); // never done: see Acts
        onLeaseThread();
        int before = asked.size();
        pass(TIMING.heartbeat().multipliedBy(3));
        assertThat(asked).hasSize(before);
    }

    @Test
    void s6_a_promise_that_ran_out_is_told_at_once() throws Exception {
        ResourceId other = new ResourceId("edge", "192.0.2.11");
        TimingProfile slow = TimingProfile.RELAXED;
        Duration tick = slow.heartbeat().dividedBy(4);
        connected = true;
        keeper.start();
        keeper.configure("shop", slow, Set.of(ADDRESS, other));
        pass(tick, tick);
        int regular = heartbeats.size();
        while (heartbeats.size() == regular) {
            pass(tick, tick);
        }
        // The next regular heartbeat is four ticks away. The promise lasts for less than one.
        assertThat(slow.lapseAfter(Duration.ofMillis(1))).isLessThan(tick);
        assertThat(keeper.consent(new ConsentRequest("shop", "h2", other, 7, 1, 3, 1))
                        .get(10, TimeUnit.SECONDS)
                        .granted())
                .isTrue();
        keeper.beatSoon();
        onLeaseThread();
        assertThat(promised(other)).isTrue();
        pass(tick, tick);
        assertThat(promised(other)).isFalse();
    }

    @Test
    void s3_a_promise_that_cannot_be_written_is_not_given() throws Exception {
        ResourceId other = new ResourceId("edge", "192.0.2.11");
        keeper.start();
        keeper.configure("shop", TIMING, Set.of(ADDRESS, other));
        onLeaseThread();
        Files.createDirectory(folder.resolve("floors.new")); // the next write fails
        Consent consent = keeper.consent(new ConsentRequest("shop", "h2", other, 7, 1, 3, 1500))
                .get(10, TimeUnit.SECONDS);
        assertThat(consent.granted()).isFalse();
        assertThat(consent.reason()).startsWith("disk");
        Files.delete(folder.resolve("floors.new"));
        assertThat(keeper.consent(new ConsentRequest("shop", "h2", other, 7, 2, 3, 1500))
                        .get(10, TimeUnit.SECONDS)
                        .granted())
                .isTrue();
        assertThat(store.record().of(other).orElseThrow().promised()).isEqualTo(7);
    }

    private boolean promised(ResourceId resource) {
        return heartbeats.getLast().stream().anyMatch(r -> r.resource().equals(resource) && r.promised());
    }

    /// Never done with giving up.
    private final class Acts implements HolderActs {
        @Override
        public void renewed(Lease lease) {
            renewed.add(lease);
        }

        @Override
        public void giveUp(ResourceId resource, long epoch, Duration drain, Consumer<Outcome> done) {
            givenUp.add(resource);
        }
    }

    private final class Sender implements HeartbeatSender {
        @Override
        public boolean connected() {
            return connected;
        }

        @Override
        public void heartbeat(long seq, List<LeaseReport> leases, long lateMillis) {
            heartbeats.add(leases);
        }

        @Override
        public void restartNotice(long seq, long millis) {}
    }
}
