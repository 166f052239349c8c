package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Outcome;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/// The whole recipe of an unplanned failover and of the rejoin after it, on three real servers.
class FailoverRecipeTest {

    /// Inserts increasing ids until the server is gone; remembers which were acknowledged.
    private static final class Writer implements Runnable {
        private final MariaDbServer server;
        private final List<Integer> acknowledged = new CopyOnWriteArrayList<>();

        Writer(MariaDbServer server) {
            this.server = server;
        }

        @Override
        public void run() {
            try (Session session = server.application()) {
                for (int id = 1; ; id++) {
                    session.run("INSERT INTO shop.orders VALUES (" + id + ")", Duration.ofSeconds(60));
                    acknowledged.add(id);
                }
            } catch (SQLException e) {
                // the server was killed: that is what ends this writer
                return;
            }
        }
    }

    @Test
    void s17_primaryKilledUnderLoadLosesNoAcknowledgedRowAndRejoinsClean() throws Exception {
        try (Site site = new Site(3).replicate()) {
            Writer writer = new Writer(site.server(1));
            Thread writing = Thread.ofVirtual().start(writer);
            await().until(() -> writer.acknowledged.size() > 50);

            site.server(1).kill();
            writing.join();

            GtidList second = received(Site.done(site.cut(2, 1)));
            GtidList third = received(Site.done(site.cut(3, 1)));
            int best = second.reached(third) ? 2 : 3;
            int other = 5 - best;
            Site.done(site.catchUp(best, Duration.ofSeconds(10)));
            Site.done(site.stage(best));
            Site.done(site.follow(other, best));
            Site.done(site.open(best, false));

            List<String> rows = List.of(site.server(best).rows().split(",", -1));
            assertThat(rows)
                    .containsAll(
                            writer.acknowledged.stream().map(String::valueOf).toList());

            site.server(best).sql("INSERT INTO shop.orders VALUES (1000001)");
            site.awaitEqual(other, best);

            site.server(1).start();
            site.server(1).awaitAnswer();
            assertThat(site.server(1).query("SELECT @@read_only")).isEqualTo("1");
            Site.done(site.follow(1, best));
            site.server(best).sql("INSERT INTO shop.orders VALUES (1000002)");
            site.awaitEqual(1, best);
        }
    }

    @Test
    void s17_oldPrimaryWithAnExtraTransactionIsRefusedAndNotRepointed() throws Exception {
        try (Site site = new Site(2).replicate()) {
            site.server(1).sql("INSERT INTO shop.orders VALUES (1)");
            site.awaitEqual(2, 1);
            Site.done(site.cut(2, 1));
            Site.done(site.catchUp(2, Duration.ofSeconds(10)));
            Site.done(site.stage(2));
            Site.done(site.open(2, true));
            site.server(2).sql("INSERT INTO shop.orders VALUES (2)");

            Site.done(site.release(1));
            // an operator's mistake: root writes through read_only
            site.server(1).sql("SET GLOBAL rpl_semi_sync_master_enabled = 0", "INSERT INTO shop.orders VALUES (99)");

            Outcome outcome = site.follow(1, 2);

            assertThat(outcome).isInstanceOfSatisfying(Outcome.Refused.class, refused -> {
                assertThat(refused.code()).isEqualTo("diverged");
                assertThat(refused.reason()).contains("0-1-");
            });
            assertThat(site.server(1).query("SHOW SLAVE STATUS")).isEmpty();
            assertThat(site.server(1).rows()).isEqualTo("1,99");
        }
    }

    private static GtidList received(java.util.Map<String, String> facts) {
        return GtidList.parse(facts.getOrDefault("received", ""));
    }
}
