package dev.understudy.core.simulator;

import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One command at work: what the agent does to the kernel and the database, in steps between which time passes and
/// anything can happen. Javadoc of [Command] says what each means.
final class SimActs {

    private static final long POLL = 20;

    private final Site site;
    private final SimAgent agent;
    private final SimHost host;
    private final Order order;
    private final BooleanSupplier interrupted;
    private final Consumer<Outcome> done;
    private final Dice dice;
    private boolean over;

    SimActs(Site site, SimAgent agent, Order order, BooleanSupplier interrupted, Consumer<Outcome> done) {
        this.site = site;
        this.agent = agent;
        this.host = agent.host;
        this.order = order;
        this.interrupted = interrupted;
        this.done = done;
        dice = new Dice(site.seed, "act " + order.command().id());
    }

    void begin() {
        Command command = order.command();
        if (command instanceof Command.TakeAddress take) {
            takeAddress(take);
            return;
        }
        if (command instanceof Command.SetServerState) {
            end(Outcome.Done.withoutFacts());
            return;
        }
        if (command instanceof Command.RestartService) {
            acting();
            host.startService();
            end(Outcome.Done.withoutFacts());
            return;
        }
        SimDatabase database = host.database;
        if (database != null && copies(command, database)) {
            return;
        }
        if (database == null || !database.up()) {
            end(new Outcome.Failed("the server is not there"));
            return;
        }
        if (command instanceof Command.CutReceiver
                || command instanceof Command.Stage
                || command instanceof Command.BlockWrites) {
            host.copies.makeWay();
        }
        switch (command) {
            case Command.CutReceiver cut -> cutReceiver(database, cut);
            case Command.CatchUp catchUp -> catchUp(database, deadline(catchUp.timeoutMillis()), this::end);
            case Command.Stage _ -> stage(database);
            case Command.Follow _
            when host.copies.isUnseeded() ->
                end(new Outcome.Refused(
                        "unseeded", "its data are those of a copy that was not put in place to its end"));
            case Command.Follow follow
            when fetchesNothing(follow) -> {
                database.claim(site.databaseAt(follow.primaryAddress()));
                end(Outcome.Done.withoutFacts());
            }
            case Command.Follow follow ->
                new SimFollowing(site, database, this, deadline(follow.timeoutMillis())).begin(follow);
            case Command.OpenWrites open -> open(database, open);
            case Command.BlockWrites block -> block(database, deadline(block.budgetMillis()));
            case Command.UnblockWrites unblock -> writable(database, unblock.epoch(), this::end);
            case Command.ReachPosition reach -> reach(database, reach);
            case Command.ShutOut out -> shutOut(database, out);
            case Command.LetIn in -> letIn(database, in);
            case Command.TakeAddress _,
                    Command.RestartService _,
                    Command.Detach _,
                    Command.Attach _,
                    Command.OfferCopy _,
                    Command.ReceiveCopy _,
                    Command.AdoptCopy _,
                    Command.EndCopy _,
                    Command.SetServerState _,
                    Command.CloseEpoch _,
                    Command.Release _ -> throw new IllegalStateException("not for a database: " + command);
        }
    }

    /// Whether it is about a copy, whatever the server is at.
    private boolean copies(Command command, SimDatabase database) {
        return switch (command) {
            case Command.OfferCopy offer -> isEnded(host.copies.offer(offer, agent));
            case Command.EndCopy ending -> isEnded(host.copies.end(ending));
            case Command.AdoptCopy _
            when agent.heldNow(Site.PRIMARY) != null ->
                isEnded(new Outcome.Refused("lease", "this host holds the role: its data are not replaced"));
            case Command.ReceiveCopy receive -> {
                host.copies.receive(receive, agent, this::end);
                yield true;
            }
            case Command.AdoptCopy adopt -> {
                host.copies.adopt(database, adopt, this);
                yield true;
            }
            case Command.TakeAddress _,
                    Command.Release _,
                    Command.CutReceiver _,
                    Command.CatchUp _,
                    Command.Stage _,
                    Command.Follow _,
                    Command.OpenWrites _,
                    Command.BlockWrites _,
                    Command.UnblockWrites _,
                    Command.ReachPosition _,
                    Command.SetServerState _,
                    Command.CloseEpoch _,
                    Command.RestartService _,
                    Command.ShutOut _,
                    Command.LetIn _,
                    Command.Detach _,
                    Command.Attach _ -> false;
        };
    }

    private boolean isEnded(Outcome outcome) {
        end(outcome);
        return true;
    }

    private boolean fetchesNothing(Command.Follow follow) {
        return site.has(Mutation.S14_SAYS_WHAT_ITS_DONOR_HAS) && follow.id().contains("/FETCHING/");
    }

    void end(Outcome outcome) {
        if (!over) {
            over = true;
            done.accept(outcome);
        }
    }

    Moment deadline(long millis) {
        return agent.now().plus(Duration.ofMillis(millis));
    }

    boolean late(Moment deadline) {
        return !agent.now().isBefore(deadline);
    }

    /// What is about to be done follows from this order: the witness looks.
    void acting() {
        site.witness.acting(host, order, agent);
    }

    /// Something takes a moment.
    void then(long lowMillis, long highMillis, Runnable next) {
        host.machine.later(Duration.ofNanos(dice.millis(lowMillis, highMillis)), agent.life, next);
    }

    /// Asks again and again until there is an answer; an interrupt ends it.
    void poll(Supplier<@Nullable Outcome> question, Consumer<Outcome> next) {
        Outcome answer = interrupted.getAsBoolean() ? new Outcome.Unknown("interrupted") : question.get();
        if (answer != null) {
            next.accept(answer);
        } else {
            host.machine.later(POLL, agent.life, () -> poll(question, next));
        }
    }

    private @Nullable Lease lease(long epoch) {
        Lease lease = agent.heldNow(order.command().resource());
        return lease != null && lease.epoch() == epoch ? lease : null;
    }

    private void takeAddress(Command.TakeAddress take) {
        if (dice.chance(site.actsFail)) {
            end(new Outcome.Failed("the address cannot be added"));
            return;
        }
        kernel(take.epoch(), this::end);
    }

    private void kernel(long epoch, Consumer<Outcome> next) {
        then(1, 6, () -> {
            Lease lease = lease(epoch);
            if (lease == null) {
                next.accept(new Outcome.Refused("lease", "the lease of epoch " + epoch + " is not live"));
                return;
            }
            Moment deadline = lease.deadline();
            Duration left = deadline.since(agent.now());
            then(0, 2, () -> {
                Moment until = site.relativeTimeOuts() ? agent.now().plus(left) : deadline;
                if (!host.kernel.open(order.command().resource(), epoch, until)) {
                    next.accept(new Outcome.Refused("lease", "over before the kernel had it"));
                    return;
                }
                acting();
                agent.inKernel(order.command().resource(), epoch);
                next.accept(Outcome.Done.withoutFacts());
            });
        });
    }

    private void open(SimDatabase database, Command.OpenWrites open) {
        if (database.replica.source() != null) {
            end(new Outcome.Refused("unstaged", "it still replicates"));
            return;
        }
        if (dice.chance(site.actsFail)) {
            end(new Outcome.Failed("cannot open"));
            return;
        }
        boolean alone = open.alone() || site.has(Mutation.S20_ALONE_UNJOURNALED);
        if (lease(open.epoch()) == null) {
            end(new Outcome.Refused("lease", "no live lease"));
            return;
        }
        acting();
        if (alone == database.semiSync()) {
            database.semiSync(!alone);
        }
        Consumer<Outcome> opened = outcome -> {
            if (outcome instanceof Outcome.Done) {
                database.replica.cutOff(null);
                kernel(
                        open.epoch(),
                        address -> end(
                                address instanceof Outcome.Done
                                        ? new Outcome.Done(Map.of("binlog", database.position()))
                                        : address));
            } else {
                end(outcome);
            }
        };
        if (database.readOnly()) {
            writable(database, open.epoch(), opened);
        } else {
            opened.accept(Outcome.Done.withoutFacts());
        }
    }

    /// The only place that makes a server writable: under a live lease, and not if a fence came meanwhile.
    private void writable(SimDatabase database, long epoch, Consumer<Outcome> next) {
        int fences = database.fences();
        Life run = database.life();
        then(1, 15, () -> {
            if (!database.up() || !run.alive()) {
                next.accept(new Outcome.Failed("the server is not there"));
            } else if (lease(epoch) == null) {
                next.accept(new Outcome.Refused("lease", "no live lease"));
            } else if (database.fences() != fences) {
                next.accept(new Outcome.Refused("lease", "fenced in the meantime"));
            } else {
                acting();
                database.setReadOnly(false);
                next.accept(Outcome.Done.withoutFacts());
            }
        });
    }

    /// Rejected first, then its dump thread is ended, then the position is read.
    private void shutOut(SimDatabase database, Command.ShutOut out) {
        SimDatabase other = site.databaseAt(out.address());
        acting();
        if (other != null && !site.has(Mutation.S14_LEAVES_WITHOUT_BEING_BLOCKED)) {
            database.shutOut(other);
        }
        then(1, 15, () -> {
            if (!database.up()) {
                end(new Outcome.Failed("the server is not there"));
                return;
            }
            boolean unsaid = site.has(Mutation.S14_LEAVES_BEFORE_ANOTHER_HAS_IT);
            end(new Outcome.Done(Map.of("binlog", unsaid ? "" : database.position())));
        });
    }

    private void letIn(SimDatabase database, Command.LetIn in) {
        SimDatabase other = site.databaseAt(in.address());
        acting();
        if (other != null) {
            database.letIn(other);
        }
        end(Outcome.Done.withoutFacts());
    }

    private void block(SimDatabase database, Moment deadline) {
        acting();
        int fences = database.fences();
        database.setReadOnly(true);
        poll(
                () -> !database.up()
                        ? new Outcome.Failed("the server is not there")
                        : database.waitingCommits() == 0
                                ? new Outcome.Done(Map.of("binlog", database.position()))
                                : late(deadline) ? new Outcome.Failed("commits wait") : null,
                outcome -> {
                    if (!(outcome instanceof Outcome.Done) && database.up() && database.fences() == fences) {
                        writable(database, order.command().epoch(), _ -> end(outcome));
                    } else {
                        end(outcome);
                    }
                });
    }

    private void cutReceiver(SimDatabase database, Command.CutReceiver cut) {
        acting();
        SimReplica replica = database.replica;
        SimDatabase primary = site.databaseAt(cut.primaryAddress());
        if (primary != null) {
            replica.cutOff(primary);
        }
        then(1, 20, () -> {
            if (!database.up()) {
                end(new Outcome.Failed("the server is not there"));
                return;
            }
            if (replica.source() != null) {
                if (!replica.applier() && !replica.allApplied()) {
                    if (replica.receiver() == SimReplica.Receiver.NO) {
                        end(new Outcome.Failed("no candidate: both threads are stopped with events unapplied"));
                        return;
                    }
                    replica.startApplier();
                }
                if (replica.applier()) {
                    replica.stopReceiver();
                }
                if (site.has(Mutation.S18_PURGES_WHAT_IS_NOT_APPLIED)) {
                    replica.purgeRelay();
                }
            }
            end(new Outcome.Done(positions(database)));
        });
    }

    private static Map<String, String> positions(SimDatabase database) {
        Map<String, String> facts = new HashMap<>();
        String received = database.replica.receivedPosition();
        facts.put("received", received.isEmpty() ? database.position() : received);
        facts.put("applied", database.position());
        facts.put("binlog", database.position());
        facts.put("serverStart", database.run());
        facts.put("semiSyncReplica", Boolean.toString(database.replica.semiSync()));
        return facts;
    }

    void catchUp(SimDatabase database, Moment deadline, Consumer<Outcome> next) {
        acting();
        SimReplica replica = database.replica;
        poll(
                () -> {
                    if (!database.up()) {
                        return new Outcome.Failed("the server is not there");
                    }
                    if (replica.source() == null || replica.allApplied()) {
                        return new Outcome.Done(Map.of("applied", database.position()));
                    }
                    if (!replica.applier()) {
                        if (replica.receiver() == SimReplica.Receiver.NO) {
                            return new Outcome.Failed("no candidate: both threads are stopped with events unapplied");
                        }
                        replica.startApplier();
                    }
                    return late(deadline) ? new Outcome.Failed("not caught up in time") : null;
                },
                next);
    }

    private void stage(SimDatabase database) {
        if (database.replica.source() != null && !database.replica.allApplied()) {
            end(new Outcome.Refused("unapplied", "received more than it has applied"));
            return;
        }
        then(1, 20, () -> {
            if (!database.up()) {
                end(new Outcome.Failed("the server is not there"));
                return;
            }
            acting();
            database.replica.forget();
            database.letEverybodyIn();
            database.replica.semiSync(false);
            database.semiSync(true);
            end(new Outcome.Done(Map.of("binlog", database.position())));
        });
    }

    private void reach(SimDatabase database, Command.ReachPosition reach) {
        Moment deadline = deadline(reach.timeoutMillis());
        GtidList target = GtidList.parse(reach.position());
        poll(
                () -> {
                    if (!database.up() || database.replica.source() == null) {
                        return new Outcome.Failed("follows nobody");
                    }
                    if (GtidList.parse(database.position()).reached(target)) {
                        return new Outcome.Done(Map.of("applied", database.position()));
                    }
                    return late(deadline) ? new Outcome.Failed("not reached in time") : null;
                },
                this::end);
    }
}
