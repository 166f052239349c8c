package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.core.State;
import dev.understudy.core.clock.ClockRate;
import dev.understudy.core.clock.ClockRate.Rate;

/// No alarm is raised about a clock: in a sound site all clocks agree within the bound, whatever happens to
/// messages, hosts and controllers. And what a controller knows of a clock's rate is true: the real one is within
/// it.
final class ClocksWithinTheBound implements Invariant {

    /// Clocks are read in whole nanoseconds.
    private static final double ROUNDING = 1e-5;

    @Override
    public void committed(Site site, SimController by, Journaled before, JournalEntry entry) {
        if (entry.event().situation().equals("CLOCK_DRIFT")) {
            throw new Violation(ClocksWithinTheBound.class, entry.event().describe());
        }
        check(site, by);
    }

    @Override
    public void ended(Site site) {
        site.controllers.forEach(controller -> check(site, controller));
    }

    private static void check(Site site, SimController controller) {
        State state = controller.state();
        if (state == null) {
            return;
        }
        state.hosts().forEach((host, view) -> {
            ClockRate.Halves halves = view.clock().halves();
            if (halves != null) {
                double real = site.host(host).machine.rate() / controller.machine.rate();
                contains(host, halves.earlier(), real);
                contains(host, halves.recent(), real);
            }
        });
    }

    private static void contains(String host, Rate known, double real) {
        if (known.lowest() > real + ROUNDING || known.highest() < real - ROUNDING) {
            throw new Violation(
                    ClocksWithinTheBound.class,
                    "the clock of " + host + " runs at " + real + ", and is thought to run at " + known);
        }
    }
}
