package dev.understudy.agent.command;

import dev.understudy.agent.act.DatabaseControl;
import dev.understudy.agent.act.RouteControl;
import dev.understudy.agent.act.ServiceControl;
import dev.understudy.agent.lease.LeaseKeeper;
import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Carries orders out. An order is looked at on the lease thread: a repeat of a finished id is answered with the
/// same outcome, of a running id is ignored (its answer will come), a stale one is refused and touches nothing. An
/// accepted one runs on its resource's lane, in order; a newer epoch ends waits ([Command.CatchUp],
/// [Command.ReachPosition], [Command.Follow]) of an older one. When an act that takes a lease does not get done,
/// everything it did is undone and the resource released before the answer goes out.
public final class CommandRunner {

    private static final Logger LOG = LoggerFactory.getLogger(CommandRunner.class);
    private static final int REMEMBERED = 256;
    private static final String LATE = "late";

    private final Holdings holdings;
    private final LeaseKeeper keeper;
    private final Function<ResourceId, List<Observation>> look;
    private final CommandMetrics metrics;
    private final Belonging belonging;

    // confined to the lease thread
    private final Map<String, Consumer<CommandReply>> running = new HashMap<>();
    private final Map<String, Command> waits = new HashMap<>();
    private final LinkedHashMap<String, Outcome> finished = new LinkedHashMap<>();
    private final LinkedHashSet<String> undone = new LinkedHashSet<>();

    private final Map<ResourceId, Long> newest = new ConcurrentHashMap<>();
    private final Map<String, Long> words = new ConcurrentHashMap<>();
    private final Map<ResourceId, Long> opened = new ConcurrentHashMap<>();
    private final Map<String, Lane> balancerLanes = new ConcurrentHashMap<>();
    private final Map<ResourceId, Lane> copyLanes = new ConcurrentHashMap<>();

    /// @param look looks at the resource on this host again, and publishes what it sees; runs on a lane
    public CommandRunner(
            Holdings holdings,
            LeaseKeeper keeper,
            Function<ResourceId, List<Observation>> look,
            CommandMetrics metrics,
            Belonging belonging) {
        this.holdings = holdings;
        this.keeper = keeper;
        this.look = look;
        this.metrics = metrics;
        this.belonging = belonging;
    }

    /// An order arrived. Any thread; returns at once.
    public void order(Order order, Consumer<CommandReply> reply) {
        keeper.offer(() -> handle(order, reply));
    }

    private void handle(Order order, Consumer<CommandReply> reply) {
        Command command = order.command();
        Outcome known = finished.get(command.id());
        if (known != null) {
            reply.accept(new CommandReply(command.id(), known, List.of()));
            return;
        }
        if (running.containsKey(command.id())) {
            running.put(command.id(), reply);
            return;
        }
        Optional<Outcome> objection = objection(command);
        if (objection.isPresent()) {
            refuse(command, objection.get(), reply);
            return;
        }
        if (command instanceof Command.BlockWrites block && undone.contains(block.plan())) {
            refuse(command, new Outcome.Refused("stale", "the move " + block.plan() + " has been undone"), reply);
            return;
        }
        if (isLate(command)) {
            refuse(command, new Outcome.Refused(LATE, "a later word came before it"), reply);
            return;
        }
        switch (keeper.admit(order)) {
            case Verdict.Rejected rejected -> refuse(command, rejected.outcome(), reply);
            case Verdict.Accepted _ -> {
                if (command instanceof Command.UnblockWrites unblock) {
                    undone.add(unblock.plan());
                    if (undone.size() > REMEMBERED) {
                        undone.removeFirst();
                    }
                }
                LOG.info("event=order command={} {}", command.id(), describe(command));
                newest.merge(command.resource(), command.epoch(), Math::max);
                command.counted().ifPresent(c -> words.merge(c.subject(), c.number(), Math::max));
                endOlderWaits(command);
                running.put(command.id(), reply);
                start(command);
            }
        }
    }

    private Optional<Outcome> objection(Command command) {
        Site site = holdings.site();
        if (site == null) {
            return Optional.of(new Outcome.Refused("busy", "no cluster spec yet"));
        }
        String group = command instanceof Command.SetServerState set
                ? set.group()
                : command.resource().group();
        boolean about = command instanceof Command.Detach || command instanceof Command.Attach;
        if (!about && site.detached().contains(command.resource())) {
            return Optional.of(new Outcome.Refused("detached", "this host is detached from " + command.resource()));
        }
        return site.objection(group).map(reason -> new Outcome.Refused("unsupported", reason));
    }

    private void refuse(Command command, Outcome outcome, Consumer<CommandReply> reply) {
        LOG.warn(
                "event=order-refused command={} {} outcome=\"{}\"",
                command.id(),
                describe(command),
                outcome.describe());
        metrics.outcome(command, outcome);
        reply.accept(new CommandReply(command.id(), outcome, List.of()));
    }

    private void start(Command command) {
        switch (command) {
            case Command.TakeAddress take ->
                run(take, () -> {
                    belonging.adopt(take.resource(), true);
                    return holdings.takeAddress(take.resource(), take.epoch(), take.giver());
                });
            case Command.OpenWrites open -> run(open, () -> openWrites(open));
            case Command.Release release -> release(release);
            case Command.CloseEpoch close -> {
                // the floor is on disk since it was admitted; what it promised is told in the next heartbeat
                finish(close, Outcome.Done.withoutFacts(), List.of());
            }
            case Command.RestartService restart ->
                complete(restart, holdings.commands(restart.resource()), () -> restartService(restart));
            case Command.Detach detach ->
                complete(
                        detach,
                        holdings.commands(detach.resource()),
                        () -> belonging.detach(detach.resource(), detach.epoch()));
            case Command.Attach attach ->
                complete(attach, holdings.commands(attach.resource()), () -> belonging.attach(attach.resource()));
            case Command.SetServerState set -> {
                Lane lane = balancerLanes.computeIfAbsent(set.group(), group -> new Lane("routes " + group));
                complete(set, lane, () -> setServerState(set));
            }
            case Command.ReceiveCopy receive -> {
                Lane lane = copyLanes.computeIfAbsent(receive.resource(), id -> new Lane("copy " + id));
                complete(receive, lane, () -> onDatabase(receive));
            }
            case Command.CutReceiver _,
                    Command.CatchUp _,
                    Command.Stage _,
                    Command.Follow _,
                    Command.BlockWrites _,
                    Command.UnblockWrites _,
                    Command.ShutOut _,
                    Command.LetIn _,
                    Command.OfferCopy _,
                    Command.AdoptCopy _,
                    Command.EndCopy _,
                    Command.ReachPosition _ -> run(command, () -> onDatabase(command));
        }
    }

    private void run(Command command, Callable<Outcome> work) {
        if (isWait(command)) {
            waits.put(command.id(), command);
        }
        complete(command, holdings.commands(command.resource()), () -> {
            if (command.epoch() < newest.getOrDefault(command.resource(), 0L)) {
                return new Outcome.Refused("stale", "a newer epoch came while the command waited its turn");
            }
            if (isLate(command)) {
                return new Outcome.Refused(LATE, "a later word came while the command waited its turn");
            }
            return work.call();
        });
    }

    private boolean isLate(Command command) {
        return command.counted()
                .filter(c -> words.getOrDefault(c.subject(), 0L) > c.number())
                .isPresent();
    }

    private void complete(Command command, Lane lane, Callable<Outcome> work) {
        var _ = lane.submit(work).handle((outcome, problem) -> {
            ended(command, problem == null ? outcome : internal(command, problem));
            return null;
        });
    }

    /// On the lane. An act that took a lease and is not done is undone before anyone hears of it.
    private void ended(Command command, Outcome outcome) {
        if (command instanceof Command.OpenWrites && outcome instanceof Outcome.Done) {
            opened.put(command.resource(), command.epoch());
        }
        // whether an open primary waits for acknowledgements is no take: it stays what it was
        boolean open =
                command instanceof Command.OpenWrites && opened.getOrDefault(command.resource(), 0L) == command.epoch();
        if (command.takesLease() && !open && !(outcome instanceof Outcome.Done)) {
            keeper.release(command.resource(), command.epoch(), "take-failed", released -> {
                String left = released instanceof Outcome.Done ? "released again" : released.describe();
                finish(command, new Outcome.Failed(outcome.describe() + "; " + left), List.of());
            });
            return;
        }
        List<Observation> seen = command instanceof Command.SetServerState ? List.of() : look.apply(command.resource());
        keeper.enqueue(() -> finish(command, outcome, seen));
    }

    private void release(Command.Release release) {
        Lease lease = keeper.heldNow(release.resource());
        if (lease != null && lease.epoch() > release.releasedEpoch()) {
            finish(release, new Outcome.Refused("stale", "epoch " + lease.epoch() + " is held here"), List.of());
            return;
        }
        keeper.release(
                release.resource(),
                release.releasedEpoch(),
                "ordered",
                Duration.ofMillis(release.drainMillis()),
                outcome -> finish(release, outcome, List.of()));
    }

    /// On the lease thread. The immediate heartbeat shows what is held now.
    private void finish(Command command, Outcome outcome, List<Observation> seen) {
        Consumer<CommandReply> reply = running.remove(command.id());
        waits.remove(command.id());
        // asked again, it is done again; and whether a member may follow by now is looked at again
        boolean again = outcome instanceof Outcome.Unknown
                || (command instanceof Command.Follow && outcome instanceof Outcome.Refused);
        if (!again) {
            finished.put(command.id(), outcome);
            if (finished.size() > REMEMBERED) {
                finished.pollFirstEntry();
            }
        }
        LOG.info("event=order-ended command={} {} outcome=\"{}\"", command.id(), describe(command), outcome.describe());
        metrics.outcome(command, outcome);
        if (reply != null) {
            reply.accept(new CommandReply(command.id(), outcome, seen));
        }
        keeper.beatSoon();
    }

    private void endOlderWaits(Command command) {
        for (Command wait : waits.values()) {
            if (wait.resource().equals(command.resource()) && wait.epoch() < command.epoch()) {
                holdings.commands(command.resource()).interrupt();
            }
        }
    }

    /// The port is under the kernel's lease before the server may write, so that nothing outlives this agent; the
    /// address comes when the server is open.
    private Outcome openWrites(Command.OpenWrites open) {
        belonging.adopt(open.resource(), true);
        Outcome gate = holdings.openGate(open.resource(), open.epoch());
        if (!(gate instanceof Outcome.Done)) {
            return gate;
        }
        Outcome opened = onDatabase(open);
        if (!(opened instanceof Outcome.Done)) {
            return opened;
        }
        Outcome address = holdings.takeAddress(open.resource(), open.epoch(), null);
        return address instanceof Outcome.Done ? opened : address;
    }

    private Outcome onDatabase(Command command) {
        Site site = holdings.site();
        DatabaseControl database =
                site == null ? null : site.database(command.resource()).orElse(null);
        if (database == null) {
            return new Outcome.Refused(
                    "unsupported",
                    "no database of group " + command.resource().group() + " is configured in agent.yml here");
        }
        return database.execute(command, keeper.check(command.resource(), command.epoch()));
    }

    private Outcome restartService(Command.RestartService restart) {
        Site site = holdings.site();
        ServiceControl service =
                site == null ? null : site.service(restart.resource().group()).orElse(null);
        if (service == null) {
            return new Outcome.Refused(
                    "unsupported", "no service of group " + restart.resource().group() + " here");
        }
        LOG.info("event=service-restarted resource={} was={}", restart.resource(), service.state());
        return service.start();
    }

    private Outcome setServerState(Command.SetServerState set) {
        Site site = holdings.site();
        RouteControl admin = site == null ? null : site.balancer(set.group()).orElse(null);
        return admin == null
                ? new Outcome.Refused("unsupported", "no balancer of group " + set.group() + " here")
                : admin.setServerState(set.backend(), set.server(), set.state());
    }

    private static Outcome internal(Command command, Throwable problem) {
        if (problem instanceof CancellationException) {
            return new Outcome.Unknown("cancelled");
        }
        LOG.error("event=internal-error command={}", command.id(), problem);
        return new Outcome.Unknown("internal error: " + problem);
    }

    private static boolean isWait(Command command) {
        return switch (command) {
            case Command.CatchUp _, Command.ReachPosition _, Command.Follow _ -> true;
            case Command.TakeAddress _,
                    Command.Release _,
                    Command.CutReceiver _,
                    Command.Stage _,
                    Command.OpenWrites _,
                    Command.BlockWrites _,
                    Command.UnblockWrites _,
                    Command.SetServerState _,
                    Command.CloseEpoch _,
                    Command.RestartService _,
                    Command.ShutOut _,
                    Command.LetIn _,
                    Command.OfferCopy _,
                    Command.ReceiveCopy _,
                    Command.AdoptCopy _,
                    Command.EndCopy _,
                    Command.Detach _,
                    Command.Attach _ -> false;
        };
    }

    private static String describe(Command command) {
        return "verb=" + command.verb() + " resource=" + command.resource() + " epoch=" + command.epoch();
    }

    /// Whether this host takes part in a resource. Called on the resource's lane; may wait.
    public interface Belonging {
        Outcome detach(ResourceId resource, long epoch);

        Outcome attach(ResourceId resource);

        /// An address that was there before any lease comes under the gate.
        ///
        /// @param stays it is about to be taken here; otherwise it is removed
        void adopt(ResourceId resource, boolean stays);
    }

    /// Counts outcomes.
    @FunctionalInterface
    public interface CommandMetrics {
        void outcome(Command command, Outcome outcome);
    }
}
