package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Scheduled events on real servers: the primary runs them, and nobody else.
class ScheduledEventsTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String STATE =
            "SELECT group_concat(event_name, ' ', status, ' ', definer ORDER BY event_name) FROM information_schema.events";

    private static final String ASLEEP =
            "hourly `one SLAVESIDE_DISABLED root@localhost,off SLAVESIDE_DISABLED root@localhost";

    @Test
    void anEventGoesWithThePrimaryAndKeepsItsDefiner() throws Exception {
        try (Site site = new Site(2).replicate()) {
            site.server(1)
                    .sql(
                            "CREATE EVENT shop.`hourly ``one` ON SCHEDULE EVERY 1 HOUR DO DELETE FROM shop.orders WHERE id < 0",
                            "CREATE EVENT shop.off ON SCHEDULE EVERY 1 HOUR DISABLE DO DELETE FROM shop.orders WHERE id < 0");
            site.awaitEqual(2, 1);
            await().atMost(LONG).ignoreExceptions().until(() -> {
                site.agent(1).beat(1, () -> true);
                return site.server(1)
                        .query("SELECT group_concat(event_name) FROM understudy.scheduled_event WHERE runs = 1")
                        .equals("hourly `one");
            });
            site.awaitEqual(2, 1);
            assertThat(state(site, 1)).isEqualTo("hourly `one ENABLED root@localhost,off DISABLED root@localhost");
            assertThat(state(site, 2)).isEqualTo(ASLEEP);

            Site.done(site.release(1));
            Site.done(site.cut(2, 1));
            Site.done(site.stage(2));
            Site.done(site.open(2, true));
            site.agent(2).beat(2, () -> false);
            assertThat(state(site, 2)).as("without a lease").contains("SLAVESIDE_DISABLED");
            await().atMost(LONG).untilAsserted(() -> {
                site.agent(2).beat(2, () -> true);
                assertThat(state(site, 2))
                        .as("the one that was disabled stays so")
                        .isEqualTo("hourly `one ENABLED root@localhost,off SLAVESIDE_DISABLED root@localhost");
            });

            Site.done(site.follow(1, 2));
            site.awaitEqual(1, 2);
            assertThat(state(site, 1))
                    .isEqualTo("hourly `one SLAVESIDE_DISABLED root@localhost,off DISABLED root@localhost");
        }
    }

    private static String state(Site site, int server) {
        return site.server(server).query(STATE);
    }
}
