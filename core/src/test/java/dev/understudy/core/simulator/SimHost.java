package dev.understudy.core.simulator;

import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A host of the site: machine, kernel, disk, its service, and its agent while that runs.
final class SimHost {

    /// About a minute in life, and a run is shorter.
    private static final long SETTINGS_AGAIN = 4 * Agenda.SECOND;

    final String name;
    final Machine machine;
    final Kernel kernel;
    final Disk disk = new Disk();
    final @Nullable SimDatabase database;
    Life powered = new Life();
    private final Site site;
    final SimCopies copies;
    private final Dice dice;
    private Observation.@Nullable Settings settings;
    private String settingsOf = "";
    private long settingsAt;
    private ServiceState balancer = ServiceState.RUNNING;
    private boolean hung;
    private @Nullable SimAgent agent;
    private int agents;

    SimHost(Site site, String name, double drift) {
        this.site = site;
        this.name = name;
        dice = new Dice(site.seed, "host " + name);
        machine = new Machine(name, site.agenda, dice, drift);
        kernel = new Kernel(machine, site.has(Mutation.S10_RENEWAL_REVIVES));
        database = name.startsWith("db") ? new SimDatabase(site, this, name.charAt(2) - '0') : null;
        copies = new SimCopies(site, this);
    }

    @Nullable
    SimAgent agent() {
        return agent;
    }

    boolean agentRuns() {
        return agent != null;
    }

    /// What it could hold.
    List<ResourceId> resources() {
        return database == null ? List.of(Site.ADDRESS) : List.of(Site.PRIMARY, Site.READER);
    }

    ServiceState service() {
        return database == null ? balancer : database.service();
    }

    void startAgent() {
        if (agent != null || !machine.on()) {
            return;
        }
        SimAgent next = new SimAgent(site, this, name + "-agent" + ++agents);
        agent = next;
        settings = null;
        copies.recover();
        machine.onThaw(next::thawed);
        next.start();
    }

    /// The process is gone; what it put into the kernel stays until its own deadline.
    void killAgent() {
        if (agent != null) {
            agent.life.end();
            agent = null;
        }
    }

    void killService() {
        if (database != null) {
            database.crash(ServiceState.ENDED);
        } else if (balancer == ServiceState.RUNNING) {
            balancer = ServiceState.ENDED;
            serviceEnded();
        }
    }

    void stopService() {
        if (database != null) {
            database.crash(ServiceState.STOPPED);
        } else if (balancer == ServiceState.RUNNING) {
            balancer = ServiceState.STOPPED;
            serviceEnded();
        }
    }

    void startService() {
        if (!machine.on()) {
            return;
        }
        if (database != null) {
            database.start();
        } else {
            hung = false;
            balancer = ServiceState.RUNNING;
            serviceStarted();
        }
    }

    /// HAProxy lives, accepts and answers nobody, until it is started again.
    void hangBalancer() {
        hung = database == null && balancer == ServiceState.RUNNING;
    }

    void powerOff() {
        if (!machine.on()) {
            return;
        }
        killAgent();
        powered.end();
        killService();
        if (database != null) {
            database.replica.powerLost();
            database.letEverybodyIn();
        }
        kernel.powerLost();
        machine.powerOff();
    }

    void powerOn() {
        if (machine.on()) {
            return;
        }
        machine.powerOn();
        powered = new Life();
        machine.later(dice.between(200, 1500), powered, this::startAgent);
        machine.later(dice.between(200, 2500), powered, this::startService);
    }

    void serviceEnded() {
        site.serviceDown(this);
        tellAgent(SimAgent::serviceEnded);
    }

    void serviceStarted() {
        site.witness.serviceUp(this);
        tellAgent(SimAgent::serviceStarted);
    }

    private void tellAgent(java.util.function.Consumer<SimAgent> what) {
        SimAgent now = agent;
        if (now != null) {
            machine.later(dice.between(1, 15), now.life, () -> now.task(() -> what.accept(now)));
        }
    }

    boolean hasBeside(Row row, SimDatabase asking) {
        return database != null && database != asking && (database.contains(row) || hasInRelayLog(row));
    }

    boolean hasInRelayLog(Row row) {
        return database != null && database.replica.relay().contains(row);
    }

    List<Observation> observe() {
        List<Observation> seen = new ArrayList<>();
        if (database != null) {
            seen.add(database.observe());
            seen.add(settings(database));
            seen.add(copies.observe());
        } else {
            Health health = balancer != ServiceState.RUNNING ? Health.DOWN : hung ? Health.UNKNOWN : Health.UP;
            seen.add(new Observation.Balancer("edge", balancer, health, 100, "hash", List.of(), ""));
        }
        for (ResourceId resource : resources()) {
            seen.add(new Observation.Address(resource, kernel.live(resource), true, true, ""));
        }
        for (SimHost other : site.hosts()) {
            if (other != this && (other.database == null) == (database == null)) {
                seen.add(new Observation.Peer(other.name, reach(other), ""));
            }
        }
        for (ResourceId resource : Site.RESOURCES) {
            if (database == null || !resource.equals(Site.ADDRESS)) {
                seen.add(new Observation.Path(resource, path(resource), ""));
            }
        }
        return seen;
    }

    /// Read when the server is seen to have started, and now and then; what was read last stands when it is gone.
    private Observation.Settings settings(SimDatabase server) {
        Observation.Settings known = settings;
        boolean again =
                known == null || !settingsOf.equals(server.run()) || site.agenda.now() - settingsAt > SETTINGS_AGAIN;
        if (known == null || (again && server.up())) {
            known = server.settings();
            settings = known;
            settingsOf = server.run();
            settingsAt = site.agenda.now();
        }
        return known;
    }

    /// What would be seen of a service that has crashed.
    List<Observation> observeDead() {
        return List.of(
                database != null
                        ? database.observeDead()
                        : new Observation.Balancer("edge", ServiceState.ENDED, Health.DOWN, 0, "", List.of(), ""));
    }

    private Observation.Reach reach(SimHost other) {
        if (!other.machine.on() || !site.network.openBothWays(name, other.name)) {
            return Observation.Reach.SILENT;
        }
        return other.machine.frozen()
                ? Observation.Reach.HANGS
                : other.agentRuns() ? Observation.Reach.ANSWERS : Observation.Reach.REFUSES;
    }

    /// The resource through its address: whoever has it in its kernel answers, if its service does.
    private Observation.Reach path(ResourceId resource) {
        for (SimHost other : site.hosts()) {
            if (other.kernel.live(resource) && site.network.openBothWays(name, other.name)) {
                return other.machine.frozen() || other.hung
                        ? Observation.Reach.HANGS
                        : other.service() == ServiceState.RUNNING
                                ? Observation.Reach.ANSWERS
                                : Observation.Reach.REFUSES;
            }
        }
        return Observation.Reach.SILENT;
    }
}
