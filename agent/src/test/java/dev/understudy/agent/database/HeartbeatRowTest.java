package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.Observation.HeartbeatRow;
import dev.understudy.protocol.Observation.Trouble;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// The heartbeat row on real servers: written on the primary only, told apart when it hangs.
class HeartbeatRowTest {

    private static final Duration LONG = Duration.ofSeconds(20);

    @Test
    void theRowOfThePrimaryReachesItsReplica() throws Exception {
        try (Site site = new Site(2).replicate()) {
            HeartbeatRow first = beat(site, 7).orElseThrow();
            assertThat(first.serverId()).isEqualTo(1);
            assertThat(first.epoch()).isEqualTo(7);

            awaitRow(site, first);

            HeartbeatRow second =
                    await().atMost(LONG).until(() -> beat(site, 8).orElseThrow(), row -> !row.equals(first));
            assertThat(second.micros() - first.micros()).isGreaterThanOrEqualTo(900_000);
            awaitRow(site, second);
        }
    }

    @Test
    void nothingIsWrittenOnAReplicaOrWithoutALease() throws Exception {
        try (Site site = new Site(2).replicate()) {
            awaitRow(site, beat(site, 7).orElseThrow());
            String replica = site.server(2).query("SELECT @@gtid_binlog_pos");

            site.agent(2).beat(7, () -> true); // the account may write through read_only

            assertThat(site.server(2).query("SELECT @@gtid_binlog_pos")).isEqualTo(replica);
            String primary = site.server(1).query("SELECT @@gtid_binlog_pos");
            AtomicInteger asked = new AtomicInteger();
            await().atMost(LONG).until(() -> {
                site.agent(1).beat(7, () -> asked.incrementAndGet() < 0);
                return asked.get() > 0;
            });
            assertThat(site.server(1).query("SELECT @@gtid_binlog_pos")).isEqualTo(primary);
        }
    }

    @Test
    void aRowThatWaitedWhileTheServerBecameReadOnlyIsNotWritten() throws Exception {
        try (Site site = new Site(1).replicate()) {
            beat(site, 7);
            String before = site.server(1).query("SELECT @@gtid_binlog_pos");
            AtomicInteger looked = new AtomicInteger();
            try (Session operator = site.server(1).root()) {
                operator.run("FLUSH TABLES WITH READ LOCK", LONG);
                CompletableFuture<Void> beating = CompletableFuture.runAsync(() -> {
                    while (looked.get() == 0) {
                        site.agent(1).beat(7, () -> true);
                    }
                });
                await().pollInterval(Duration.ofMillis(10)).atMost(LONG).until(() -> waitingRows(site) > 0);

                operator.run("SET GLOBAL read_only = 1", LONG);
                looked.set(1);
                operator.run("UNLOCK TABLES", LONG);

                beating.get(20, TimeUnit.SECONDS);
            }
            assertThat(site.server(1).query("SELECT @@gtid_binlog_pos")).isEqualTo(before);
        }
    }

    @Test
    void anOperatorsLockIsToldApartAndHoldsNothingUp() throws Exception {
        try (Site site = new Site(1).replicate()) {
            beat(site, 7);
            try (Session operator = site.server(1).root()) {
                operator.run("FLUSH TABLES WITH READ LOCK", LONG);
                await().atMost(LONG).until(() -> {
                    site.agent(1).beat(7, () -> true);
                    return site.agent(1).observe().troubles().equals(List.of(Trouble.WRITES_BLOCKED));
                });
                operator.run("UNLOCK TABLES", LONG);
            }
            await().atMost(LONG).until(() -> {
                site.agent(1).beat(7, () -> true);
                return site.agent(1).observe().troubles().isEmpty();
            });
        }
    }

    @Test
    void aRowThatNobodyAcknowledgesHoldsUpNothingAndIsGoneAfterTheFence() throws Exception {
        try (Site site = new Site(2).replicate()) {
            HeartbeatRow acknowledged = beat(site, 7).orElseThrow();
            awaitRow(site, acknowledged);
            site.server(2).sql("STOP SLAVE IO_THREAD");
            AtomicInteger fenced = new AtomicInteger();
            CompletableFuture<Void> beating = CompletableFuture.runAsync(() -> {
                while (fenced.get() == 0) {
                    site.agent(1).beat(8, () -> true);
                }
            });
            await().atMost(LONG).until(() -> site.agent(1).observe().troubles().contains(Trouble.SEMI_SYNC_BLOCKED));
            assertThat(beating).isNotDone();
            assertThat(site.agent(1).observe().heartbeat()).isEqualTo(acknowledged);

            fenced.set(1);
            assertThat(Site.done(site.release(1))).containsKey("killed");

            beating.get(20, TimeUnit.SECONDS);
            site.server(1).awaitAnswer();
            await().atMost(LONG).until(() -> {
                site.agent(1).beat(0, () -> false);
                return acknowledged.equals(site.agent(1).observe().heartbeat());
            });
        }
    }

    @Test
    void theTableIsNotMadeOnceTheServerIsBeingClosed() throws Exception {
        try (Site site = new Site(1).replicate()) {
            Server server = new Server(site.group(), site.server(1).local(), site.server(1), site.cut(1), site.door(1));
            Fence fence = new Fence(server, new DroppedTail(server));
            AtomicInteger made = new AtomicInteger();
            long seen = fence.closings();

            fence.whileOpen(() -> true, seen, made::incrementAndGet);
            assertThat(made).hasValue(1);
            fence.whileOpen(() -> false, seen, made::incrementAndGet);
            assertThat(made).hasValue(1);

            assertThat(fence.closing(Deadline.in(LONG))).isTrue();
            fence.whileOpen(() -> true, seen, made::incrementAndGet);
            assertThat(made).hasValue(1);
            fence.whileOpen(() -> true, fence.closings(), made::incrementAndGet);
            assertThat(made).hasValue(2);
        }
    }

    private static Optional<HeartbeatRow> beat(Site site, long epoch) {
        site.agent(1).beat(epoch, () -> true);
        return Optional.ofNullable(site.agent(1).observe().heartbeat());
    }

    private static void awaitRow(Site site, HeartbeatRow row) {
        await().atMost(LONG).until(() -> {
            site.agent(2).beat(0, () -> false);
            return row.equals(site.agent(2).observe().heartbeat());
        });
    }

    private static long waitingRows(Site site) throws Exception {
        return Long.parseLong(site.server(1)
                .query("SELECT COUNT(*) FROM information_schema.processlist"
                        + " WHERE state LIKE 'Waiting for % lock' AND info LIKE 'INSERT INTO understudy%'"));
    }
}
