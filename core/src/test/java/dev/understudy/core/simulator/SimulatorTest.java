package dev.understudy.core.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.simulator.Simulate.Batch;
import dev.understudy.core.simulator.Simulation.Result;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A bounded batch of seeds in every build; `./simulate` runs any range.
class SimulatorTest {

    private static final int SEEDS = Integer.getInteger("understudy.seeds", 2000);

    @Test
    void noInvariantIsViolated() throws InterruptedException {
        Batch batch = Simulate.batch(SEEDS, 1, System.out::println);
        assertThat(batch.violations().values().stream()
                        .map(r -> "./simulate --seed " + r.seed() + ": " + r.invariant() + ": " + r.violation()))
                .isEmpty();
        assertThat(batch.seeds()).isEqualTo(SEEDS);
        // the runs are worth something: rows were acknowledged, and nearly all came to rest without a person
        assertThat(batch.acknowledged()).isGreaterThan(SEEDS * 10L);
        assertThat(batch.persons().values().stream().mapToLong(Long::longValue).sum())
                .isLessThan(SEEDS / 20);
    }

    @Test
    void theSameSeedTellsTheSameStory() {
        for (long seed : List.of(7L, 0x8000_0000_0000_0001L, -3L)) {
            Result one = Simulation.run(seed, null, true);
            Result other = Simulation.run(seed, null, true);
            assertThat(one.story()).hasSizeGreaterThan(20).isEqualTo(other.story());
            assertThat(one.events()).isEqualTo(Simulation.run(seed).events());
        }
    }

    @Test
    void seedsAreSixtyFourBitNumbers() {
        assertThat(Simulate.number("0xffffffffffffffff")).isEqualTo(-1L);
        assertThat(Simulate.number("18446744073709551615")).isEqualTo(-1L);
        assertThat(Simulate.number("-1")).isEqualTo(-1L);
        assertThat(Simulate.number("12")).isEqualTo(12L);
        assertThat(Simulate.number("18446744073709551616")).isNull();
        assertThat(Simulate.number("twelve")).isNull();
    }
}
