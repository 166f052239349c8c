package dev.understudy.core.simulator;

import dev.understudy.core.JournalEntry;
import dev.understudy.core.Journaled;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.ResourceId;
import java.util.List;

/// All invariants of one run, told of everything.
final class Invariants {

    private final Site site;
    private final List<Invariant> all;

    Invariants(Site site) {
        this.site = site;
        all = List.of(
                new OneHolder(),
                new OneAcknowledgingPrimary(),
                new EpochsRise(),
                new NoStaleCommandApplied(),
                new NoAcknowledgedWriteLost(),
                new NoFailoverWithoutDiagnosis(),
                new HoldDownsRespected(),
                new ClocksWithinTheBound(),
                new ReadsAreServed(),
                new ReadersRest(),
                new NoUnfitPromoted(),
                new RebuildsApart(),
                new NoOnlyCopyThrownAway(),
                new Converges());
    }

    void after() {
        for (Invariant invariant : all) {
            invariant.after(site);
        }
        if (site.standing.look()) {
            for (Invariant invariant : all) {
                invariant.looked(site);
            }
        }
    }

    void committed(SimController by, Journaled before, JournalEntry entry) {
        all.forEach(i -> i.committed(site, by, before, entry));
    }

    void accepted(SimHost host, Order order) {
        all.forEach(i -> i.accepted(host, order));
    }

    void acting(SimHost host, Order order, SimAgent agent) {
        all.forEach(i -> i.acting(host, order, agent));
    }

    void released(SimHost host, ResourceId resource, long upTo) {
        all.forEach(i -> i.released(host, resource, upTo));
    }

    void opened(SimDatabase database) {
        all.forEach(i -> i.opened(site, database));
    }

    void acknowledged(Row row, SimHost host) {
        all.forEach(i -> i.acknowledged(site, row, host));
    }

    void read(SimDatabase database, List<Row> rows) {
        all.forEach(i -> i.read(site, database, rows));
    }

    void serviceDown(SimHost host) {
        all.forEach(i -> i.serviceDown(site, host));
    }

    void serviceUp(SimHost host) {
        all.forEach(i -> i.serviceUp(site, host));
    }

    void thrownAway(SimHost host, List<Row> rows) {
        all.forEach(i -> i.thrownAway(site, host, rows));
    }

    void ended() {
        all.forEach(i -> i.ended(site));
    }
}
