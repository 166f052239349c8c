package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import org.junit.jupiter.api.Test;

/// Planned moves of a primary that has more to do than short writes.
class PlannedMoveStory extends Story {

    @Test
    @Fault("planned move of the primary during a transaction of 15 s, and again after it; an event is due every second")
    void aLongTransactionIsNotEndedAndScheduledEventsGoWithThePrimary() {
        LabHost old = primary();
        act("an event that is due every second", () -> {
            Topology.DATABASES.forEach(plan -> Databases.sql(lab().host(plan), "SET GLOBAL event_scheduler = 1"));
            // its definer may not write through read_only
            Databases.sql(old, """
                    GRANT EVENT ON shop.* TO 'app'@'%';
                    CREATE TABLE shop.tick (id BIGINT AUTO_INCREMENT PRIMARY KEY, server INT NOT NULL);
                    CREATE DEFINER = 'app'@'%' EVENT shop.tick ON SCHEDULE EVERY 1 SECOND
                    DO INSERT INTO shop.tick (server) VALUES (@@server_id)""");
        });
        eventually("it runs", () -> ticksOf(old, old) > 1);
        act(
                "a transaction that runs for 15 s",
                () -> old.run(
                        "sh",
                        "-c",
                        "mariadb -e 'BEGIN; INSERT INTO shop.tick (server) VALUES (0); DO SLEEP(15); COMMIT'"
                                + " </dev/null >/dev/null 2>&1 &"));
        eventually("it is under way", () -> isUnderWay(old));
        long from = System.nanoTime();
        act("switch over", () -> api().switchover(PRIMARY, ""));
        eventually("the move is given up", () -> ownEvents().contains("nothing was blocked"));
        eventually("nothing is under way any more", () -> state().steady(PRIMARY));
        assertThat(primary().name()).isEqualTo(old.name());
        assertThat(writesSince(from).firstFailure()).isEmpty();

        eventually("the transaction is over", () -> !isUnderWay(old));
        assertThat(Databases.sql(old, "SELECT COUNT(*) FROM shop.tick WHERE server = 0"))
                .isEqualTo("1");
        act("switch over again", () -> api().switchover(PRIMARY, ""));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        siteBecomesWell();
        eventually("the event runs on " + successor.name(), () -> ticksOf(successor, successor) > 1);
        long before = ticksOf(old, successor);
        long ran = ticksOf(successor, successor);
        eventually("three times more", () -> ticksOf(successor, successor) > ran + 3);
        assertThat(ticksOf(old, successor)).as("on " + old.name()).isEqualTo(before);
        Databases.sql(successor, "DROP EVENT shop.tick; DROP TABLE shop.tick");
        siteBecomesWell();
    }

    /// How often the event ran on a server, as another one knows it.
    private static long ticksOf(LabHost server, LabHost asked) {
        String id = Databases.sql(server, "SELECT @@server_id");
        return Long.parseLong(Databases.sql(asked, "SELECT COUNT(*) FROM shop.tick WHERE server = " + id));
    }

    /// Whether that transaction has run for two seconds. Not asked of InnoDB's own list, which is not renewed while
    /// somebody asks for it often.
    private static boolean isUnderWay(LabHost host) {
        return Databases.sql(
                        host,
                        "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'DO SLEEP(15)' AND time >= 2")
                .equals("1");
    }
}
