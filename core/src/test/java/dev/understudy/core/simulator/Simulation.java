package dev.understudy.core.simulator;

import dev.understudy.protocol.TimingProfile;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One run of a seed: the site comes up, faults strike for a while, then all is repaired and the site has to come to
/// rest. Every invariant looks on after every event.
final class Simulation {

    /// Half of what two hosts' clocks may differ by, so that any two are within the bound.
    static final double DRIFT = TimingProfile.DRIFT * 0.49;

    private static final long REST = 2 * Agenda.SECOND;
    private static final long LOOK = 500 * Agenda.MILLI;

    /// What came of it.
    ///
    /// @param invariant the one that was violated, null for none
    /// @param person why a person is needed at the end, null if nobody is
    record Result(
            long seed,
            @Nullable String invariant,
            String violation,
            @Nullable String person,
            int acknowledged,
            long lostToCrashes,
            long journalEntries,
            long events,
            List<String> story) {
        boolean sound() {
            return invariant == null;
        }
    }

    private final Site site;
    private final Faults faults;
    private final Dice dice;
    private long events;

    private Simulation(Site site) {
        this.site = site;
        faults = new Faults(site);
        dice = new Dice(site.seed, "simulation");
    }

    static Result run(long seed) {
        return run(seed, null, false);
    }

    /// @param told whether the story is wanted (slower)
    static Result run(long seed, @Nullable Mutation mutation, boolean told) {
        Site site = new Site(seed, mutation, told, DRIFT);
        return new Simulation(site).run(null);
    }

    /// Runs a script of faults instead of the seed's own: for executions that chance finds too seldom.
    static Result script(long seed, @Nullable Mutation mutation, Consumer<Site> script, boolean told) {
        return new Simulation(new Site(seed, mutation, told, DRIFT)).run(script);
    }

    /// A script on a site that its maker has changed before it begins.
    static Result script(Site site, Consumer<Site> script) {
        return new Simulation(site).run(script);
    }

    private Result run(@Nullable Consumer<Site> script) {
        String invariant = null;
        String violation = "";
        try {
            site.begin();
            if (script == null) {
                faults.begin();
            } else {
                script.accept(site);
            }
            until(script == null ? dice.millis(12_000, 32_000) : 40 * Agenda.SECOND);
            faults.end();
            site.calmDown();
            rest();
            site.witness.ended();
        } catch (Violation e) {
            invariant = e.invariant;
            violation = String.valueOf(e.getMessage());
        } catch (RuntimeException e) {
            invariant = "NoErrorOfProgramming";
            violation = e + " at " + List.of(e.getStackTrace()).subList(0, Math.min(6, e.getStackTrace().length));
        }
        String said = invariant + ": " + violation;
        if (invariant != null) {
            site.tell(() -> "VIOLATION " + said);
        }
        return new Result(
                site.seed,
                invariant,
                violation,
                Converges.person(site),
                site.clients.acknowledged().size(),
                site.clients.lostToCrashes(),
                site.journal.journaled().entries(),
                events,
                site.story());
    }

    private void until(long end) {
        while (site.agenda.next(end)) {
            events++;
            site.witness.after();
        }
    }

    /// Until all has been well for a while, at most as long as [Converges] allows. After some time a person comes
    /// and repairs what was quarantined.
    private void rest() {
        long began = site.agenda.now();
        long wellSince = -1;
        boolean repaired = false;
        while (site.agenda.now() < began + Converges.WITHIN) {
            long now = site.agenda.now();
            until(now + LOOK);
            site.agenda.in(0, () -> {});
            boolean well = Converges.missing(site) == null;
            wellSince = well ? (wellSince < 0 ? now : wellSince) : -1;
            if (well && now - wellSince > REST) {
                return;
            }
            if (!repaired && !well && now - began > 25 * Agenda.SECOND && Converges.person(site) != null) {
                repaired = true;
                Operators.repair(site);
            }
        }
    }
}
