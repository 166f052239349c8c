package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A better placed candidate fetches from the most advanced one what it lacks, by the orders that a fetch consists of.
/// Server 2 is preferred, server 3 has everything, server 1 was the primary.
class FetchTest {

    private static final Duration TIME = Duration.ofMillis(2700);

    @Test
    void whatIsFetchedIsCompleteBeforeTheReceiverIsStopped() throws Exception {
        try (Site site = new Site(3).replicate()) {
            onlyServer3Has(site, 1, 20);
            String position = primaryDies(site);

            Site.done(site.catchUp(3, TIME));
            Site.done(site.catchUp(2, TIME));
            Site.done(site.follow(2, 3));
            Site.done(site.reach(2, position, TIME));
            Site.done(site.cut(2, 3));
            Map<String, String> has = Site.done(site.cut(2, 1));

            assertThat(has).containsEntry("receiver", "cut").containsEntry("binlog", position);
            assertThat(site.server(2).query("SHOW SLAVE STATUS")).isNotEmpty();
            assertThat(receiver(site, 2)).isEqualTo("No");
            assertThat(site.server(2).rows()).isEqualTo(site.server(3).rows());
            promoted(site, 2, 3);
        }
    }

    /// The donor serves only what it has applied: without its catching up nothing would be fetched.
    @Test
    void aDonorThatStaysBehindOnPurposeAppliesFirst() throws Exception {
        try (Site site = new Site(3).replicate()) {
            site.server(3).sql("STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 3600", "START SLAVE");
            await().until(() -> receiver(site, 3).equals("Yes"));
            onlyServer3Has(site, 1, 20);
            String position = primaryDies(site);
            assertThat(site.server(3).rows()).isEmpty();

            Site.done(site.catchUp(3, TIME));
            Site.done(site.catchUp(2, TIME));
            Site.done(site.follow(2, 3));
            Site.done(site.reach(2, position, TIME));
            Site.done(site.cut(2, 3));
            Site.done(site.cut(2, 1));
            promoted(site, 2, 3);
            assertThat(site.server(2).rows()).startsWith("1,2,3");
        }
    }

    /// S18: what it has received and not applied is applied before it follows another one.
    @Test
    void s18_itsOwnRelayLogIsAppliedFirst() throws Exception {
        try (Site site = new Site(3).replicate()) {
            Session holder = site.holdApplier(2);
            site.server(1).sql("INSERT INTO shop.orders VALUES (1)");
            String first = site.server(1).query("SELECT @@gtid_binlog_pos");
            await().until(() -> receivedPosition(site, 2).equals(first));
            site.server(2).sql("STOP SLAVE IO_THREAD");
            site.server(1).sql("INSERT INTO shop.orders VALUES (2)");
            String position = primaryDies(site);
            assertThat(Site.failed(site.catchUp(2, Duration.ofMillis(300)))).contains("not caught up in time");
            holder.close();
            Site.done(site.catchUp(3, TIME));
            Site.done(site.catchUp(2, TIME));
            assertThat(site.server(2).rows()).isEqualTo("1");
            Site.done(site.follow(2, 3));
            Site.done(site.reach(2, position, TIME));
            Site.done(site.cut(2, 3));
            Site.done(site.cut(2, 1));
            promoted(site, 2, 3);
        }
    }

    /// What has arrived stays, the receiver is stopped at once (S19), and the plan goes on without a fetch.
    @Test
    void s19_aDonorThatFreezesInMidFetchHoldsUpNothing() throws Exception {
        try (Site site = new Site(3).replicate()) {
            onlyServer3Has(site, 1, 5);
            String position = primaryDies(site);
            Site.done(site.catchUp(3, TIME));
            Site.done(site.catchUp(2, TIME));
            Session holder = site.holdApplier(2);
            Site.done(site.follow(2, 3));
            site.server(3).freeze();
            assertThat(Site.failed(site.reach(2, position, Duration.ofMillis(300))))
                    .contains("not reached in time");
            assertThat(Site.done(site.cut(2, 3))).containsEntry("receiver", "stopped");
            holder.close();
            assertThat(receiver(site, 2)).isEqualTo("No");
            site.server(3).thaw();
            site.cut(2).restoreAll();
            Site.done(site.catchUp(3, TIME));
            promoted(site, 3, 2);
        }
    }

    private static void promoted(Site site, int target, int other) throws SQLException {
        Site.done(site.catchUp(target, TIME));
        Site.done(site.stage(target));
        Site.done(site.follow(other, target));
        Site.done(site.open(target, false));
        site.server(target).sql("INSERT INTO shop.orders VALUES (1000001)");
        site.awaitEqual(other, target);
    }

    /// Nothing arrives at server 2 any more; server 3 acknowledges.
    private static void onlyServer3Has(Site site, int first, int last) {
        site.server(2).sql("STOP SLAVE IO_THREAD");
        for (int id = first; id <= last; id++) {
            site.server(1).sql("INSERT INTO shop.orders VALUES (" + id + ")");
        }
    }

    /// Returns what server 3 tells of; both are cut off.
    private static String primaryDies(Site site) {
        site.server(1).kill();
        GtidList second = received(site.cut(2, 1));
        GtidList third = received(site.cut(3, 1));
        assertThat(second.reached(third)).isFalse();
        assertThat(third.reached(second)).isTrue();
        return third.toString();
    }

    private static GtidList received(Outcome outcome) {
        return GtidList.parse(Site.done(outcome).getOrDefault("received", ""));
    }

    private static String receivedPosition(Site site, int id) {
        Observation.Replica replica = site.agent(id).observe().replica();
        return replica == null ? "" : replica.receivedPosition();
    }

    private static String receiver(Site site, int id) {
        Observation.Replica replica = site.agent(id).observe().replica();
        return replica == null ? "" : replica.receiver();
    }
}
