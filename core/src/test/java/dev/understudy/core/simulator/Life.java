package dev.understudy.core.simulator;

/// One run of one process. What was planned for it does not happen once it has ended.
final class Life {

    private boolean over;

    boolean alive() {
        return !over;
    }

    void end() {
        over = true;
    }
}
