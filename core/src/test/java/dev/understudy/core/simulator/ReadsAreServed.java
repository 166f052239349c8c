package dev.understudy.core.simulator;

import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.protocol.ClusterSpec.Recovery;
import java.time.Duration;
import java.util.List;

/// The reader address is with a server that answers reads which are not too old; not for longer than the deadlines say
/// is it nowhere, or with one that is down, cut off, quarantined or too far behind, while a controller and a primary
/// that can do something about it are there.
final class ReadsAreServed implements Invariant {

    /// What the tables leave as it is, whatever readers think of it.
    private static final List<String> HELD_BACK =
            List.of("HELD_BY_CONSENT", "CANNOT_CLOSE", "JOURNAL_TOO_OLD", "RECENT_FAILOVER", "BLIND", "HELD_BACK");

    private long since;
    private long term;

    @Override
    public void looked(Site site) {
        long now = site.agenda.now();
        boolean served = site.hosts().stream()
                .anyMatch(
                        h -> h.database != null && h.kernel.live(Site.READER) && site.standing.isFit(h.database, 1500));
        if (served || isExcused(site) || term != site.journal.term()) {
            since = now;
        }
        term = site.journal.term();
        if (now - since > allowed(site).toNanos()) {
            SimHost holder = site.hosts().stream()
                    .filter(h -> h.kernel.live(Site.READER))
                    .findFirst()
                    .orElse(null);
            throw new Violation(
                    ReadsAreServed.class,
                    "for %d ms the reader address has been %s: %s"
                            .formatted(
                                    (now - since) / Agenda.MILLI,
                                    holder == null ? "nowhere" : "with " + holder.name + ", which is not fit",
                                    site.journal.journaled().resources().get(Site.READER)));
        }
    }

    private static Duration allowed(Site site) {
        Duration allowed = Deadlines.READER_LEAVES
                .plus(Deadlines.TAKING)
                .plus(site.timing().lapseAfter(site.timing().ttl()).multipliedBy(2))
                .plus(site.timing().silence())
                .plusSeconds(6);
        ResourceState reader = site.journal.journaled().resources().get(Site.READER);
        boolean held = reader instanceof AddressState address && address.phase() != AddressPhase.VACANT;
        return held ? allowed : allowed.plus(Deadlines.WARMING);
    }

    private static boolean isExcused(Site site) {
        SimController leader = site.leader();
        if (leader == null || leader.state() == null || !leader.machine.running() || leader.quorumLost()) {
            return true;
        }
        var operations = site.journal.journaled().operations();
        boolean asked =
                !operations.pauses().isEmpty() || !operations.maintenance().isEmpty();
        boolean flaps =
                operations.failovers().getOrDefault(Site.READER, List.of()).size() >= Recovery.MOST_FAILOVERS;
        String said = leader.state().said().getOrDefault(Site.READER.toString(), "");
        return asked
                || flaps
                || HELD_BACK.contains(said)
                || site.actsFail > 0
                || site.network.isBad()
                || !site.standing.hasPrimary()
                || !isHeard(site, leader, site.host(String.valueOf(site.journaledHolder(Site.PRIMARY))))
                || site.hosts().stream().filter(h -> !isHeard(site, leader, h)).count() > 1
                || site.hosts().stream().anyMatch(h -> h.disk.full());
    }

    private static boolean isHeard(Site site, SimController leader, SimHost host) {
        SimAgent agent = host.agent();
        return agent != null
                && !agent.mute()
                && host.machine.running()
                && site.network.openBothWays(host.name, leader.name);
    }
}
