package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Who is promoted, who is not, and who is not let back.
class CandidateStory extends Story {

    @Test
    @Fault("mariadbd of the primary killed while one replica lags")
    void aMemberThatLagsIsNotPromoted() {
        LabHost old = primary();
        LabHost lagging = replicas().getFirst();
        LabHost other = replicas().getLast();
        act(
                "hold a read lock on " + lagging.name() + ": its applier falls behind",
                () -> inBackground(lagging, "FLUSH TABLES WITH READ LOCK; DO SLEEP(20)"));
        eventually("it lags", () -> !instruments().writer().missingOn(lagging).isEmpty());
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        assertThat(becomesHolderInsteadOf(old, PRIMARY).name()).isEqualTo(other.name());
        clientsAreServed();
        act("start it again", () -> old.start(LabService.MARIADB));
        siteBecomesWell();
    }

    @Test
    @Fault("mariadbd of the primary killed while the replica that the file prefers gets nothing from it")
    void aPreferredMemberThatLagsFetchesFromTheMostAdvancedAndIsPromoted() {
        LabHost old = primary();
        LabHost preferred = replicas().getFirst();
        LabHost other = replicas().getLast();
        String without = api().spec();
        act(
                "prefer: [" + preferred.name() + "]",
                () -> api().apply(without.replace(
                        "kind: database", "kind: database\n    prefer: [" + preferred.name() + "]")));
        try {
            Cut cut = Cut.of(preferred.name()).from(old.name());
            act("cut " + cut, () -> lab().cut(cut));
            eventually(
                    "it lags", () -> instruments().writer().missingOn(preferred).size() > 20);
            act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
            assertThat(becomesHolderInsteadOf(old, PRIMARY).name()).isEqualTo(preferred.name());
            clientsAreServed();
            assertThat(ownEvents()).contains("DB-58", "DB-46", "has fetched up to");
            hasEveryAcknowledgedRow(preferred);
            hasEveryAcknowledgedRow(other);
            act("heal it", () -> lab().heal(preferred.name()));
            act("start " + old.name() + " again", () -> old.start(LabService.MARIADB));
            siteBecomesWell();
        } finally {
            act("nobody is preferred again", () -> api().apply(without));
        }
        siteBecomesWell();
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("mariadbd of the primary killed while the applier of one replica is broken")
    void aMemberWithABrokenApplierIsNotPromoted() {
        discardSiteAfterwards();
        LabHost old = primary();
        LabHost broken = replicas().getFirst();
        LabHost other = replicas().getLast();
        act("make the applier of " + broken.name() + " stop at a duplicate key", () -> {
            long next = Long.parseLong(
                    Databases.sql(old, "SELECT MAX(id) + 40 FROM shop.entry").strip());
            Databases.sql(broken, "SET sql_log_bin = 0; INSERT INTO shop.entry (id) VALUES (" + next + ")");
        });
        eventually(
                "its applier is broken",
                () -> Databases.replicaField(broken, "Last_SQL_Errno").equals("1062"));
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        assertThat(becomesHolderInsteadOf(old, PRIMARY).name()).isEqualTo(other.name());
        act("start it again", () -> old.start(LabService.MARIADB));
        clientsAreServed();
    }

    /// The one that would be chosen otherwise: the first in the order of the file.
    @Test
    @Fault("mariadbd of the primary killed while one replica does not log what it applies")
    void aMemberWhoseConfigurationIsWrongIsNotPromotedAndTheEventSaysWhy() {
        discardSiteAfterwards();
        LabHost old = primary();
        LabHost wrong = replicas().getFirst();
        LabHost other = replicas().getLast();
        act("set log_slave_updates = 0 on " + wrong.name() + " and restart its server", () -> {
            wrong.run("sed", "-i", "s/^log_slave_updates = 1/log_slave_updates = 0/", "/etc/mysql/my.cnf")
                    .orThrow();
            wrong.restart(LabService.MARIADB);
        });
        eventually(
                "it is told while all is well",
                () -> state().json()
                        .toString()
                        .contains(wrong.name() + " could not be promoted: its configuration: LOG_SLAVE_UPDATES"));
        eventually(
                "it follows again",
                () -> Databases.replicaField(wrong, "Slave_IO_Running").equals("Yes"));
        // until then only the old primary could say what was acknowledged (S15), and a failover would wait for it
        eventually(
                wrong.name() + ", that was restarted, is known to have everything",
                () -> state().unsure(PRIMARY).isEmpty());
        act("kill mariadbd of " + old.name(), () -> old.kill(LabService.MARIADB));
        assertThat(becomesHolderInsteadOf(old, PRIMARY).name()).isEqualTo(other.name());
        clientsAreServed();
        assertThat(ownEvents()).contains("its configuration: LOG_SLAVE_UPDATES: log_slave_updates is 0, 1 is wanted");
        act("start it again", () -> old.start(LabService.MARIADB));
        Databases.awaitAnswer(old, Duration.ofSeconds(60));
        hasEveryAcknowledgedRow(old);
    }

    @Test
    @Fault("somebody writes on a primary that was cut off and replaced, past read_only")
    void anOldPrimaryWithTransactionsOfItsOwnIsQuarantinedReportedAndNotRepointed() {
        discardSiteAfterwards();
        LabHost old = primary();
        act("cut off " + old.name(), () -> lab().cut(old.name()));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        answersAfterItsFence(old);
        String common = Databases.sql(old, "SELECT @@gtid_binlog_pos");
        act(
                "somebody writes on the old primary, past read_only",
                () -> Databases.sql(
                        old,
                        "SET GLOBAL rpl_semi_sync_master_enabled = 0; INSERT INTO shop.entry (id) VALUES (9000000000000)"));
        String extra = Databases.sql(old, "SELECT @@gtid_binlog_pos");
        act("heal it", () -> lab().heal(old.name()));
        eventually("it is reported", () -> events().contains("DM-06"));
        whileRequestsAreAnswered(500);
        assertThat(Databases.replicaField(old, "Master_Host"))
                .as("whom the old primary follows")
                .isEmpty();
        assertThat(Databases.sql(old, "SELECT @@read_only").strip()).isEqualTo("1");
        assertThat(Databases.sql(successor, "SELECT COUNT(*) FROM shop.entry WHERE id = 9000000000000")
                        .strip())
                .isEqualTo("0");
        assertThat(state().json().toString()).contains("quarantine");
        assertThat(primary().name()).isEqualTo(successor.name());
        isDecoded(old, extra);
        act("an operator undoes the row by hand and asks to look again", () -> {
            Databases.sql(old, """
                    SET sql_log_bin = 0; DELETE FROM shop.entry WHERE id = 9000000000000; SET sql_log_bin = 1;
                    RESET MASTER; SET GLOBAL gtid_slave_pos = '%s'
                    """.formatted(common));
            api().retry(PRIMARY);
        });
        siteBecomesWell();
        hasEveryAcknowledgedRow(old);
        clientsAreServed();
    }

    /// The event names the transaction and the file; the file and what the controller shows of it have the row.
    private void isDecoded(LabHost member, String gtid) {
        String file = "/var/lib/understudy/agent/diverged/shopdb-" + gtid + ".txt";
        assertThat(events()).contains("1 transaction: " + gtid + ", decoded in " + file);
        String shown = api().text("api/v1/diverged/shopdb/" + member.name()).orElseThrow();
        assertThat(shown).contains(file).contains("### INSERT INTO `shop`.`entry`");
        assertThat(member.run("cat", file).orThrow().output())
                .contains("### INSERT INTO `shop`.`entry`")
                .contains("@1=9000000000000");
        tell(gtid + " is decoded in " + file);
    }

    private static void inBackground(LabHost host, String sql) {
        host.run("sh", "-c", "mariadb -e '" + sql + "' </dev/null >/dev/null 2>&1 &");
    }
}
