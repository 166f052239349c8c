package dev.understudy.lab.story;

import static dev.understudy.lab.site.Wellness.READER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Commands;
import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What can be the matter with a database that lives, told apart while eight clients write: only some of it is a
/// reason to move.
class TroubleStory extends Story {

    /// Requests: for longer than it takes to call a server hung.
    private static final int A_WHILE = 600;

    /// MariaDB that is started on a full disk looks for room again only after 60 s.
    private static final Duration LOOKS_AGAIN = Duration.ofMinutes(3);

    @Test
    @Fault("the disk of the primary full to the last byte while eight clients write; emptied later")
    void aPrimaryWithAFullDiskIsReplaced() {
        LabHost old = primary();
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            act("fill the disk of " + old.name(), old::fillDisk);
            LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
            assertThat(ownEvents()).contains("DB-85");
            clientsAreServed();
            act("make room again", () -> {
                old.emptyDisk();
                old.start(LabService.MARIADB);
            });
            siteBecomesWellWithin(LOOKS_AGAIN);
            assertThat(primary().name()).isEqualTo(successor.name());
            writers.everythingIsEverywhere(this::tell);
        }
    }

    /// Nothing stands still meanwhile: the old primary is well, and follows.
    @Test
    @Fault("32 MiB left on the disk of the primary, of which the file wants 48 (full_below), while eight clients write")
    void aPrimaryWhoseDiskIsAlmostFullIsReplacedBeforeAWriteFails() {
        LabHost old = primary();
        try (Amended _ = Amended.by(this, "    full_below: 48MiB\n");
                ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            long before = writesWithoutRoom(old);
            act("leave 32 MiB on the disk of " + old.name(), () -> old.fillDiskTo(32));
            LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
            assertThat(ownEvents()).contains("DB-85");
            clientsAreServed();
            assertThat(writesWithoutRoom(old)).isEqualTo(before);
            act("make room again", old::emptyDisk);
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(successor.name());
            writers.everythingIsEverywhere(this::tell);
        }
    }

    @Test
    @Fault("no connection left at the primary (error 1040) while eight clients write")
    void aPrimaryWithoutAFreeConnectionIsAlive() {
        LabHost primary = primary();
        long epoch = state().epoch(PRIMARY);
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            int before = writers.acknowledged();
            eventually("all write", () -> writers.acknowledged() > before + 200);
            act(
                    "max_connections = 10 for ten seconds",
                    () -> primary.run(
                            "sh",
                            "-c",
                            "mariadb -e 'SET GLOBAL max_connections = 10; DO SLEEP(10);"
                                    + " SET GLOBAL max_connections = 200' </dev/null >/dev/null 2>&1 &"));
            long from = System.nanoTime();
            eventually("nobody else is let in", () -> newcomersFailure().startsWith("1040"));
            eventually("that is noted", () -> ownEvents().contains("DB-92"));
            eventually("it is over", () -> newcomersFailure().isEmpty());
            siteBecomesWell();
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            assertThat(writesSince(from).firstFailure())
                    .as("writes of those that were in")
                    .isEmpty();
            writers.everythingIsEverywhere(this::tell);
        }
    }

    /// What the first write of a new client fails with, empty if it does not.
    private String newcomersFailure() {
        try (Writer late = Writer.start(host(Topology.WEB2.name()), Topology.WRITER_ADDRESS)) {
            Waiting.until(
                    "it has tried",
                    Duration.ofSeconds(20),
                    () -> late.timeline().size() > 0);
            return late.timeline().between(0, System.nanoTime()).firstFailure();
        }
    }

    @Test
    @Fault("the receivers of both replicas stopped by hand, in maintenance, while eight clients write")
    void commitsThatWaitForAnAcknowledgementMoveNothing() {
        long epoch = state().epoch(PRIMARY);
        List<LabHost> replicas = replicas();
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            int before = writers.acknowledged();
            eventually("all write", () -> writers.acknowledged() > before + 200);
            replicas.forEach(replica -> {
                understudy("maintenance", replica.name(), "on", "--move"); // it may serve the reads
                eventually(
                        replica.name() + " serves no reads",
                        () -> state().steady(READER) && !state().holder(READER).equals(Optional.of(replica.name())));
                act("stop the receiver of " + replica.name(), () -> Databases.sql(replica, "STOP SLAVE IO_THREAD"));
            });
            eventually("that is noted", () -> ownEvents().contains("DB-93"));
            long blocked = System.nanoTime();
            whileRequestsAreAnswered(A_WHILE);
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            assertThat(writesSince(blocked).attempts() - writesSince(blocked).failed())
                    .as("writes acknowledged without a replica")
                    .isZero();
            replicas.forEach(replica -> understudy("maintenance", replica.name(), "off"));
            clientsAreServed();
            siteBecomesWell();
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            writers.everythingIsEverywhere(this::tell);
        }
    }

    @Test
    @Fault("the receiver of one replica broken (wrong password), the applier of the other (duplicate key)")
    void brokenReplicationIsToldAndMovesNothing() {
        LabHost primary = primary();
        long epoch = state().epoch(PRIMARY);
        LabHost unconnected = replicas().getFirst();
        LabHost broken = replicas().getLast();
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            act("give the receiver of " + unconnected.name() + " a wrong password", () -> {
                Databases.sql(unconnected, "STOP SLAVE IO_THREAD");
                Databases.sql(unconnected, "STOP SLAVE; CHANGE MASTER TO MASTER_PASSWORD = 'wrong'; START SLAVE");
            });
            eventually(
                    "it is let in again",
                    () -> Databases.replicaField(unconnected, "Slave_IO_Running")
                            .equals("Yes"));
            siteBecomesWell();
            long row = Long.parseLong(Databases.sql(primary, "SELECT MAX(id) + 40 FROM shop.entry"));
            act(
                    "make the applier of " + broken.name() + " stop at a duplicate key",
                    () -> Databases.sql(
                            broken, "SET sql_log_bin = 0; INSERT INTO shop.entry (id) VALUES (" + row + ")"));
            eventually("that is noted", () -> ownEvents().contains("the applier of " + broken.name() + " stopped"));
            whileRequestsAreAnswered(A_WHILE);
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            act(
                    "an operator puts it right",
                    () -> Databases.sql(
                            broken,
                            "SET sql_log_bin = 0; DELETE FROM shop.entry WHERE id = " + row
                                    + "; START SLAVE SQL_THREAD"));
            siteBecomesWell();
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            writers.everythingIsEverywhere(this::tell);
        }
    }

    /// What the holder watch sees over loopback is a second writable server; its port is shut for clients.
    @Test
    @Fault("a replica promoted by hand while the primary lives")
    void aReplicaThatIsPromotedByHandIsFencedAndFollowsAgain() throws Exception {
        LabHost primary = primary();
        long epoch = state().epoch(PRIMARY);
        LabHost rival = replicas().getFirst();
        long from = System.nanoTime();
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            act("promote " + rival.name() + " by hand", () -> Databases.sql(rival, "STOP SLAVE; RESET SLAVE ALL"));
            Databases.sql(rival, "SET GLOBAL read_only = 0");
            eventually(
                    "it is fenced",
                    () -> Databases.sql(rival, "SELECT @@read_only").equals("1"));
            // by its own agent, before the controller has heard of it
            siteBecomesWell();
            assertThat(primary().name()).isEqualTo(primary.name());
            assertThat(state().epoch(PRIMARY)).isEqualTo(epoch);
            assertThat(writesSince(from).firstFailure()).isEmpty();
            writers.everythingIsEverywhere(this::tell);
        }
        instruments().holders().forget();
        whileRequestsAreAnswered(50);
    }

    private void understudy(String... words) {
        String[] line = new String[words.length + 1];
        line[0] = Checkout.find().cli();
        System.arraycopy(words, 0, line, 1, words.length);
        Commands.Result result = host(Topology.CTL1.name()).run(line);
        tell(result.output().strip());
        assertThat(result.exit()).as(result.output()).isZero();
    }

    /// What the server has told of in its life.
    private static long writesWithoutRoom(LabHost database) {
        return database.run("cat", "/var/log/mysql/error.log")
                .output()
                .lines()
                .filter(line -> line.contains("Disk is full") || line.contains("No space left"))
                .count();
    }
}
