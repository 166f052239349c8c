package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.site.Wellness;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// Everything at any moment, while eight clients write. `-Dunderstudy.seed=N` repeats a torture's faults.
class TortureStory extends Story {

    private static final Duration LENGTH = Duration.ofMinutes(Boolean.getBoolean("understudy.long") ? 15 : 2);
    private static final Duration RECOVERY = Duration.ofMinutes(2);

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
        try (ManyWriters writers = ManyWriters.atFullSpeed(lab(), instruments().writer())) {
            int faults = new Torture(lab(), seed, controller, this::tell).run(LENGTH);
            writers.leaveOne(); // a member that was away does not catch up with all of them
            tell(faults + " faults are over");
            Wellness.repair(lab());
            Wellness.await(api(), RECOVERY, this::tell);
            clientsAreServed();
            assertThat(writers.acknowledged()).isGreaterThan(1000);
            writers.everythingIsEverywhere(this::tell);
        }
    }
}
