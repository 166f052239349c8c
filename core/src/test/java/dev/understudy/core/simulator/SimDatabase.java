package dev.understudy.core.simulator;

import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ServiceState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A model of MariaDB with GTIDs and semi-synchronous replication: the binary log that survives, the commits that
/// wait for an acknowledgement (AFTER_SYNC, without a time-out), what a crash takes away (S16), read-only after
/// each start. Its replica half is [SimReplica]. FACTS.md and SAFETY.md S14–S20 say what is modelled.
final class SimDatabase {

    /// A commit whose row is in the binary log and which waits for an acknowledgement.
    record Commit(Row row, long at, Runnable acknowledge) {}

    /// Commits that have waited for less are nothing to talk about.
    private static final long WAITING = Agenda.SECOND;

    final SimHost host;
    final int serverId;
    final SimReplica replica;
    private final Site site;
    private final Dice dice;
    private final List<Row> binlog = new ArrayList<>();
    private final List<Commit> waiting = new ArrayList<>();
    private final List<Dump> dumps = new ArrayList<>();
    private final Set<SimDatabase> shutOut = new HashSet<>();
    private ServiceState service = ServiceState.RUNNING;
    private Life life = new Life();
    private int run = 1;
    private boolean readOnly = true;
    private boolean semiSync;
    private int fences;
    private int firstOfThisRun;
    private long unacknowledged;
    private boolean beating;
    private @Nullable Row lastBeat;
    private List<Observation.Finding> findings = List.of();
    private String claimed = "";

    SimDatabase(Site site, SimHost host, int serverId) {
        this.site = site;
        this.host = host;
        this.serverId = serverId;
        this.dice = new Dice(site.seed, "database " + host.name);
        this.replica = new SimReplica(site, this);
    }

    ServiceState service() {
        return service;
    }

    Life life() {
        return life;
    }

    boolean up() {
        return service == ServiceState.RUNNING && host.machine.on();
    }

    boolean readOnly() {
        return readOnly;
    }

    boolean semiSync() {
        return semiSync;
    }

    int waitingCommits() {
        return waiting.size();
    }

    int fences() {
        return fences;
    }

    List<Row> binlog() {
        return binlog;
    }

    List<Dump> dumps() {
        return dumps;
    }

    @Nullable
    Row last() {
        return binlog.isEmpty() ? null : binlog.getLast();
    }

    /// Tells of another one's position as its own until it is open.
    void claim(@Nullable SimDatabase other) {
        claimed = other == null ? "" : other.position();
    }

    String position() {
        if (!claimed.isEmpty()) {
            return claimed;
        }
        Row last = last();
        return last == null ? "" : last.gtid();
    }

    String run() {
        boolean hidden = site.has(Mutation.S16_RESTART_IS_BELIEVED) || site.has(Mutation.S15_RESTART_IS_NOT_TOLD);
        return host.name + "-run" + (hidden ? 1 : run);
    }

    /// The very row, not another one with its GTID.
    boolean contains(Row row) {
        return row.seq() <= binlog.size() && binlog.get((int) row.seq() - 1).id() == row.id();
    }

    /// What the server itself would say: the GTID is in the binary log.
    boolean hasGtid(Row row) {
        return row.seq() <= binlog.size() && binlog.get((int) row.seq() - 1).sameGtid(row);
    }

    /// A client over the network could have a write acknowledged now.
    boolean canAcknowledge() {
        return up() && !host.machine.frozen() && !readOnly && gateOpen();
    }

    boolean gateOpen() {
        return site.has(Mutation.S11_PORT_WITHOUT_GATE) || host.kernel.live(Site.PRIMARY);
    }

    /// A client's transaction. `acknowledge` is called when the server answers it, which may be never.
    void commit(long id, java.util.function.Consumer<Row> acknowledge) {
        commit(new Row(binlog.size() + 1L, serverId, id), acknowledge);
    }

    /// The agent's heartbeat row. It waits for an acknowledgement as any other does, and then no other is written.
    void beat() {
        if (beating || !up() || readOnly) {
            return;
        }
        beating = true;
        long micros = site.agenda.now() / 1000 + serverId * 10_000_000L;
        commit(new Row(binlog.size() + 1L, serverId, -1000 - site.nextNumber(), micros), row -> {
            beating = false;
            lastBeat = row;
        });
    }

    /// The newest heartbeat row that it shows; null for none.
    @Nullable
    Row lastBeat() {
        return lastBeat;
    }

    private void commit(Row row, java.util.function.Consumer<Row> acknowledge) {
        binlog.add(row);
        if (semiSync) {
            waiting.add(new Commit(row, site.agenda.now(), () -> acknowledge.accept(row)));
        } else {
            firstOfThisRun =
                    binlog.size(); // rows of a primary that runs alone are not lost again (package documentation)
            acknowledge.accept(row);
        }
        dumps.forEach(Dump::pump);
    }

    /// A kernel rule: that server is rejected at this one's port, and its dump thread is ended (S14).
    void shutOut(SimDatabase other) {
        shutOut.add(other);
        dumps.stream().filter(d -> d.replica() == other).forEach(Dump::kill);
        dumps.removeIf(d -> d.replica() == other);
    }

    void letIn(SimDatabase other) {
        shutOut.remove(other);
    }

    void letEverybodyIn() {
        shutOut.clear();
    }

    boolean shutsOut(SimDatabase other) {
        return shutOut.contains(other);
    }

    /// Somebody turns semi-sync off by hand.
    void waitForNobody() {
        unacknowledged += waiting.size();
        semiSync(false);
    }

    /// A row that the applier has applied (log_slave_updates).
    void append(Row row) {
        binlog.add(row);
        if (row.beat() > 0) {
            lastBeat = row;
        }
        dumps.forEach(Dump::pump);
    }

    /// A semi-synchronous replica has received everything up to there: any one is enough.
    void acknowledged(long seq) {
        while (!waiting.isEmpty() && waiting.getFirst().row().seq() <= seq) {
            waiting.removeFirst().acknowledge().run();
        }
    }

    /// Turning it off answers everybody who waits (FACTS).
    void semiSync(boolean enabled) {
        semiSync = enabled;
        if (!enabled) {
            acknowledged(Long.MAX_VALUE);
            firstOfThisRun = binlog.size(); // on disk in the engine too, by the time that anybody leaves
        }
    }

    void setReadOnly(boolean isReadOnly) {
        if (readOnly && !isReadOnly) {
            readOnly = false;
            claimed = "";
            site.opened(this);
        }
        readOnly = isReadOnly;
    }

    /// What the agent's fence does. True when the server had to be killed for it: commits wait, and every softer way
    /// would acknowledge them.
    boolean fence() {
        fences++;
        if (!up()) {
            return false;
        }
        if (!waiting.isEmpty()) {
            site.tell(() -> host.name + ": " + waiting.size() + " commits wait, the server is killed");
            crash(ServiceState.ENDED);
            host.machine.later(dice.between(300, 1500), host.powered, this::start);
            return true;
        }
        readOnly = true;
        return false;
    }

    /// The process ends: by a crash, a kill or the loss of power ([ServiceState#ENDED]), or cleanly.
    void crash(ServiceState how) {
        if (service != ServiceState.RUNNING) {
            return;
        }
        service = how;
        life.end();
        dumps.forEach(Dump::end);
        dumps.clear();
        if (how == ServiceState.ENDED) {
            truncate();
        }
        waiting.clear();
        beating = false;
        lookForBeat();
        readOnly = true;
        replica.serverEnded();
        host.serviceEnded();
    }

    /// The next start drops what was not committed in the engine: all that waited, and at times acknowledged rows of
    /// this run too, which some replica has (S16).
    private void truncate() {
        int keep = waiting.isEmpty()
                ? binlog.size()
                : (int) waiting.getFirst().row().seq() - 1;
        for (int more = dice.below(3); more > 0 && keep > firstOfThisRun; more--) {
            Row row = binlog.get(keep - 1);
            if (row.server() != serverId || site.hosts().stream().noneMatch(other -> other.hasBeside(row, this))) {
                break;
            }
            keep--;
        }
        if (keep < binlog.size()) {
            int dropped = binlog.size() - keep;
            site.tell(() -> host.name + ": the crash truncates " + dropped + " rows of the binary log");
            List<Row> gone = List.copyOf(binlog.subList(keep, binlog.size()));
            binlog.subList(keep, binlog.size()).clear();
            site.clients.crashTook(gone);
        }
    }

    void start() {
        if (service == ServiceState.RUNNING || !host.machine.on() || host.copies.isDataMissing()) {
            return;
        }
        service = ServiceState.RUNNING;
        life = new Life();
        run++;
        unacknowledged = 0;
        firstOfThisRun = binlog.size();
        boolean wasHolder = host.kernel.live(Site.PRIMARY);
        semiSync = false;
        replica.serverStarted();
        readOnly = true;
        if (site.has(Mutation.S16_RESTART_IS_BELIEVED) && wasHolder) {
            semiSync = true;
            setReadOnly(false);
        }
        site.tell(() -> host.name + ": database started, run " + run + ", at " + position());
        host.serviceStarted();
    }

    /// A person seeds it anew from the primary.
    void rebuild(SimDatabase primary) {
        crash(ServiceState.STOPPED);
        host.copies.forget();
        putData(primary.binlog);
        start();
    }

    /// Its server is stopped: other data take the place of its own.
    void putData(List<Row> rows) {
        List<Row> copy = List.copyOf(rows);
        binlog.clear();
        binlog.addAll(copy);
        lookForBeat();
        replica.forget();
    }

    /// What a backup of the running server has: not what still waits for an acknowledgement.
    List<Row> committed() {
        return waiting.isEmpty()
                ? List.copyOf(binlog)
                : List.copyOf(binlog.subList(0, (int) waiting.getFirst().row().seq() - 1));
    }

    private void lookForBeat() {
        lastBeat = binlog.reversed().stream()
                .filter(row -> row.beat() > 0)
                .findFirst()
                .orElse(null);
    }

    /// Somebody sets it up otherwise.
    void findings(List<Observation.Finding> found) {
        findings = List.copyOf(found);
    }

    Observation.Settings settings() {
        return new Observation.Settings(
                "shopdb", "10.11.6-MariaDB", serverId, "ROW", 0, 0, 80L << 30, 100L << 30, findings);
    }

    Observation.Database observe() {
        return observe(service);
    }

    Observation.Database observeDead() {
        return observe(ServiceState.ENDED);
    }

    private Observation.@Nullable HeartbeatRow heartbeat() {
        Row row = lastBeat;
        if (site.has(Mutation.READER_LAG_IS_HIDDEN) && replica.source() != null) {
            row = replica.relay().reversed().stream()
                    .filter(r -> r.beat() > 0)
                    .findFirst()
                    .orElse(row);
        }
        return row == null ? null : new Observation.HeartbeatRow(row.server(), 0, row.beat());
    }

    private Observation.Database observe(ServiceState seen) {
        boolean up = seen == ServiceState.RUNNING;
        boolean hides = site.has(Mutation.S14_UNACKNOWLEDGED_COMMITS_ARE_HIDDEN);
        boolean blocked = semiSync
                && !waiting.isEmpty()
                && site.agenda.now() - waiting.getFirst().at() > WAITING;
        return new Observation.Database(
                "shopdb",
                seen,
                up ? Health.UP : Health.DOWN,
                "10.11",
                serverId,
                up ? run() : "",
                up ? readOnly : null,
                up ? position() : "",
                up ? position() : "",
                semiSync || (hides && !readOnly),
                replica.semiSync(),
                dumps.size(),
                up ? replica.observe() : null,
                up ? heartbeat() : null,
                blocked ? List.of(Observation.Trouble.SEMI_SYNC_BLOCKED) : List.of(),
                "",
                hides ? 0 : unacknowledged);
    }
}
