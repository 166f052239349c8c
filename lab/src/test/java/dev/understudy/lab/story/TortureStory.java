package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Wellness;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Everything at any moment, while eight clients write. `-Dunderstudy.seed=N` repeats a torture's faults.
class TortureStory extends Story {

    private static final Duration LENGTH = Duration.ofMinutes(Boolean.getBoolean("understudy.long") ? 15 : 2);
    private static final Duration RECOVERY = Duration.ofMinutes(2);
    private static final int MORE_WRITERS = 7;

    @Test
    @Fault("two minutes (fifteen with --long) of kills, restarts, freezes, power cuts and cuts of random hosts, seeded")
    void whateverFailsAndWhenNoAcknowledgedRowIsLost() {
        torture(false);
    }

    @Test
    @Fault("the same with the controller among the victims")
    void whateverFailsTheControllerTooNoAcknowledgedRowIsLost() {
        torture(true);
    }

    private void torture(boolean controller) {
        long seed = Long.getLong("understudy.seed", System.nanoTime() & 0xffff_ffffL);
        tell("seed " + seed);
        System.out.println("  torture with seed " + seed + " (-Dunderstudy.seed=" + seed + " repeats it)");
        var writers = new ArrayList<Writer>();
        try {
            for (int i = 0; i < MORE_WRITERS; i++) {
                writers.add(Writer.start(host(i % 2 == 0 ? "web1" : "web2"), Topology.WRITER_ADDRESS));
            }
            int faults = new Torture(lab(), seed, controller, this::tell).run(LENGTH);
            tell(faults + " faults are over");
            Wellness.repair(lab());
            Wellness.await(api(), RECOVERY);
            clientsAreServed();
        } finally {
            writers.forEach(Writer::close);
        }
        writers.add(instruments().writer());
        int rows = writers.stream().mapToInt(Writer::acknowledgedCount).sum();
        tell(rows + " rows were acknowledged");
        assertThat(rows).isGreaterThan(1000);
        for (LabHost database : Topology.DATABASES.stream().map(lab()::host).toList()) {
            for (Writer writer : writers) {
                Waiting.until(
                        database.name() + " has every acknowledged row",
                        RECOVERY,
                        () -> writer.missingOn(database).isEmpty());
            }
        }
        instruments().writer().close();
        List<String> sums = new ArrayList<>();
        Waiting.until("the tables are equal", RECOVERY, () -> {
            sums.clear();
            Topology.DATABASES.forEach(
                    plan -> sums.add(Databases.sql(lab().host(plan), "CHECKSUM TABLE shop.entry EXTENDED")));
            return sums.stream().distinct().count() == 1;
        });
        tell("the tables are equal: " + sums);
    }
}
