package dev.understudy.core.simulator;

import dev.understudy.core.ResourceState.PrimaryState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What each database is worth to readers in truth, and since when; looked at ten times a second.
final class Standing {

    private static final long EACH = 100 * Agenda.MILLI;
    /// What can be wrong with a measure of lag: a row is written each second.
    private static final long GRAIN = 1500;

    private final Site site;
    private final Map<String, Long> fitSince = new HashMap<>();
    private final Map<String, Long> unfitSince = new HashMap<>();
    private final Map<String, Long> lastUnfit = new HashMap<>();
    private final Map<String, Long> connected = new HashMap<>();
    private long next;
    private long watched;

    Standing(Site site) {
        this.site = site;
    }

    /// True when it has looked anew.
    boolean look() {
        long now = site.agenda.now();
        if (now < next) {
            return false;
        }
        next = now + EACH;
        SimController leader = site.leader();
        boolean watches = leader != null && leader.machine.running() && site.journal.term() == watched;
        watched = site.journal.term();
        for (String member : Site.DATABASES) {
            look(site.database(member), watches, now);
        }
        return true;
    }

    private void look(SimDatabase database, boolean watches, long now) {
        String member = database.host.name;
        if (database.replica.receiver() == SimReplica.Receiver.YES) {
            connected.put(member, now);
        }
        if (isFit(database, 0)) {
            fitSince.putIfAbsent(member, now);
        } else {
            fitSince.remove(member);
        }
        if (watches && hasPrimary() && !isFit(database, GRAIN)) {
            long since = unfitSince.merge(member, now, Math::min);
            if (now - since > certain()) {
                lastUnfit.put(member, now);
            }
        } else {
            unfitSince.remove(member);
        }
    }

    /// After so long nobody can have missed it.
    private long certain() {
        return 4 * site.timing().heartbeat().toNanos() + 2 * Agenda.SECOND;
    }

    /// How long it has been fit without a break; 0 if it is not.
    long fitFor(String member) {
        Long since = fitSince.get(member);
        return since == null ? 0 : site.agenda.now() - since;
    }

    /// How long ago it was last unfit for so long that a controller must have seen it.
    long sinceUnfit(String member) {
        return site.agenda.now() - lastUnfit.getOrDefault(member, -1_000 * Agenda.SECOND);
    }

    /// How long ago its receiver was connected last.
    long sinceConnected(String member) {
        boolean now = site.database(member).replica.receiver() == SimReplica.Receiver.YES;
        return now ? 0 : site.agenda.now() - connected.getOrDefault(member, -1_000 * Agenda.SECOND);
    }

    /// A primary is steady, and serves.
    boolean hasPrimary() {
        SimDatabase primary = primary();
        return primary != null && primary.canAcknowledge();
    }

    private @Nullable SimDatabase primary() {
        PrimaryState state = site.primary();
        String holder = state == null || !state.steady() ? null : state.holder();
        return holder == null ? null : site.database(holder);
    }

    /// It serves reads that are not older than they may be; the primary always does.
    boolean isFit(SimDatabase database, long toleranceMillis) {
        SimDatabase primary = primary();
        PrimaryState state = site.primary();
        if (primary == null || state == null || !database.up() || database.host.machine.frozen()) {
            return false;
        }
        if (database == primary) {
            return primary.canAcknowledge();
        }
        return database.replica.source() == primary
                && database.replica.receiver() == SimReplica.Receiver.YES
                && database.replica.applier()
                && !state.isQuarantined(database.host.name)
                && lagMillis(database, primary) <= Site.MAX_LAG.toMillis() + toleranceMillis;
    }

    private static long lagMillis(SimDatabase database, SimDatabase primary) {
        Row newest = primary.lastBeat();
        Row applied = database.lastBeat();
        return newest == null || applied == null || newest.server() != applied.server()
                ? database.replica.allApplied() ? 0 : Long.MAX_VALUE / 2
                : (newest.beat() - applied.beat()) / 1000;
    }
}
