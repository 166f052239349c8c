package dev.understudy.core.simulator;

/// An invariant does not hold: the run ends here.
final class Violation extends RuntimeException {

    private static final long serialVersionUID = 1;

    final String invariant;

    Violation(Class<? extends Invariant> invariant, String text) {
        super(text, null, false, false);
        this.invariant = invariant.getSimpleName();
    }
}
