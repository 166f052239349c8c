package dev.understudy.core.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.simulator.Simulation.Result;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `when_isolated: keep`: an isolated holder goes on, another member takes its address, and soon after the network is
/// whole again one of them has it. Nothing else has two holders at any time ([OneHolder]).
class WhenIsolatedTest {

    private static final long UP = 14_000;
    private static final long ISOLATED = 12_000;

    /// To connect anew, be answered, give up, and for the kernel to follow.
    private static final long HEALED_WITHIN = 6_000;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void twoHoldersWhileIsolatedAndOneSoonAfter(long seed) {
        Site site = new Site(seed, null, false, Simulation.DRIFT);
        site.keepsWhenIsolated();
        Result result = Simulation.script(site, WhenIsolatedTest::isolatesTheHolder);
        assertThat(result.violation()).isEmpty();
        assertThat(site.duplicateSeen()).as("both answered meanwhile").isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void anAddressThatIsNotKeptNeverHasTwo(long seed) {
        Site site = new Site(seed, null, false, Simulation.DRIFT);
        Result result = Simulation.script(site, WhenIsolatedTest::isolatesTheHolder);
        assertThat(result.violation()).isEmpty();
        assertThat(site.duplicateSeen()).isFalse();
    }

    private static void isolatesTheHolder(Site site) {
        site.agenda.in(UP * Agenda.MILLI, () -> {
            String holder = String.valueOf(site.journaledHolder(Site.ADDRESS));
            for (String other : site.network.nodes()) {
                site.network.block(holder, other);
                site.network.block(other, holder);
            }
            site.duplicatesUntil(Long.MAX_VALUE);
            site.agenda.in(ISOLATED * Agenda.MILLI, () -> {
                site.network.healAll();
                site.duplicatesUntil(site.agenda.now() + HEALED_WITHIN * Agenda.MILLI);
            });
        });
    }
}
