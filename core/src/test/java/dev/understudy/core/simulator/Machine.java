package dev.understudy.core.simulator;

import dev.understudy.protocol.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// A computer: its monotonic clock with an origin and a rate of its own, and whether its processes run. While it is
/// frozen its kernel lives (time passes, elements end), and what its processes were to do waits, in order.
final class Machine {

    final String name;
    private final Agenda agenda;
    private final Dice dice;
    private double rate;
    private long origin;
    private long bootedAt;
    private int boot;
    private boolean on = true;
    private boolean frozen;
    private Runnable thawed = () -> {};
    private List<Runnable> waiting = new ArrayList<>();

    /// @param drift how much its clock may be fast or slow
    Machine(String name, Agenda agenda, Dice dice, double drift) {
        this.name = name;
        this.agenda = agenda;
        this.dice = dice;
        this.rate = dice.real(1 - drift, 1 + drift);
        powerOn();
    }

    /// Seconds of its clock in a true one.
    double rate() {
        return rate;
    }

    /// Before anything happens.
    void rate(double other) {
        rate = other;
    }

    /// CLOCK_MONOTONIC.
    Moment now() {
        return new Moment(origin + (long) ((agenda.now() - bootedAt) * rate));
    }

    String bootId() {
        return name + "-boot" + boot;
    }

    boolean on() {
        return on;
    }

    boolean frozen() {
        return frozen;
    }

    /// Whether its processes run now.
    boolean running() {
        return on && !frozen;
    }

    /// What is done first when the machine thaws.
    void onThaw(Runnable first) {
        thawed = first;
    }

    /// A process does this now, or as soon as it runs again; never if it has ended by then.
    void run(Life life, Runnable what) {
        if (!on || !life.alive()) {
            return;
        }
        if (frozen) {
            waiting.add(() -> run(life, what));
        } else {
            what.run();
        }
    }

    /// A process does this after some time of its own clock.
    void later(Duration delay, Life life, Runnable what) {
        agenda.in((long) (delay.toNanos() / rate), () -> run(life, what));
    }

    void later(long millis, Life life, Runnable what) {
        later(Duration.ofMillis(millis), life, what);
    }

    void freeze() {
        frozen = true;
    }

    void thaw() {
        if (!frozen) {
            return;
        }
        frozen = false;
        List<Runnable> due = waiting;
        waiting = new ArrayList<>();
        if (on) {
            thawed.run();
            due.forEach(Runnable::run);
        }
    }

    /// All processes are gone; the owner ends their lives.
    void powerOff() {
        on = false;
        frozen = false;
        waiting.clear();
    }

    void powerOn() {
        on = true;
        boot++;
        bootedAt = agenda.now();
        origin = dice.millis(0, 100_000_000);
    }
}
