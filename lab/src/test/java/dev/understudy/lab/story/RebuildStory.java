package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// A member's data are replaced by a copy of another member's, on a site that is written to.
class RebuildStory extends Story {

    private static final String DATA = "/var/lib/mysql";
    private static final String GROUP = Topology.DATABASE_GROUP;

    @Test
    @Fault("an old primary with transactions of its own is rebuilt while eight clients write")
    void aDivergedMemberIsRebuiltFromAReplicaUnderWrites() {
        LabHost old = primary();
        String ownership = ownership(old);
        act("cut off " + old.name(), () -> lab().cut(old.name()));
        LabHost successor = becomesHolderInsteadOf(old, PRIMARY);
        answersAfterItsFence(old);
        act(
                "somebody writes on the old primary, past read_only",
                () -> Databases.sql(
                        old,
                        "SET GLOBAL rpl_semi_sync_master_enabled = 0;"
                                + " INSERT INTO shop.entry (id) VALUES (9000000000001)"));
        act("heal it", () -> lab().heal(old.name()));
        eventually(
                "it is quarantined",
                () -> state().quarantined(PRIMARY).stream().anyMatch(q -> q.startsWith(old.name())));
        LabHost replica = replicas().stream()
                .filter(host -> !host.name().equals(old.name()))
                .findFirst()
                .orElseThrow();
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            eventually("eight clients write", () -> writers.acknowledged() > 200);
            long epoch = state().epoch(PRIMARY);
            int before = writers.acknowledged();
            long read = copiesIn(successor);
            long given = copiesIn(replica);
            act("rebuild " + old.name(), () -> api().rebuild(GROUP, old.name(), ""));
            eventually("it is rebuilt", () -> ownEvents().contains("RB-32"));
            assertThat(writers.acknowledged()).as("writes went on").isGreaterThan(before);
            siteBecomesWell();
            assertThat(state().quarantined(PRIMARY)).isEmpty();
            assertThat(state().epoch(PRIMARY)).as("the primary was left alone").isEqualTo(epoch);
            assertThat(primary().name()).isEqualTo(successor.name());
            assertThat(copiesIn(successor))
                    .as("nothing was read from the primary")
                    .isEqualTo(read);
            assertThat(copiesIn(replica)).as("the replica gave the copy").isEqualTo(given + 1);
            writers.everythingIsEverywhere(this::tell);
        }
        assertThat(ownEvents()).contains("and is rebuilt from " + replica.name());
        eventually("the old data are removed", () -> leftOn(old).isEmpty());
        assertThat(ownership(old)).isEqualTo(ownership);
        for (LabHost host : Topology.DATABASES.stream().map(lab()::host).toList()) {
            assertThat(Databases.sql(host, "SELECT COUNT(*) FROM shop.entry WHERE id = 9000000000001"))
                    .isEqualTo("0");
        }
    }

    @Test
    @Fault("a rebuild is cancelled halfway; in the next one the receiver's agent is killed halfway")
    void aRebuildIsWatchedCancelledAndSurvivesItsAgent() {
        LabHost member = replicas().getFirst();
        act("rebuild " + member.name() + " slowly", () -> api().rebuild(GROUP, member.name(), "4M"));
        eventually("its progress is told", () -> percent() > 0);
        assertThat(state().ackers(PRIMARY)).doesNotContain(member.name());
        tell(rebuild().path("text").asString(""));
        act("cancel it", () -> api().cancelRebuild(GROUP, member.name()));
        siteBecomesWell();
        assertThat(ownEvents()).contains("RB-42").doesNotContain("RB-12");
        assertThat(leftOn(member)).isEmpty();

        act("rebuild it again", () -> api().rebuild(GROUP, member.name(), "8M"));
        eventually("its progress is told", () -> percent() > 0);
        act("kill its agent", () -> member.kill(LabService.AGENT));
        act("start it again", () -> member.start(LabService.AGENT));
        eventually("it is begun again from nothing", () -> ownEvents().contains("RB-13"));
        eventually("it is rebuilt", () -> ownEvents().contains("RB-32"));
        siteBecomesWell();
        hasEveryAcknowledgedRow(member);
        clientsAreServed();
    }

    private static String ownership(LabHost host) {
        return host.run("stat", "-c", "%U:%G %a", DATA).orThrow().output().strip();
    }

    /// What rebuilds keep in a data folder that is a mount point, as those of the lab are.
    private static List<String> leftOn(LabHost host) {
        return host.run("ls", "-A", DATA)
                .orThrow()
                .output()
                .lines()
                .filter(name -> name.startsWith(".understudy") || name.equals("understudy-copy"))
                .filter(name -> !name.equals(".understudy-probe")) // of the look at the disk
                .toList();
    }

    private JsonNode rebuild() {
        return state().resource(PRIMARY).orElseThrow().path("rebuild");
    }

    private int percent() {
        return rebuild().path("percent").asInt(-1);
    }

    /// Copies that the host has begun to give or to receive, by its agent's log.
    private static long copiesIn(LabHost host) {
        return host.run("cat", "/var/log/understudy/agent.log")
                .orThrow()
                .output()
                .lines()
                .filter(line -> line.contains("event=copy-begins"))
                .count();
    }
}
