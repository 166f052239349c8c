package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.CopyTicket;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.CopyStep;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ServiceState;
import java.nio.file.Files;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Copies between real servers through two agents' classes: the whole way, and what may break it.
class RebuildingTest {

    private static final String TOKEN = "5a".repeat(32);
    private static final long SLOW = 4L << 20;

    private final Site site;

    RebuildingTest() throws Exception {
        site = new Site(3).replicate();
        for (int id = 1; id <= 3; id++) {
            site.agent(id).observe();
            site.agent(id).data();
            int known = id;
            await().until(() -> site.agent(known).data().dataBytes() > 0);
        }
    }

    @AfterEach
    void close() {
        site.close();
    }

    @Test
    void aDivergedMemberIsRebuiltFromAReplicaWhileThePrimaryIsWritten() throws Exception {
        diverge(3);
        try (Writing writing = new Writing()) {
            String position = Site.done(copy(2, 3, "R1.1", 0)).getOrDefault("position", "");
            assertThat(position).startsWith("0-1-");
            assertThat(site.server(3).query("SELECT count(*) FROM shop.orders WHERE id = 777"))
                    .as("its own data are still there")
                    .isEqualTo("1");
            Site.done(adopt(3, "R1.1"));
            assertThat(site.server(3).query("SELECT @@read_only")).isEqualTo("1");
            assertThat(site.server(3).query("SELECT @@gtid_slave_pos")).isEqualTo(position);
            assertThat(site.server(3).query("SELECT @@gtid_binlog_pos")).isEqualTo(position);
            Site.done(site.follow(3, 1));
            writing.until(writing.written() + 20);
        }
        site.awaitEqual(3, 1);
        assertThat(site.server(3).query("SELECT count(*) FROM shop.orders WHERE id = 777"))
                .isEqualTo("0");
        assertThat(swap(3).old()).exists();
        await().until(() -> site.agent(3).observe().replica() != null && Files.notExists(swap(3).old()));
        await().until(() -> Files.notExists(swap(3).data().resolve(DataSwap.MARKER)));
        assertThat(swap(3).fresh()).doesNotExist();
    }

    @Test
    void theRebuiltMemberCanBecomeThePrimaryAndGiveACopyItself() throws Exception {
        Site.done(copy(2, 3, "R1.1", 0));
        Site.done(adopt(3, "R1.1"));
        Site.done(site.follow(3, 1));
        site.server(1).sql("INSERT INTO shop.orders VALUES (1), (2)");
        site.awaitEqual(3, 1);
        Site.done(site.release(1));
        Site.done(site.catchUp(3, Duration.ofSeconds(10)));
        Site.done(site.stage(3));
        Site.done(site.follow(2, 3));
        Site.done(site.open(3, false));
        site.server(3).sql("INSERT INTO shop.orders VALUES (3)");
        site.awaitEqualRows(2, 3);
        Site.done(copy(3, 1, "R2.1", 0));
        Site.done(adopt(1, "R2.1"));
        Site.done(site.follow(1, 3));
        site.awaitEqualRows(1, 3);
    }

    /// Its binary log begins at the copy and knows who wrote before it.
    @Test
    void aFormerPrimaryFollowsARebuiltMemberThatIsPromoted() throws Exception {
        site.server(1).sql("INSERT INTO shop.orders VALUES (1)");
        site.awaitEqual(2, 1);
        Site.done(site.release(1));
        Site.done(site.stage(2));
        Site.done(site.follow(1, 2));
        Site.done(site.open(2, false));
        site.server(2).sql("INSERT INTO shop.orders VALUES (2), (3)");
        site.awaitEqual(1, 2);
        Site.done(copy(1, 3, "R1.1", 0));
        Site.done(adopt(3, "R1.1"));
        Site.done(site.follow(3, 2));
        site.server(2).sql("INSERT INTO shop.orders VALUES (4)");
        site.awaitEqual(3, 2);
        site.awaitEqual(1, 2);
        Site.done(site.release(2));
        Site.done(site.catchUp(3, Duration.ofSeconds(10)));
        Site.done(site.stage(3));
        Site.done(site.follow(1, 3));
        Site.done(site.open(3, false));
        site.server(3).sql("INSERT INTO shop.orders VALUES (5)");
        Site.done(site.follow(2, 3));
        site.awaitEqualRows(1, 3);
        site.awaitEqualRows(2, 3);
    }

    @Test
    void thePrimaryGivesACopyWhileItIsWrittenAndIsNeverTakenForDead() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        List<Observation.Database> seen = new ArrayList<>();
        try (Writing writing = new Writing()) {
            CompletableFuture<Void> looking = CompletableFuture.runAsync(
                    () -> {
                        while (!over.get()) {
                            seen.add(site.agent(1).observe());
                        }
                    },
                    Thread::startVirtualThread);
            int before = writing.written();
            Site.done(copy(1, 3, "R1.1", 0));
            over.set(true);
            looking.get(10, TimeUnit.SECONDS);
            assertThat(writing.written()).as("writes went on").isGreaterThan(before);
            Site.done(adopt(3, "R1.1"));
            Site.done(site.follow(3, 1));
        }
        assertThat(seen).isNotEmpty().allSatisfy(d -> {
            assertThat(d.health()).isEqualTo(Health.UP);
            assertThat(d.service()).isEqualTo(ServiceState.RUNNING);
            assertThat(d.readOnly()).isFalse();
            assertThat(d.troubles()).isSubsetOf(Observation.Trouble.WRITES_BLOCKED);
        });
        site.awaitEqual(3, 1);
    }

    @Test
    void aServerThatIsDeadAndWhoseDataAreRubbishIsRebuilt() throws Exception {
        site.server(3).kill();
        Files.writeString(site.server(3).folder.resolve("data/ibdata1"), "rubbish");
        LocalDatabase agent = site.restartAgent(3); // which has never seen that server alive
        assertThat(agent.observe().health()).isEqualTo(Health.DOWN);
        Site.done(copy(2, 3, "R1.1", 0));
        Site.done(adopt(3, "R1.1"));
        Site.done(site.follow(3, 1));
        site.awaitEqual(3, 1);
    }

    @Test
    void progressIsToldAndTheRateIsHeld() throws Exception {
        fill();
        long start = System.nanoTime();
        CompletableFuture<Outcome> copying = begin(() -> copy(2, 3, "R1.1", SLOW));
        List<Observation.Copying> received = new ArrayList<>();
        List<Observation.Copying> given = new ArrayList<>();
        while (!copying.isDone()) {
            note(received, site.agent(3).data().copying());
            note(given, site.agent(2).data().copying());
            Thread.sleep(50);
        }
        Site.done(copying.get());
        double seconds = (System.nanoTime() - start) / 1e9;
        long bytes =
                received.stream().mapToLong(Observation.Copying::bytes).max().orElse(0);
        assertThat(seconds).as("%d bytes", bytes).isGreaterThan(0.7 * (bytes - SLOW / 4.0) / SLOW);
        assertThat(received).extracting(Observation.Copying::copy).containsOnly("R1.1");
        assertThat(received).extracting(Observation.Copying::step).contains(CopyStep.RECEIVING);
        assertThat(received).extracting(Observation.Copying::bytes).isSorted();
        assertThat(received).extracting(Observation.Copying::total).allMatch(total -> total > 0);
        assertThat(received).extracting(Observation.Copying::bytesPerSecond).anyMatch(rate -> rate > SLOW / 2);
        assertThat(given).extracting(Observation.Copying::step).containsOnly(CopyStep.GIVING);
        await().until(() ->
                site.agent(3).data().copying() == null && site.agent(2).data().copying() == null);
    }

    @Test
    void aStreamThatBreaksLeavesNothingAndTheNextAttemptBeginsCleanly() throws Exception {
        fill();
        CompletableFuture<Outcome> copying = begin(() -> copy(2, 3, "R1.1", SLOW));
        awaitBytes(3);
        site.restartAgent(2); // the donor's agent dies
        assertThat(Site.failed(copying.get(30, TimeUnit.SECONDS))).contains("the stream broke after");
        assertThat(swap(3).fresh()).doesNotExist();
        assertThat(site.server(3).state()).isEqualTo(ServiceState.RUNNING);
        assertThat(site.agent(3).observe().replica()).isNotNull();
        assertThat(code(adopt(3, "R1.1"))).isEqualTo("missing");
        Site.done(copy(2, 3, "R1.2", 0));
        Site.done(adopt(3, "R1.2"));
        Site.done(site.follow(3, 1));
        site.awaitEqual(3, 1);
    }

    @Test
    void aDonorWhoseServerDiesSaysWhy() throws Exception {
        fill();
        CompletableFuture<Outcome> copying = begin(() -> copy(2, 3, "R1.1", SLOW));
        awaitBytes(3);
        site.server(2).kill();
        assertThat(Site.failed(copying.get(60, TimeUnit.SECONDS)))
                .contains("the donor ended it: mariadb-backup exited with");
        assertThat(swap(3).fresh()).doesNotExist();
    }

    @Test
    void aReceivingAgentThatDiesLeavesACopyThatNobodyUses() throws Exception {
        fill();
        CompletableFuture<Outcome> copying = begin(() -> copy(2, 3, "R1.1", SLOW));
        awaitBytes(3);

        site.restartAgent(3);
        assertThat(Site.failed(copying.get(30, TimeUnit.SECONDS))).contains("not wanted any more");
        await().until(() -> site.agent(2).data().copying() == null);
        // what a killed one would have left
        Files.createDirectories(swap(3).fresh().resolve("mysql"));
        Files.writeString(swap(3).fresh().resolve("ibdata1"), "half");
        site.agent(3).observe();
        site.agent(3).data();
        assertThat(code(adopt(3, "R1.1"))).isEqualTo("missing");
        assertThat(site.agent(3).observe().health()).isEqualTo(Health.UP);
        // its offer is over: the order that is given again fails at once, and the next attempt works
        assertThat(Site.failed(receive(3, "R1.1", TOKEN, 1, 1))).contains("does not await a receiver");
        Site.done(copy(2, 3, "R1.2", 0));
        Site.done(adopt(3, "R1.2"));
        Site.done(site.follow(3, 1));
    }

    @Test
    void whoDoesNotKnowTheTokenGetsNothingAndDoesNotEndTheOffer() {
        Map<String, String> offer = Site.done(offer(2, "R1.1", TOKEN, 0));
        int port = Integer.parseInt(offer.getOrDefault("port", ""));
        long bytes = Long.parseLong(offer.getOrDefault("bytes", ""));
        assertThat(Site.failed(receive(3, "R1.1", "00".repeat(32), port, bytes)))
                .contains("does not know the token");
        assertThat(swap(3).fresh()).doesNotExist();
        Site.done(receive(3, "R1.1", TOKEN, port, bytes));
        assertThat(Site.failed(receive(3, "R1.2", TOKEN, port, bytes)))
                .as("one connection is all")
                .contains("does not await a receiver");
    }

    @Test
    void anOfferThatNobodyTakesEnds() {
        Map<String, String> offer = Site.done(site.execute(
                2, new Command.OfferCopy(site.next(), Site.PRIMARY, 2, new CopyTicket("R1.1", TOKEN), 0, 200)));
        await().until(() -> site.agent(2).data().copying() == null);
        int port = Integer.parseInt(offer.getOrDefault("port", ""));
        assertThat(Site.failed(receive(3, "R1.1", TOKEN, port, 1))).contains("does not await a receiver");
    }

    @Test
    void aCopyThatHasNoRoomIsRefusedBeforeAnythingIsFetched() {
        Outcome.Refused refused = Site.refused(receive(3, "R1.1", TOKEN, 1, 1L << 50));
        assertThat(refused.code()).isEqualTo("space");
        assertThat(refused.reason()).contains("has room for", "MiB beside the old data");
        assertThat(swap(3).fresh()).doesNotExist();
    }

    @Test
    void theDataOfAHolderAndOfAWritableServerAreNotReplaced() {
        Site.done(copy(2, 3, "R1.1", 0));
        Outcome held = site.agent(3).execute(new Command.AdoptCopy(site.next(), Site.PRIMARY, 2, "R1.1"), () -> true);
        assertThat(code(held)).isEqualTo("lease");
        site.server(3).sql("SET GLOBAL read_only = 0");
        assertThat(code(adopt(3, "R1.1"))).isEqualTo("writable");
        assertThat(site.server(3).state()).isEqualTo(ServiceState.RUNNING);
        assertThat(swap(3).old()).doesNotExist();
    }

    @Test
    void aCopyEndsWhenTheDonorIsNeededForAPlan() throws Exception {
        fill();
        CompletableFuture<Outcome> copying = begin(() -> copy(2, 3, "R1.1", SLOW));
        awaitBytes(3);
        Site.done(site.cut(2, 1));
        Site.failed(copying.get(30, TimeUnit.SECONDS));
        await().until(() -> site.agent(2).data().copying() == null);
        assertThat(site.server(2)
                        .query("SELECT count(*) FROM information_schema.processlist WHERE state LIKE '%backup%'"))
                .isEqualTo("0");
    }

    @Test
    void aCopyIsEndedByOrderAndRemoved() throws Exception {
        fill();
        CompletableFuture<Outcome> copying = begin(() -> copy(2, 3, "R1.1", SLOW));
        awaitBytes(3);
        Site.done(site.execute(3, new Command.EndCopy(site.next(), Site.PRIMARY, 2, "R1.1")));
        assertThat(swap(3).fresh()).doesNotExist();
        assertThat(copying).succeedsWithin(Duration.ofSeconds(5)); // its thread is at its last statements
        await().until(() -> site.agent(2).data().copying() == null);
        Site.done(copy(2, 3, "R1.2", 0));
        Site.done(site.execute(3, new Command.EndCopy(site.next(), Site.PRIMARY, 2, "R1.2")));
        assertThat(swap(3).fresh()).as("a ready one too").doesNotExist();
        assertThat(site.agent(3).observe().replica()).isNotNull();
    }

    @Test
    void anAgentThatDiesBetweenTheRenamesIsGoneOnFor() throws Exception {
        Site.done(copy(2, 3, "R1.1", 0));
        Site.done(site.server(3).stop());
        swap(3).putAside();
        Site.done(site.server(3).start());
        await().until(() -> site.server(3).state() != ServiceState.RUNNING); // without data no server starts
        LocalDatabase agent = site.restartAgent(3);
        agent.data();
        assertThat(DataSwap.marker(swap(3).data())).isPresent();
        Site.done(adopt(3, "R1.1"));
        Site.done(site.follow(3, 1));
        site.awaitEqual(3, 1);
    }

    @Test
    void aServerThatWasStartedWithACopyButNeverToldWhereItStandsFollowsNobody() throws Exception {
        Site.done(copy(1, 3, "R1.1", 0));
        Site.done(site.server(3).stop());
        swap(3).putAside();
        swap(3).putInPlace(); // and the host dies; the server is started at the next boot
        Site.done(site.server(3).start());
        site.server(3).awaitAnswer();
        site.restartAgent(3).observe();
        assertThat(code(site.follow(3, 1))).isEqualTo("unseeded");
        assertThat(site.server(3).query("SELECT @@read_only")).isEqualTo("1");
        Site.done(adopt(3, "R1.1"));
        Site.done(adopt(3, "R1.1")); // the answer was lost
        Site.done(site.follow(3, 1));
        site.awaitEqual(3, 1);
    }

    /// Writes one row after the other on the primary, as the application does.
    private final class Writing implements AutoCloseable {
        private final AtomicInteger next = new AtomicInteger(1000);
        private final AtomicBoolean over = new AtomicBoolean();
        private final CompletableFuture<Void> writer;

        Writing() {
            writer = CompletableFuture.runAsync(
                    () -> {
                        try (Session session = site.server(1).application()) {
                            while (!over.get()) {
                                session.run(
                                        "INSERT INTO shop.orders VALUES (" + next.get() + ")", Duration.ofSeconds(20));
                                next.incrementAndGet();
                            }
                        } catch (SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    Thread::startVirtualThread);
            until(1005);
        }

        int written() {
            return next.get();
        }

        void until(int row) {
            await().atMost(Duration.ofSeconds(30)).until(() -> next.get() > row || writer.isDone());
        }

        @Override
        public void close() {
            over.set(true);
            writer.orTimeout(20, TimeUnit.SECONDS).join();
        }
    }

    private static <T> CompletableFuture<T> begin(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, Thread::startVirtualThread);
    }

    /// Enough that a throttled copy takes some seconds.
    private void fill() {
        site.server(1)
                .sql(
                        "CREATE TABLE shop.filler (id INT PRIMARY KEY, text LONGBLOB) ENGINE=InnoDB",
                        "INSERT INTO shop.filler SELECT seq, repeat(md5(seq), 32768) FROM shop.seq_1_to_16");
        site.awaitEqual(2, 1);
    }

    private void diverge(int id) {
        site.server(id)
                .sql(
                        "STOP SLAVE",
                        "SET GLOBAL read_only = 0",
                        "INSERT INTO shop.orders VALUES (777)",
                        "SET GLOBAL read_only = 1");
        assertThat(code(site.follow(id, 1))).isEqualTo("diverged");
    }

    private static void note(List<Observation.Copying> all, Observation.@Nullable Copying one) {
        if (one != null) {
            all.add(one);
        }
    }

    private void awaitBytes(int receiver) {
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            Observation.Copying copying = site.agent(receiver).data().copying();
            return copying != null && copying.bytes() > 0;
        });
    }

    private DataSwap swap(int id) {
        return new DataSwap(site.server(id).folder.resolve("data"));
    }

    private Outcome copy(int donor, int receiver, String copy, long rate) {
        Map<String, String> offer = Site.done(offer(donor, copy, TOKEN, rate));
        return receive(
                receiver,
                copy,
                TOKEN,
                site.server(donor).address,
                Integer.parseInt(offer.getOrDefault("port", "")),
                Long.parseLong(offer.getOrDefault("bytes", "")));
    }

    private Outcome offer(int id, String copy, String token, long rate) {
        return site.execute(
                id, new Command.OfferCopy(site.next(), Site.PRIMARY, 2, new CopyTicket(copy, token), rate, 10_000));
    }

    private Outcome receive(int id, String copy, String token, int port, long bytes) {
        return receive(id, copy, token, site.server(2).address, port, bytes);
    }

    private Outcome receive(int id, String copy, String token, String address, int port, long bytes) {
        return site.execute(
                id,
                new Command.ReceiveCopy(
                        site.next(), Site.PRIMARY, 2, new CopyTicket(copy, token), address, port, bytes));
    }

    private Outcome adopt(int id, String copy) {
        return site.agent(id).execute(new Command.AdoptCopy(site.next(), Site.PRIMARY, 2, copy), () -> false);
    }

    private static String code(Outcome outcome) {
        return Site.refused(outcome).code();
    }
}
