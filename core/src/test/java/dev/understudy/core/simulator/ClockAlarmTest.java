package dev.understudy.core.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.simulator.Simulation.Result;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A host whose clock runs by half more than the bound too fast or too slow: the alarm is raised, soon when nothing
/// else goes wrong, and in spite of all faults. That it never is without reason, every seed of the simulator shows
/// ([ClocksWithinTheBound]).
class ClockAlarmTest {

    private static final int SEEDS = 40;

    @ParameterizedTest
    @EnumSource(names = {"A_CLOCK_IS_TOO_FAST", "A_CLOCK_IS_TOO_SLOW"})
    void isRaisedWithinFortySecondsWhenNothingElseIsWrong(Mutation clock) {
        List<String> silent = new ArrayList<>();
        for (long seed = 1; seed <= SEEDS; seed++) {
            Result result = Simulation.script(seed, clock, _ -> {}, false);
            if (!"ClocksWithinTheBound".equals(result.invariant())) {
                silent.add("seed " + seed + ": " + result.invariant() + " " + result.violation());
            } else {
                assertThat(result.violation())
                        .contains(clock == Mutation.A_CLOCK_IS_TOO_FAST ? " faster than" : " slower than");
            }
        }
        assertThat(silent).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"A_CLOCK_IS_TOO_FAST", "A_CLOCK_IS_TOO_SLOW"})
    void isRaisedAmongAllFaults(Mutation clock) {
        int raised = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            Result result = Simulation.run(seed, clock, false);
            raised += "ClocksWithinTheBound".equals(result.invariant()) ? 1 : 0;
        }
        // the rest came to rest before there was enough to see
        assertThat(raised).isGreaterThan(SEEDS / 2);
    }
}
