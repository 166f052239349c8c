package dev.understudy.core;

import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.clock.ClockRate;
import dev.understudy.core.plan.CircleKeeper;
import dev.understudy.core.plan.LongLeases;
import dev.understudy.core.plan.MemberKeeper;
import dev.understudy.core.plan.PrimaryMachine;
import dev.understudy.core.plan.RebuildKeeper;
import dev.understudy.core.plan.ResourceMachine;
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
import java.util.Optional;

/// The one function that decides. Pure: the same state, input and time give the same decision.
///
/// Reports only update what is known; then every resource is looked at until nothing changes any more (at most
/// [#MAX_PASSES] times), so a service that died on the holder is acted on by the message that says so.
public final class Core {

    /// A plan can enter several phases in one step (a released address is given at once); never more than these.
    static final int MAX_PASSES = 12;

    private Core() {}

    /// @throws RuntimeException only for an error of programming: the process must end, its leases then lapse
    public static Decision step(State state, Input input, Now now) {
        Turn turn = new Turn(state, now);
        if (state.leading()) {
            Desk.expire(turn);
        }
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
                turn.become(turn.state().withHosts(again).catchingUp(true));
            }
            case Input.Tick _ -> {
                turn.become(turn.state().catchingUp(false));
                turn.prune();
                ClockWatch.look(turn);
                ReaderWatch.look(turn);
            }
        }
        if (turn.state().leading() && turn.state().journaled().spec() != null) {
            LongLeases.forgetLapsed(turn);
            if (!turn.state().catchingUp()) {
                decide(turn);
            }
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
                    LongLeases.restarted(turn, host);
                }
                turn.become(turn.state()
                        .with(HostView.greeted(host, hello, known, turn.now().mono())));
                if (turn.state().journaled().spec() != null) {
                    turn.send(host, welcome(turn.state()));
                }
            }
            case AgentMessage.Heartbeat beat -> {
                if (known != null) {
                    turn.become(turn.state()
                            .with(known.after(
                                    beat,
                                    turn.now().mono(),
                                    ClockRate.window(turn.state().timing()))));
                }
            }
            case AgentMessage.CommandReply reply -> {
                if (known != null) {
                    turn.become(turn.state()
                            .with(known.seen(reply.observations(), turn.now().mono())));
                    turn.answered(reply.commandId(), reply.outcome());
                }
            }
            case AgentMessage.RestartNotice notice -> LongLeases.begin(turn, host, notice.millis());
            case AgentMessage.Diverged _ -> {} // for the person who asked: decides nothing
        }
    }

    private static ControllerMessage welcome(State state) {
        ClusterSpec spec = state.spec();
        return new ControllerMessage.Welcome(
                spec.cluster(), state.term(), state.journaled().specVersion(), spec);
    }

    private static void decide(Turn turn) {
        for (Group group : turn.state().spec().groups()) {
            Attachments.look(turn, group);
            if (turn.evidence().mode(group.name()) == Mode.OBSERVE) {
                if (group.mode() == Mode.OBSERVE) {
                    turn.state().spec().resourcesOf(group).forEach(id -> Onlooker.look(turn, id));
                }
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
            ResourceState now = turn.resource(id);
            changed = now != null && ResourceMachine.of(turn, now).advance();
        }
        ResourceState resource = turn.resource(id);
        if (resource != null && resource.steady() && turn.evidence().newerThan(id, resource.epoch())) {
            return; // a journal older than what agents have seen acts on nothing (S22)
        }
        new CircleKeeper(turn, id).advance();
        if (id.isPrimary() && group instanceof DatabaseGroup databases) {
            new MemberKeeper(turn, id, databases).advance();
            new RebuildKeeper(turn, id, databases).advance();
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
                    case AgentMessage.Hello _, AgentMessage.CommandReply _, AgentMessage.Diverged _ -> 0;
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
                                .granted(
                                        resource.id(),
                                        resource.epoch(),
                                        length,
                                        turn.now().mono())));
                grants.add(new Grant(
                        resource.id(),
                        resource.epoch(),
                        length.toMillis(),
                        turn.state()
                                .journaled()
                                .circle(resource)
                                .map(Consenting::circle)
                                .orElse(null)));
            }
        }
        turn.send(
                report.host(),
                new ControllerMessage.Acknowledgement(seq, turn.state().term(), grants));
    }

    private static Duration length(State state, ResourceId id) {
        LongLease lease = state.journaled().longLeases().get(id);
        return lease == null || lease.restartOver() ? state.timing().ttl() : lease.length();
    }

    private static boolean renews(ResourceState resource) {
        return switch (resource) {
            case AddressState address -> address.phase() == AddressPhase.HELD;
            case PrimaryState primary ->
                switch (primary.phase()) {
                    case HELD, BLOCKING, REACHING, UNBLOCKING, OPENING -> true;
                    case VACANT, FENCING, CUTTING, FETCHING, CATCHING_UP, STAGING, ATTACHING, BLOCKED -> false;
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
            case OperatorRequest.Switchover move ->
                machine(turn, move.resource(), request).ifPresent(m -> m.move(request, move.to()));
            case OperatorRequest.Failover move ->
                machine(turn, move.resource(), request).ifPresent(m -> m.failover(request, move.to()));
            case OperatorRequest.Pause pause -> new Desk(turn, operator).pause(pause);
            case OperatorRequest.Resume resume -> new Desk(turn, operator).resume(resume.group());
            case OperatorRequest.Maintenance work -> new Desk(turn, operator).maintenance(work);
            case OperatorRequest.Detach detach -> new Desk(turn, operator).detach(detach.group());
            case OperatorRequest.SetMode mode -> {
                if (!mode.spec().equals(turn.state().spec())) {
                    apply(turn, request, new OperatorRequest.Apply(mode.spec(), mode.text()));
                }
                new Desk(turn, operator).attach(mode);
            }
            case OperatorRequest.Retry retry -> {
                if (turn.resource(retry.resource()) instanceof PrimaryState) {
                    new PrimaryMachine(turn, retry.resource()).retry(request);
                } else {
                    turn.answer(request, false, unknown(turn, retry.resource()), "");
                }
            }
            case OperatorRequest.AcceptLoss loss -> {
                if (turn.resource(loss.resource()) instanceof PrimaryState) {
                    new PrimaryMachine(turn, loss.resource()).acceptLoss(request, operator.who(), loss.words());
                } else {
                    turn.answer(request, false, unknown(turn, loss.resource()), "");
                }
            }
            case OperatorRequest.Rebuild rebuild -> new RebuildDesk(turn, operator).begin(rebuild);
            case OperatorRequest.CancelRebuild cancel -> new RebuildDesk(turn, operator).cancel(cancel);
            case OperatorRequest.Fenced fenced -> new Desk(turn, operator).fenced(fenced.host());
            case OperatorRequest.Acknowledge word -> new NoticeDesk(turn, operator).acknowledge(word);
            case OperatorRequest.Tell tell -> new NoticeDesk(turn, operator).tell(tell);
            case OperatorRequest.PlannedStop _ -> {
                LongLeases.begin(turn);
                String length = LongLeases.LONGEST.toSeconds() + " s";
                turn.answer(request, true, "leases outlive the restart by " + length, "");
            }
        }
    }

    /// What moves the resource; empty, with the request answered, when nothing may.
    private static Optional<ResourceMachine> machine(Turn turn, ResourceId id, String request) {
        ResourceState resource = turn.resource(id);
        if (resource == null) {
            turn.answer(request, false, unknown(turn, id), "");
            return Optional.empty();
        }
        if (turn.evidence().mode(id.group()) == Mode.OBSERVE) {
            boolean detached = turn.evidence().operations().detached().contains(id.group());
            String why = detached ? id.group() + " is detached" : "the mode of " + id.group() + " is observe";
            turn.answer(request, false, why + ": nothing is moved", "");
            return Optional.empty();
        }
        return Optional.of(ResourceMachine.of(turn, resource));
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
        for (ResourceState resource : journaled.resources().values()) {
            boolean observed = apply.spec()
                    .group(resource.id().group())
                    .map(g -> g.mode() == Mode.OBSERVE)
                    .orElse(false);
            if (observed && resource.holder() != null) {
                String group = resource.id().group();
                turn.answer(
                        request,
                        false,
                        resource.id() + " is held by " + resource.holder() + " under a lease: understudy detach "
                                + group + " first, then mode observe",
                        "");
                return;
            }
        }
        for (ResourceState resource : journaled.resources().values()) {
            Optional<String> still = acker(resource, apply.spec());
            if (still.isPresent()) {
                turn.answer(
                        request,
                        false,
                        still.get() + " may still acknowledge for " + resource.id()
                                + ": take it out of the group first, and out of the hosts when it has left the ackers",
                        "");
                return;
            }
        }
        if (apply.spec().equals(old) && apply.text().equals(journaled.specText())) {
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
                    .with(new LeaseGrantor(
                            apply.spec().timing(), leases.unknownUntil(), leases.lapseAt(), leases.longUntil())));
        }
        turn.state().hosts().keySet().forEach(host -> turn.send(host, welcome(turn.state())));
        turn.answer(request, true, "version " + version + " is in force", event);
    }

    /// An acker that the file knows no more: the primary could not be told whom to shut out.
    private static Optional<String> acker(ResourceState resource, ClusterSpec next) {
        return resource instanceof PrimaryState primary
                ? primary.ackers().stream().filter(a -> next.host(a).isEmpty()).findFirst()
                : Optional.empty();
    }
}
