package dev.understudy.core.simulator;

import dev.understudy.core.Rebuild;
import dev.understudy.protocol.Observation.Finding;
import dev.understudy.protocol.Observation.Severity;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What goes wrong, and when it ends: chosen by the seed, one after another, overlapping at will; a seed can be
/// gentle or rough.
final class Faults {

    /// @param weight how often, relative to the others
    private record Fault(int weight, Runnable strike) {}

    private final Site site;
    private final Dice dice;
    private final List<Fault> faults;
    private final Operators operators;
    private final Life life = new Life();
    private final long pace;

    Faults(Site site) {
        this.site = site;
        dice = new Dice(site.seed, "faults");
        pace = dice.pick(List.of(600L, 1200L, 2500L, 5000L));
        site.actsFail = dice.chance(0.3) ? 0.1 : 0;
        operators = new Operators(site);
        NetworkFaults network = new NetworkFaults(site, this);
        faults = List.of(
                new Fault(12, this::serviceKilled),
                new Fault(5, this::serviceStopped),
                new Fault(3, this::balancerHangs),
                new Fault(10, this::hostFrozen),
                new Fault(8, this::powerCut),
                new Fault(8, this::agentKilled),
                new Fault(14, network::partition),
                new Fault(5, network::badWeather),
                new Fault(4, this::diskFull),
                new Fault(7, this::lag),
                new Fault(5, this::settings),
                new Fault(5, this::inTheMiddleOfARebuild),
                new Fault(6, this::controllerCrash),
                new Fault(5, this::controllerCrashesAtACommit),
                new Fault(5, this::controllerFrozen),
                new Fault(6, this::newLeader),
                new Fault(3, this::quorumLost),
                new Fault(6, this::agentStoppedWithoutAController),
                new Fault(15, operators::act));
    }

    void begin() {
        site.agenda.in(dice.chance(0.2) ? 0 : dice.millis(3000, 7000), this::next);
        site.agenda.in(500 * Agenda.MILLI, this::elect);
    }

    private void next() {
        if (!life.alive()) {
            return;
        }
        int total = faults.stream().mapToInt(Fault::weight).sum();
        int mark = dice.below(total);
        for (Fault fault : faults) {
            mark -= fault.weight;
            if (mark < 0) {
                fault.strike.run();
                break;
            }
        }
        site.agenda.in(dice.millis(pace / 4, pace * 2), this::next);
    }

    /// Everything is repaired; nothing new goes wrong.
    void end() {
        life.end();
        site.actsFail = 0;
        site.tell(() -> "---- faults off");
        site.network.healAll();
        for (SimHost host : site.hosts()) {
            host.disk.fill(false);
            host.machine.thaw();
            host.powerOn();
            if (host.database != null) {
                host.database.replica.slowUntil(0);
                host.database.findings(List.of());
            }
            host.machine.later(300, host.powered, host::startService);
            host.machine.later(300, host.powered, host::startAgent);
        }
        for (SimController controller : site.controllers) {
            controller.machine.thaw();
            controller.loseQuorum(false);
            controller.start();
        }
    }

    void tell(String what) {
        site.tell(() -> "FAULT " + what);
    }

    /// After a time that the dice choose, unless the faults are over by then (all is repaired then).
    void until(long lowMillis, long highMillis, Runnable end) {
        site.agenda.in(dice.millis(lowMillis, highMillis), () -> {
            if (life.alive()) {
                end.run();
            }
        });
    }

    /// A holder more often than not: that is where it hurts.
    SimHost anyHost() {
        String holder = dice.chance(0.5) ? site.journaledHolder(dice.pick(Site.RESOURCES)) : null;
        return site.host(holder != null ? holder : dice.pick(site.names));
    }

    private void serviceKilled() {
        SimHost host = anyHost();
        tell("the service of " + host.name + " is killed");
        host.killService();
        until(300, dice.chance(0.5) ? 2000 : 20_000, host::startService);
    }

    private void serviceStopped() {
        SimHost host = anyHost();
        tell("the service of " + host.name + " is stopped");
        host.stopService();
        until(300, 15_000, host::startService);
    }

    private void balancerHangs() {
        SimHost host = site.host(dice.pick(site.balancers));
        tell("HAProxy of " + host.name + " hangs");
        host.hangBalancer();
        until(500, 12_000, host::startService);
    }

    private void hostFrozen() {
        SimHost host = anyHost();
        tell(host.name + " freezes");
        host.machine.freeze();
        until(50, dice.chance(0.5) ? 2500 : 9000, host.machine::thaw);
    }

    private void powerCut() {
        SimHost host = anyHost();
        tell(host.name + " loses power");
        host.powerOff();
        until(500, 15_000, host::powerOn);
    }

    private void agentKilled() {
        SimHost host = anyHost();
        tell("the agent of " + host.name + " is killed");
        host.killAgent();
        until(20, dice.chance(0.5) ? 1500 : 10_000, host::startAgent);
    }

    private void diskFull() {
        SimHost host = anyHost();
        tell("the disk of " + host.name + " is full");
        host.disk.fill(true);
        until(300, 8000, () -> host.disk.fill(false));
    }

    private void lag() {
        SimDatabase database = site.database(dice.pick(Site.DATABASES));
        tell(database.host.name + " applies nothing for a while");
        database.replica.slowUntil(site.agenda.now() + dice.millis(500, dice.chance(0.7) ? 9000 : 16_000));
    }

    /// Somebody sets a server up so that it must not be promoted, or not quite as it should be; and mends it again.
    private void settings() {
        SimDatabase database = site.database(dice.pick(Site.DATABASES));
        Severity severity = dice.chance(0.75) ? Severity.BLOCKS : Severity.WARNS;
        tell("the settings of " + database.host.name + " are changed: " + severity);
        database.findings(List.of(new Finding("LOG_SLAVE_UPDATES", severity, "OFF instead of ON")));
        until(500, 12_000, () -> database.findings(List.of()));
    }

    /// One of those who take part goes away; if there is none, a rebuild is asked for.
    private void inTheMiddleOfARebuild() {
        Rebuild rebuild = site.journal
                .journaled()
                .operations()
                .rebuild(Site.PRIMARY.group())
                .orElse(null);
        if (rebuild == null) {
            operators.rebuild();
            until(200, 7000, this::inTheMiddleOfTheRebuild);
            return;
        }
        inTheMiddleOf(rebuild);
    }

    private void inTheMiddleOfTheRebuild() {
        site.journal.journaled().operations().rebuild(Site.PRIMARY.group()).ifPresent(this::inTheMiddleOf);
    }

    private void inTheMiddleOf(Rebuild rebuild) {
        String donor = rebuild.donor();
        SimHost host = site.host(donor == null || dice.chance(0.5) ? rebuild.host() : donor);
        tell("in the middle of " + rebuild + ", " + host.name + " or a controller");
        switch (dice.below(6)) {
            case 4 -> operators.cancelRebuild();
            case 0 -> {
                host.powerOff();
                until(500, 15_000, host::powerOn);
            }
            case 1 -> {
                host.killAgent();
                until(20, 5000, host::startAgent);
            }
            case 2 -> {
                host.killService();
                until(300, 8000, host::startService);
            }
            case 3 -> controllerCrashesAtACommit();
            default -> {
                SimController leader = site.journal.leader();
                if (leader != null) {
                    leader.crash();
                    until(200, 8000, leader::start);
                }
            }
        }
    }

    private void controllerCrash() {
        SimController controller = dice.pick(site.controllers);
        tell(controller.name + " is killed");
        controller.crash();
        until(200, 8000, controller::start);
    }

    private void controllerCrashesAtACommit() {
        SimController leader = site.leader();
        if (leader != null) {
            tell(leader.name + " is going to crash between a commit and what follows from it");
            leader.crashAfter(1 + dice.below(5));
        }
    }

    private void controllerFrozen() {
        SimController controller = dice.pick(site.controllers);
        tell(controller.name + " freezes");
        controller.machine.freeze();
        until(100, 6000, controller.machine::thaw);
    }

    private void quorumLost() {
        SimController controller = dice.pick(site.controllers);
        tell(controller.name + " is cut off from the other controllers");
        controller.loseQuorum(true);
        until(200, 6000, () -> controller.loseQuorum(false));
    }

    /// An agent is stopped cleanly, for an upgrade or for longer, while no controller runs. Other faults go on.
    private void agentStoppedWithoutAController() {
        SimHost host = site.host(dice.pick(site.names));
        tell("no controller runs, and the agent of " + host.name + " is stopped cleanly");
        site.controllers.forEach(SimController::crash);
        long away = dice.between(200, dice.chance(0.5) ? 2000 : 12_000);
        until(500, 4000, () -> Operators.stopAgent(host, away));
        until(2500, 15_000, () -> site.controllers.forEach(SimController::start));
    }

    /// Leadership moves by itself; the old leader hears of it later.
    private void newLeader() {
        SimController old = site.journal.leader();
        SimController next = other(old);
        if (old != null && next != null) {
            replace(old, next);
        }
    }

    private @Nullable SimController other(@Nullable SimController old) {
        List<SimController> able = new ArrayList<>(site.controllers);
        able.removeIf(c -> c == old || !c.running() || !c.machine.running() || c.quorumLost());
        return able.isEmpty() ? null : dice.pick(able);
    }

    private void replace(SimController old, SimController next) {
        long oldTerm = site.journal.term();
        long term = site.journal.elect(next);
        tell(next.name + " leads in term " + term + ", " + old.name + " may not know yet");
        site.agenda.in(dice.millis(1, 300), () -> {
            if (site.journal.leader() == next && site.journal.term() == term) {
                next.lead(term);
            }
        });
        site.agenda.in(dice.millis(0, 4000), () -> {
            if (site.journal.leader() != old) {
                old.deposed(oldTerm);
            }
        });
    }

    /// A leader that does not work is replaced by one that does; goes on in the calm.
    private void elect() {
        SimController old = site.journal.leader();
        boolean fails = old == null || !old.running() || !old.machine.running() || old.quorumLost();
        SimController next = fails ? other(old) : null;
        if (old != null && next != null && dice.chance(0.6)) {
            replace(old, next);
        } else if (old != null && !fails && !old.believesItLeads()) {
            old.lead(site.journal.elect(old)); // it resigned when a commit failed
        }
        site.agenda.in(dice.millis(400, 900), this::elect);
    }
}
