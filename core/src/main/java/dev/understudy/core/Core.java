package dev.understudy.core;

import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.plan.AddressMachine;
import dev.understudy.core.plan.MemberKeeper;
import dev.understudy.core.plan.PrimaryMachine;
import dev.understudy.core.plan.RouteKeeper;
import dev.understudy.core.plan.Turn;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Grant;
import dev.understudy.protocol.LeaseGrantor;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The one function that decides. Pure: the same state, input and time give the same decision.
///
/// Reports only update what is known; then every resource is looked at until nothing changes any more (at most
/// [#MAX_PASSES] times), so a service that died on the holder is acted on by the message that says so.
public final class Core {

    /// A plan can enter several phases in one step (a released address is given at once); never more than these.
    static final int MAX_PASSES = 12;

    /// The length of a lease that is to outlive a planned restart (S9).
    static final Duration PLANNED_STOP = Duration.ofSeconds(30);

    private Core() {}

    /// @throws RuntimeException only for an error of programming: the process must end, its leases then lapse
    public static Decision step(State state, Input input, Now now) {
        Turn turn = new Turn(state, now);
        switch (input) {
            case Input.AgentReport report -> hear(turn, report.host(), report.message());
            case Input.LinkLost lost -> {
                HostView view = state.hosts().get(lost.host());
                if (view != null) {
                    turn.become(turn.state().with(view.disconnected()));
                }
            }
            case Input.Operator operator -> ask(turn, operator);
            case Input.LeadershipChanged change ->
                turn.become(
                        change.leading()
                                ? State.start(state.journaled(), change.term(), now)
                                : turn.state().leading(change.term(), false));
            case Input.LoopWasLate _ -> {
                Map<String, HostView> again = new HashMap<>();
                turn.state().hosts().forEach((host, view) -> again.put(host, view.heardAgain(now.mono())));
                turn.become(turn.state().withHosts(again));
            }
            case Input.Tick _ -> turn.prune();
        }
        if (turn.state().leading() && turn.state().journaled().spec() != null) {
            decide(turn);
            if (input instanceof Input.AgentReport report) {
                acknowledge(turn, report);
            }
        }
        return turn.decision();
    }

    private static void hear(Turn turn, String host, AgentMessage message) {
        HostView known = turn.state().hosts().get(host);
        switch (message) {
            case AgentMessage.Hello hello -> {
                if (known == null || !known.incarnation().equals(hello.incarnation())) {
                    turn.forgetUnanswered(host);
                    endExtendedLeasesOf(turn, host);
                }
                turn.become(turn.state()
                        .with(HostView.greeted(
                                host,
                                hello,
                                known == null ? Map.of() : known.leases(),
                                turn.now().mono())));
                if (turn.state().journaled().spec() != null) {
                    turn.send(host, welcome(turn.state()));
                }
            }
            case AgentMessage.Heartbeat beat -> {
                if (known != null) {
                    turn.become(turn.state().with(known.after(beat, turn.now().mono())));
                }
            }
            case AgentMessage.CommandReply reply -> {
                if (known != null) {
                    turn.become(turn.state()
                            .with(known.seen(reply.observations(), turn.now().mono())));
                    turn.answered(reply.commandId(), reply.outcome());
                }
            }
            case AgentMessage.RestartNotice notice -> extendLeasesOf(turn, host, notice.millis());
        }
    }

    private static ControllerMessage welcome(State state) {
        ClusterSpec spec = state.spec();
        return new ControllerMessage.Welcome(
                spec.cluster(), state.term(), state.journaled().specVersion(), spec);
    }

    private static void decide(Turn turn) {
        for (Group group : turn.state().spec().groups()) {
            if (group.mode() == Mode.OBSERVE) {
                continue;
            }
            for (ResourceId id : turn.state().spec().resources()) {
                if (id.group().equals(group.name())) {
                    decide(turn, id, group);
                }
            }
        }
    }

    private static void decide(Turn turn, ResourceId id, Group group) {
        boolean changed = true;
        for (int pass = 0; changed && pass < MAX_PASSES; pass++) {
            changed = switch (turn.resource(id)) {
                case AddressState _ -> new AddressMachine(turn, id).advance();
                case PrimaryState _ -> new PrimaryMachine(turn, id).advance();
                case null -> false;
            };
        }
        if (group instanceof DatabaseGroup databases) {
            new MemberKeeper(turn, id, databases).advance();
            new RouteKeeper(turn, id, databases).advance();
        }
    }

    /// Answers a heartbeat: a lease is renewed for the journaled holder and epoch only, and only if its agent says
    /// that it holds it.
    private static void acknowledge(Turn turn, Input.AgentReport report) {
        long seq =
                switch (report.message()) {
                    case AgentMessage.Heartbeat beat -> beat.seq();
                    case AgentMessage.RestartNotice notice -> notice.seq();
                    case AgentMessage.Hello _, AgentMessage.CommandReply _ -> 0;
                };
        if (seq == 0 || !turn.state().hosts().containsKey(report.host())) {
            return;
        }
        List<Grant> grants = new ArrayList<>();
        for (ResourceState resource : turn.state().journaled().resources().values()) {
            if (report.host().equals(resource.holder())
                    && renews(resource)
                    && turn.evidence().holds(report.host(), resource.id(), resource.epoch())) {
                Duration length = length(turn.state(), resource.id());
                turn.become(turn.state()
                        .with(turn.state()
                                .leases()
                                .granted(resource.id(), length, turn.now().mono())));
                grants.add(new Grant(resource.id(), resource.epoch(), length.toMillis()));
            }
        }
        turn.send(
                report.host(),
                new ControllerMessage.Acknowledgement(seq, turn.state().term(), grants));
    }

    private static Duration length(State state, ResourceId id) {
        Long extended = state.journaled().extended().get(id);
        return extended == null ? state.timing().ttl() : Duration.ofMillis(extended);
    }

    private static boolean renews(ResourceState resource) {
        return switch (resource) {
            case AddressState address -> address.phase() == AddressPhase.HELD;
            case PrimaryState primary ->
                switch (primary.phase()) {
                    case HELD, BLOCKING, REACHING, UNBLOCKING, OPENING -> true;
                    case VACANT, FENCING, CUTTING, CATCHING_UP, STAGING, ATTACHING, BLOCKED -> false;
                };
        };
    }

    private static void ask(Turn turn, Input.Operator operator) {
        String request = operator.requestId();
        if (!turn.state().leading()) {
            turn.answer(request, false, "this controller does not lead", "");
            return;
        }
        switch (operator.request()) {
            case OperatorRequest.Apply apply -> apply(turn, request, apply);
            case OperatorRequest.Switchover move -> {
                switch (turn.resource(move.resource())) {
                    case AddressState _ -> {
                        if (manages(turn, move.resource(), request)) {
                            new AddressMachine(turn, move.resource()).move(request, move.to());
                        }
                    }
                    case PrimaryState _ -> {
                        if (manages(turn, move.resource(), request)) {
                            new PrimaryMachine(turn, move.resource()).move(request, move.to());
                        }
                    }
                    case null -> turn.answer(request, false, unknown(turn, move.resource()), "");
                }
            }
            case OperatorRequest.Retry retry -> {
                if (turn.resource(retry.resource()) instanceof PrimaryState) {
                    new PrimaryMachine(turn, retry.resource()).retry(request);
                } else {
                    turn.answer(request, false, unknown(turn, retry.resource()), "");
                }
            }
            case OperatorRequest.PlannedStop _ -> {
                for (ResourceState resource :
                        turn.state().journaled().resources().values()) {
                    extend(turn, resource, PLANNED_STOP.toMillis());
                }
                turn.answer(request, true, "leases outlive the restart by " + PLANNED_STOP.toSeconds() + " s", "");
            }
        }
    }

    private static boolean manages(Turn turn, ResourceId id, String request) {
        boolean observes = turn.state()
                .spec()
                .group(id.group())
                .map(g -> g.mode() == Mode.OBSERVE)
                .orElse(true);
        if (observes) {
            turn.answer(request, false, "the mode of " + id.group() + " is observe: nothing is moved", "");
        }
        return !observes;
    }

    private static String unknown(Turn turn, ResourceId id) {
        return "there is no resource " + id + " (there are: "
                + String.join(
                        ", ",
                        turn.state().journaled().resources().keySet().stream()
                                .sorted()
                                .map(ResourceId::toString)
                                .toList())
                + ")";
    }

    private static void apply(Turn turn, String request, OperatorRequest.Apply apply) {
        Journaled journaled = turn.state().journaled();
        ClusterSpec old = journaled.spec();
        if (old != null && !old.cluster().equals(apply.spec().cluster())) {
            turn.answer(
                    request,
                    false,
                    "this is cluster " + old.cluster() + ", the file is for "
                            + apply.spec().cluster(),
                    "");
            return;
        }
        for (ResourceState resource : journaled.resources().values()) {
            boolean gone = !apply.spec().resources().contains(resource.id());
            String holder = resource.holder();
            boolean homeless = holder != null
                    && apply.spec()
                            .group(resource.id().group())
                            .map(g -> !g.members().contains(holder))
                            .orElse(true);
            if (holder != null && (gone || homeless)) {
                turn.answer(
                        request,
                        false,
                        resource.id() + " is held by " + holder + " and the file has no place for it",
                        "");
                return;
            }
        }
        if (apply.spec().equals(old)) {
            turn.answer(request, true, "unchanged, version " + journaled.specVersion(), "");
            return;
        }
        String event = turn.nextEventId();
        long version = journaled.specVersion() + 1;
        turn.record(new JournalEntry.SpecApplied(
                version,
                apply.spec(),
                apply.text(),
                turn.event("cluster specification version " + version + " is in force")));
        LeaseGrantor leases = turn.state().leases();
        if (!leases.timing().equals(apply.spec().timing())) {
            turn.become(turn.state()
                    .with(new LeaseGrantor(apply.spec().timing(), leases.unknownUntil(), leases.lapseAt())));
        }
        turn.state().hosts().keySet().forEach(host -> turn.send(host, welcome(turn.state())));
        turn.answer(request, true, "version " + version + " is in force", event);
    }

    private static void extendLeasesOf(Turn turn, String host, long millis) {
        long length = Math.clamp(millis, 0, PLANNED_STOP.toMillis());
        for (ResourceState resource : turn.state().journaled().resources().values()) {
            if (host.equals(resource.holder())) {
                extend(turn, resource, length);
            }
        }
    }

    /// The restart that a longer lease was for is over: the host's agent speaks again, or speaks with a new leader.
    private static void endExtendedLeasesOf(Turn turn, String host) {
        for (ResourceState resource : turn.state().journaled().resources().values()) {
            if (host.equals(resource.holder())
                    && turn.state().journaled().extended().containsKey(resource.id())) {
                String text = "the planned restart is over: leases of " + host + " have their ordinary length again";
                turn.record(new JournalEntry.LeaseExtended(
                        resource.id(), resource.epoch(), 0, turn.event(resource, resource, "", "", text, List.of())));
            }
        }
    }

    private static void extend(Turn turn, ResourceState resource, long millis) {
        if (resource.steady()) {
            String text = "planned restart: the lease of " + resource.holder() + " is " + millis + " ms long meanwhile";
            turn.record(new JournalEntry.LeaseExtended(
                    resource.id(), resource.epoch(), millis, turn.event(resource, resource, "", "", text, List.of())));
        }
    }
}
