package dev.understudy.core.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.simulator.Simulation.Result;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Takes each rule out and shows that an invariant fires, and shows that each invariant can. Some executions are too
/// rare for chance: those have a script ([Scripts]), over many seeds.
@Execution(ExecutionMode.CONCURRENT)
class MutationTest {

    private static final int SEEDS = 600;
    private static final long FROM = 1_000_000;

    /// Which invariant says so first, where only one is the point of the mutation.
    private static final Map<Mutation, String> MEANT = new EnumMap<>(Map.of(
            Mutation.S1_COUNTS_FROM_RECEIVING, "OneHolder",
            Mutation.S4_NEW_LEADER_DOES_NOT_WAIT, "OneHolder",
            Mutation.S8_NO_CHECK_AFTER_A_GAP, "NoStaleCommandApplied",
            Mutation.S11_PORT_WITHOUT_GATE, "OneAcknowledgingPrimary",
            Mutation.S2_OBEYS_STALE_ORDERS, "NoStaleCommandApplied",
            Mutation.S14_AN_ACKER_IS_LEFT_OUT, "NoAcknowledgedWriteLost",
            Mutation.S22_OLD_JOURNAL_IS_BELIEVED, "EpochsRise",
            Mutation.ACTS_WITHOUT_A_ROW, "NoFailoverWithoutDiagnosis",
            Mutation.CLEAN_STOP_IS_NOT_WAITED_FOR, "HoldDownsRespected",
            Mutation.ORDERS_ARE_IGNORED_IN_THE_CALM, "Converges"));

    static {
        MEANT.put(Mutation.READER_STAYS_WITH_THE_UNFIT, "ReadsAreServed");
        MEANT.put(Mutation.READER_LAG_IS_HIDDEN, "ReadsAreServed");
        MEANT.put(Mutation.READER_GOES_AT_ONCE, "ReadersRest");
        MEANT.put(Mutation.LINT_IS_NOT_LOOKED_AT, "NoUnfitPromoted");
        MEANT.put(Mutation.REBUILD_BEGINS_WITH_AN_ACKER, "RebuildsApart");
        MEANT.put(Mutation.REBUILD_WITHOUT_QUARANTINE, "RebuildsApart");
        MEANT.put(Mutation.REBUILD_LOADS_THE_PRIMARY, "RebuildsApart");
        MEANT.put(Mutation.REBUILD_WAITS_FOR_A_DEAD_DONOR, "Converges");
        MEANT.put(Mutation.REBUILD_STOPS_WRITES, "RebuildsApart");
        MEANT.put(Mutation.REBUILD_DROPS_WHAT_IT_ALONE_HAS, "NoOnlyCopyThrownAway");
        MEANT.put(Mutation.S14_PROMOTED_BEFORE_ALL_IS_FETCHED, "NoAcknowledgedWriteLost");
        MEANT.put(Mutation.S14_SAYS_WHAT_ITS_DONOR_HAS, "NoAcknowledgedWriteLost");
        MEANT.put(Mutation.A_CLOCK_IS_TOO_FAST, "ClocksWithinTheBound");
        MEANT.put(Mutation.A_CLOCK_IS_TOO_SLOW, "ClocksWithinTheBound");
    }

    @ParameterizedTest
    @EnumSource(Mutation.class)
    void aRuleThatIsTakenOutIsMissed(Mutation mutation) {
        String meant = MEANT.get(mutation);
        int seeds = 1;
        Result found = run(FROM, mutation, mutation);
        while (seeds < SEEDS && (found.sound() || (meant != null && !meant.equals(found.invariant())))) {
            found = run(FROM + seeds++, mutation, mutation);
        }
        assertThat(found.sound())
                .as("%s is not noticed within %d seeds", mutation, SEEDS)
                .isFalse();
        System.out.printf(
                "mutation %s: %s after %d seeds%s%n",
                mutation, found.invariant(), seeds, Scripts.ALL.containsKey(mutation) ? " of its script" : "");
        if (meant != null) {
            assertThat(found.invariant()).as(found.violation()).isEqualTo(meant);
        }
    }

    @ParameterizedTest
    @EnumSource(Mutation.class)
    void itsScriptAloneViolatesNothing(Mutation mutation) {
        if (!Scripts.ALL.containsKey(mutation)) {
            return;
        }
        Map<Long, String> violations = new TreeMap<>();
        for (long seed = FROM; seed < FROM + 25; seed++) {
            Result result = run(seed, null, mutation);
            if (!result.sound()) {
                violations.put(seed, result.invariant() + ": " + result.violation());
            }
        }
        assertThat(violations).isEmpty();
    }

    @Test
    void everyInvariantIsMeantByAMutation() {
        assertThat(MEANT.values().stream().collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(
                        "OneHolder",
                        "OneAcknowledgingPrimary",
                        "EpochsRise",
                        "NoStaleCommandApplied",
                        "NoAcknowledgedWriteLost",
                        "NoFailoverWithoutDiagnosis",
                        "HoldDownsRespected",
                        "ClocksWithinTheBound",
                        "ReadsAreServed",
                        "ReadersRest",
                        "NoUnfitPromoted",
                        "RebuildsApart",
                        "NoOnlyCopyThrownAway",
                        "Converges");
    }

    private static Result run(long seed, @Nullable Mutation mutation, Mutation script) {
        return Scripts.ALL.containsKey(script)
                ? Simulation.script(seed, mutation, Scripts.ALL.get(script), false)
                : Simulation.run(seed, mutation, false);
    }
}
