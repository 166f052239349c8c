package dev.understudy.core.simulator;

import dev.understudy.protocol.Command.AdoptCopy;
import dev.understudy.protocol.Command.EndCopy;
import dev.understudy.protocol.Command.OfferCopy;
import dev.understudy.protocol.Command.ReceiveCopy;
import dev.understudy.protocol.CopyTicket;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Copies of a server's data on one host, as the agent gives, receives and adopts them. Beside the data lie a complete
/// copy and the data that were replaced; both survive everything. An offer and a receipt end with the agent's process.
final class SimCopies {

    private static final String PORT = "7444";
    private static final long BYTES = 1L << 30;
    private static final long STEP = 100;
    /// Nothing comes from the donor for so long: it is given up.
    private static final long SILENCE = 15_000;

    private record Copy(String name, List<Row> rows) {
        String position() {
            return rows.isEmpty() ? "" : rows.getLast().gtid();
        }
    }

    private record Offer(CopyTicket ticket, Life life, long until) {}

    private static final class Receipt {
        final String copy;
        final long millis;
        long done;
        long silent;
        boolean ended;

        Receipt(String copy, long millis) {
            this.copy = copy;
            this.millis = millis;
        }
    }

    private final Site site;
    private final SimHost host;
    private final Dice dice;
    private @Nullable Copy fresh;
    private @Nullable List<Row> old;
    /// whose data the server has until it follows
    private @Nullable Copy marked;

    private boolean seeded;
    private boolean missing;
    private @Nullable Offer offer;
    private @Nullable Receipt receipt;

    SimCopies(Site site, SimHost host) {
        this.site = site;
        this.host = host;
        dice = new Dice(site.seed, "copies " + host.name);
    }

    /// There is no data folder: no server starts.
    boolean isDataMissing() {
        return missing;
    }

    /// Its data are those of a copy that was not put in place to its end.
    boolean isUnseeded() {
        return marked != null && !seeded;
    }

    /// A person has made everything anew.
    void forget() {
        fresh = null;
        old = null;
        marked = null;
        missing = false;
    }

    /// An agent starts: what was begun before is ended.
    void recover() {
        offer = null;
        receipt = null;
        if (missing && fresh != null) {
            putInPlace();
        } else if (missing && old != null && host.database != null) {
            host.database.putData(old);
            old = null;
            missing = false;
        }
    }

    Observation.Data observe() {
        follows();
        Receipt receiving = receipt;
        Offer giving = offer;
        Observation.Copying copying = null;
        if (receiving != null) {
            copying = new Observation.Copying(
                    receiving.copy,
                    Observation.CopyStep.RECEIVING,
                    BYTES * receiving.done / receiving.millis,
                    BYTES,
                    BYTES);
        } else if (giving != null) {
            copying = new Observation.Copying(giving.ticket.copy(), Observation.CopyStep.GIVING, 0, BYTES, BYTES);
        }
        return new Observation.Data("shopdb", BYTES, 100 * BYTES, "", "", copying);
    }

    /// The old data are removed when the server follows with the new ones.
    private void follows() {
        SimDatabase database = host.database;
        if (database != null
                && marked != null
                && seeded
                && database.up()
                && database.replica.receiver() == SimReplica.Receiver.YES
                && database.replica.applier()) {
            List<Row> gone = old;
            old = null;
            marked = null;
            if (gone != null) {
                site.witness.thrownAway(host, gone);
            }
        }
    }

    Outcome offer(OfferCopy order, SimAgent agent) {
        offer = new Offer(order.ticket(), agent.life, site.agenda.now() + order.timeoutMillis() * Agenda.MILLI);
        return new Outcome.Done(Map.of(OfferCopy.PORT, PORT, OfferCopy.BYTES, Long.toString(BYTES)));
    }

    /// This server is needed for a plan.
    void makeWay() {
        offer = null;
    }

    private boolean gives(CopyTicket ticket) {
        return offer != null
                && offer.ticket.equals(ticket)
                && offer.life.alive()
                && site.agenda.now() < offer.until
                && host.database != null
                && host.database.up();
    }

    void receive(ReceiveCopy order, SimAgent agent, Consumer<Outcome> done) {
        String copy = order.ticket().copy();
        if (fresh != null && fresh.name.equals(copy)) {
            done.accept(received(fresh));
            return;
        }
        fresh = null;
        SimDatabase donor = site.databaseAt(order.address());
        Receipt next = new Receipt(copy, dice.between(300, dice.chance(0.8) ? 3000 : 9000));
        receipt = next;
        if (donor == null) {
            fail(next, "no such donor", done);
        } else {
            receive(order, next, donor, agent, done);
        }
    }

    private void receive(ReceiveCopy order, Receipt mine, SimDatabase donor, SimAgent agent, Consumer<Outcome> done) {
        boolean reached = donor.host.machine.running() && site.network.openBothWays(host.name, donor.host.name);
        if (mine.ended) {
            fail(mine, "the copy is not wanted any more", done);
        } else if (site.has(Mutation.REBUILD_ADOPTS_HALF_A_COPY) && mine.silent > 0) {
            fresh = new Copy(mine.copy, half(donor.committed()));
            receipt = null;
            done.accept(received(fresh));
        } else if (reached && !donor.host.copies.gives(order.ticket())) {
            fail(mine, "the donor ended it", done);
        } else if (reached && mine.done >= mine.millis) {
            donor.host.copies.offer = null;
            if (dice.chance(site.actsFail)) {
                fail(mine, "it cannot be prepared", done);
                return;
            }
            fresh = new Copy(mine.copy, donor.committed());
            receipt = null;
            done.accept(received(fresh));
        } else if (!reached && mine.silent > SILENCE && !site.has(Mutation.REBUILD_WAITS_FOR_A_DEAD_DONOR)) {
            fail(mine, "the donor has said nothing for long", done);
        } else {
            mine.done += reached ? STEP : 0;
            mine.silent = reached ? 0 : mine.silent + STEP;
            boolean gone = site.has(Mutation.REBUILD_WAITS_FOR_A_DEAD_DONOR) && !reached;
            if (!gone) {
                host.machine.later(STEP, agent.life, () -> receive(order, mine, donor, agent, done));
            }
        }
    }

    /// Another row where one was not received.
    private static List<Row> half(List<Row> rows) {
        return rows.stream()
                .map(row -> row.seq() == rows.size() / 2 ? new Row(row.seq(), row.server(), -row.id()) : row)
                .toList();
    }

    private void fail(Receipt mine, String why, Consumer<Outcome> done) {
        if (mine.equals(receipt)) {
            receipt = null;
        }
        done.accept(new Outcome.Failed(why));
    }

    private static Outcome received(Copy copy) {
        return new Outcome.Done(Map.of(ReceiveCopy.POSITION, copy.position()));
    }

    Outcome end(EndCopy order) {
        if (offer != null && offer.ticket.copy().equals(order.copy())) {
            offer = null;
        }
        if (receipt != null && receipt.copy.equals(order.copy())) {
            receipt.ended = true;
        }
        if (fresh != null && fresh.name.equals(order.copy())) {
            fresh = null;
        }
        return Outcome.Done.withoutFacts();
    }

    /// Each step may be the last one before a crash; repeated, it goes on from there.
    void adopt(SimDatabase database, AdoptCopy order, SimActs acts) {
        recoverData();
        Copy here = marked;
        if (here != null && here.name.equals(order.copy())) {
            start(database, here, acts);
            return;
        }
        Copy ready = fresh;
        if (ready == null || !ready.name.equals(order.copy())) {
            acts.end(new Outcome.Refused("missing", "there is no complete copy here"));
        } else if (database.up() && !database.readOnly()) {
            acts.end(new Outcome.Refused("writable", "the server is writable: its data are not replaced"));
        } else {
            acts.acting();
            database.crash(dev.understudy.protocol.ServiceState.STOPPED);
            acts.then(50, 400, () -> {
                if (database.up()) {
                    acts.end(new Outcome.Failed("somebody started the server"));
                    return;
                }
                putAside(database);
                acts.then(1, 40, () -> {
                    putInPlace();
                    start(database, ready, acts);
                });
            });
        }
    }

    private void recoverData() {
        if (missing && fresh != null) {
            putInPlace();
        }
    }

    private void putAside(SimDatabase database) {
        List<Row> rows = List.copyOf(database.binlog());
        old = rows;
        missing = true;
        database.putData(List.of());
        site.tell(() -> host.name + ": " + rows.size() + " rows are put aside");
        site.witness.thrownAway(host, rows);
    }

    private void putInPlace() {
        Copy copy = fresh;
        if (copy != null && host.database != null) {
            host.database.putData(copy.rows);
            marked = copy;
            fresh = null;
            seeded = false;
            missing = false;
            site.tell(() -> host.name + ": has the data of copy " + copy.name + ", up to " + copy.position());
        }
    }

    private void start(SimDatabase database, Copy copy, SimActs acts) {
        acts.then(100, 800, () -> {
            database.start();
            if (!database.up()) {
                acts.end(new Outcome.Failed("the server does not answer with the new data"));
                return;
            }
            database.setReadOnly(true);
            seeded = true;
            acts.end(received(copy));
        });
    }
}
