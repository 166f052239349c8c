package dev.understudy.core.simulator;

import dev.understudy.core.OperatorRequest;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.ResourceState.Quarantine;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// People: they ask for things at bad moments, and repair what was quarantined.
final class Operators {

    static final List<String> TOKENS = List.of("1".repeat(64), "2".repeat(64), "3".repeat(64));

    private final Site site;
    private final Dice dice;

    Operators(Site site) {
        this.site = site;
        dice = new Dice(site.seed, "operators");
    }

    void act() {
        switch (dice.below(18)) {
            case 0, 1, 2, 3 -> switchover();
            case 4 -> ask(new OperatorRequest.Retry(Site.PRIMARY));
            case 5, 6 -> otherMembers();
            case 7 -> plannedStop();
            case 8 -> plannedAgentRestart();
            case 9 -> repair(site);
            case 10, 11 -> failover();
            case 12 -> pause();
            case 13 -> maintenance();
            case 14, 15 -> rebuild();
            case 16 -> cancelRebuild();
            default -> fenced();
        }
    }

    private void ask(OperatorRequest request) {
        site.tell(() -> "OPERATOR asks " + request.getClass().getSimpleName());
        site.controllers.forEach(c -> c.ask(request));
    }

    private void switchover() {
        ResourceId resource = dice.pick(Site.RESOURCES);
        List<String> members = resource.equals(Site.ADDRESS) ? site.balancers : Site.DATABASES;
        String to = dice.chance(0.5) ? dice.pick(members) : null;
        site.tell(() -> "OPERATOR moves " + resource + " to " + to);
        ask(new OperatorRequest.Switchover(resource, to));
    }

    private void failover() {
        ResourceId resource = dice.pick(Site.RESOURCES);
        site.tell(() -> "OPERATOR replaces the holder of " + resource);
        ask(new OperatorRequest.Failover(resource, null));
    }

    private void pause() {
        String group = dice.chance(0.5) ? dice.pick(Site.RESOURCES).group() : null;
        Duration length = Duration.ofMillis(dice.between(500, 8000));
        site.tell(() -> "OPERATOR pauses " + group + " for " + length);
        ask(new OperatorRequest.Pause(group, length, ""));
        if (dice.chance(0.3)) {
            site.agenda.in(length.toNanos() / 2, () -> ask(new OperatorRequest.Resume(group)));
        }
    }

    private void maintenance() {
        String host = dice.pick(site.names);
        Duration length = Duration.ofMillis(dice.between(500, 8000));
        site.tell(() -> "OPERATOR takes " + host + " into maintenance for " + length);
        ask(new OperatorRequest.Maintenance(host, true, length, ""));
    }

    /// A member's data are to be replaced by a copy of another's, which is named or not.
    void rebuild() {
        String host = dice.pick(Site.DATABASES);
        String from = dice.chance(0.2) ? dice.pick(Site.DATABASES) : null;
        site.tell(() -> "OPERATOR has " + host + " rebuilt from " + from);
        ask(new OperatorRequest.Rebuild(Site.PRIMARY, host, from, null, TOKENS));
    }

    void cancelRebuild() {
        site.journal
                .journaled()
                .operations()
                .rebuild(Site.PRIMARY.group())
                .ifPresent(rebuild -> ask(new OperatorRequest.CancelRebuild(Site.PRIMARY, rebuild.host())));
    }

    /// Vouches for a host that is off in truth.
    private void fenced() {
        site.hosts().stream().filter(h -> !h.machine.on()).findFirst().ifPresent(off -> {
            site.tell(() -> "OPERATOR vouches that " + off.name + " is off");
            ask(new OperatorRequest.Fenced(off.name));
        });
    }

    /// A member is taken out of the database group, or put back.
    private void otherMembers() {
        if (site.databaseMembers().size() == Site.DATABASES.size()) {
            String gone = dice.pick(Site.DATABASES);
            if (gone.equals(site.journaledHolder(Site.PRIMARY))) {
                return;
            }
            site.databaseMembers(
                    Site.DATABASES.stream().filter(m -> !m.equals(gone)).toList());
        } else {
            site.databaseMembers(Site.DATABASES);
        }
        site.tell(() -> "OPERATOR applies members " + site.databaseMembers());
        ask(new OperatorRequest.Apply(site.spec(), ""));
    }

    private void plannedStop() {
        SimController leader = site.leader();
        if (leader != null) {
            leader.ask(new OperatorRequest.PlannedStop());
            site.agenda.in(dice.millis(20, 300), leader::crash);
            site.agenda.in(dice.millis(500, 6000), leader::start);
        }
    }

    private void plannedAgentRestart() {
        SimHost host = site.host(dice.pick(site.names));
        if (host.agentRuns()) {
            site.tell(() -> "OPERATOR restarts the agent of " + host.name);
            stopAgent(host, dice.between(200, 3000));
        }
    }

    /// SIGTERM. The agent asks for long leases and is stopped when it has them; otherwise it gives everything up
    /// first. Without a controller in reach it leaves standing consents. It is started again after the given time.
    static void stopAgent(SimHost host, long awayMillis) {
        SimAgent agent = host.agent();
        if (agent == null) {
            return;
        }
        agent.task(() -> {
            if (!agent.hearsAController()) {
                agent.consents.leave();
            }
            agent.restartNotice(30_000);
        });
        long wait = Math.max(1000, agent.timing().heartbeat().toMillis() * 3);
        host.machine.later(wait, agent.life, () -> {
            List<Lease> ending = agent.heldNow().stream()
                    .filter(l -> l.deadline().since(agent.now()).compareTo(Duration.ofSeconds(14)) <= 0)
                    .toList();
            if (ending.isEmpty()) {
                restart(host, agent, awayMillis);
            }
            AtomicInteger left = new AtomicInteger(ending.size());
            for (Lease lease : ending) {
                agent.release(lease.resource(), lease.epoch(), _ -> {
                    if (left.decrementAndGet() == 0) {
                        restart(host, agent, awayMillis);
                    }
                });
            }
        });
    }

    private static void restart(SimHost host, SimAgent agent, long awayMillis) {
        if (host.agent() == agent) {
            host.killAgent();
            host.machine.later(awayMillis, host.powered, host::startAgent);
        }
    }

    /// Members that were quarantined are seeded anew and looked at again; a plan that stopped is tried again.
    static void repair(Site site) {
        if (!site.journaledMembers().equals(Site.DATABASES)) {
            site.databaseMembers(Site.DATABASES);
            site.tell(() -> "OPERATOR puts every member back");
            site.controllers.forEach(c -> c.ask(new OperatorRequest.Apply(site.spec(), "")));
        }
        PrimaryState primary = site.primary();
        if (primary == null || primary.holder() == null) {
            return;
        }
        SimDatabase holder = site.database(primary.holder());
        if (primary.steady() && holder.canAcknowledge()) {
            for (Quarantine member : primary.quarantined()) {
                SimDatabase database = site.database(member.host());
                boolean rebuilt = site.journal.journaled().operations().isRebuilt(Site.PRIMARY.group(), member.host());
                if (!rebuilt
                        && database != holder
                        && database.host.machine.running()
                        && !database.host.kernel.live(Site.PRIMARY)) {
                    site.tell(() -> "OPERATOR seeds " + member.host() + " anew");
                    database.rebuild(holder);
                }
            }
        }
        site.controllers.forEach(c -> c.ask(new OperatorRequest.Retry(Site.PRIMARY)));
    }
}
