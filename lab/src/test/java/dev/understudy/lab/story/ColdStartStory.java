package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The whole site loses power (S25). `-Dunderstudy.seed=N` repeats an order of starting.
class ColdStartStory extends Story {

    private static final int LONGEST_PAUSE_MILLIS = 800;

    @Test
    @Fault("every host loses power while eight clients write; started in a random order, one database last of all")
    void afterAPowerCutNobodyIsPrimaryBeforeEveryDatabaseHasAnsweredAndNoRowIsLost() {
        Random random = seeded();
        String last = "db" + random.nextInt(1, Topology.DATABASES.size() + 1);
        if (!primary().name().equals(last)) {
            act("the primary moves to " + last, () -> api().switchover(PRIMARY, last));
            eventually(
                    last + " is the primary",
                    () -> state().steady(PRIMARY)
                            && state().holder(PRIMARY).stream().anyMatch(last::equals));
            siteBecomesWell();
        }
        try (ManyWriters writers = new ManyWriters(lab(), instruments().writer())) {
            int before = writers.acknowledged();
            eventually("all write", () -> writers.acknowledged() > before + 500);
            List<LabHost> hosts = new ArrayList<>(lab().hosts().stream()
                    .filter(host -> host.plan().kind() != Kind.CLIENT)
                    .toList());
            act("every host loses power", () -> atOnce(hosts));
            Collections.shuffle(hosts, random);
            LabHost missing = host("db" + random.nextInt(1, Topology.DATABASES.size() + 1));
            for (LabHost host : hosts) {
                if (!host.equals(missing)) {
                    act(host.name() + " has power again", host::powerOn);
                    Waiting.pass(Duration.ofMillis(random.nextInt(LONGEST_PAUSE_MILLIS)));
                }
            }
            int acknowledged = writers.acknowledged();
            eventually(
                    "the controller says that " + missing.name() + " is missing",
                    () -> api().state().isPresent()
                            && ownEvents().contains("positions are missing of [" + missing.name()));
            whileRequestsAreAnswered(300);
            assertThat(Topology.DATABASES.stream().map(lab()::host).filter(host -> !host.equals(missing)))
                    .allMatch(host -> Databases.sql(host, "SELECT @@read_only").equals("1"));
            assertThat(writers.acknowledged()).as("rows acknowledged").isEqualTo(acknowledged);

            act(missing.name() + " has power again", missing::powerOn);
            siteBecomesWell();
            clientsAreServed();
            tell(primary().name() + " is the primary");
            theLastHolderWasChosenIfItHadEverything(last);
            writers.everythingIsEverywhere(this::tell);
        }
    }

    /// The cables go first, then all processes of all hosts: as near to one moment as can be.
    private static void atOnce(List<LabHost> hosts) {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            CompletableFuture.allOf(hosts.stream()
                            .map(host -> CompletableFuture.runAsync(host::powerOff, threads))
                            .toArray(CompletableFuture<?>[]::new))
                    .join();
        }
    }

    private void theLastHolderWasChosenIfItHadEverything(String last) {
        JsonNode choice = api().events(200).stream()
                .filter(event -> event.path("row").asString("").equals("DB-56"))
                .reduce((_, later) -> later)
                .orElseThrow();
        tell("the choice: " + choice.path("candidates"));
        choice.path("candidates").forEach(candidate -> {
            boolean equal = candidate.path("eligible").asBoolean(false)
                    && candidate.path("reason").asString("").matches("received (\\S+), applied \\1");
            if (candidate.path("host").asString("").equals(last) && equal) {
                assertThat(choice.path("candidates").get(0).path("host").asString(""))
                        .isEqualTo(last);
            }
        });
    }

    private Random seeded() {
        long seed = Long.getLong("understudy.seed", System.nanoTime() & 0xffff_ffffL);
        tell("seed " + seed);
        System.out.println("  cold start with seed " + seed + " (-Dunderstudy.seed=" + seed + " repeats it)");
        return new Random(seed);
    }
}
