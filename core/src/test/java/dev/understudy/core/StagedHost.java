package dev.understudy.core;

import dev.understudy.protocol.AgentMessage.CommandReply;
import dev.understudy.protocol.AgentMessage.Heartbeat;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.ControllerMessage.Order;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.LeaseHolder;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.LeaseHolder.Lease;
import dev.understudy.protocol.LeaseHolder.Verdict;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An agent with the real lease holder, and a model of the server beside it: HAProxy that lives or not, a database
/// with a position, what it has received, and whom it follows.
final class StagedHost {

    final String name;
    private final StagedSite site;
    private final ClusterSpec spec;
    private final LeaseHolder leases = new LeaseHolder(new Floors(0, List.of()));
    private long seq;
    private Moment lastBeat = new Moment(0);
    private boolean cut;
    private boolean frozen;

    private ServiceState service = ServiceState.RUNNING;
    private int run = 1;
    private boolean readOnly = true;
    private long serverOfLast;
    private long applied;
    private long received;
    private @Nullable String source;
    private boolean receiver;
    private boolean applierBroken;
    private boolean applierSlow;
    private boolean receiverStalled;
    private boolean diverged;
    private boolean failTakes;
    private boolean newsToTell;
    private final List<CommandReply> replies = new ArrayList<>();

    StagedHost(StagedSite site, String name, ClusterSpec spec) {
        this.site = site;
        this.name = name;
        this.spec = spec;
        if (isDatabase() && !name.equals("db1")) {
            source = address("db1");
            receiver = true;
        }
    }

    boolean isCut() {
        return cut;
    }

    void cut() {
        cut = true;
        site.decide(new Input.LinkLost(name));
    }

    void heal() {
        cut = false;
        connect(site.mono());
    }

    /// All processes of the host stop; the kernel still ends its leases.
    void freeze() {
        frozen = true;
    }

    void thaw() {
        frozen = false;
    }

    void killService() {
        service = ServiceState.ENDED;
        receiver = false;
        fence(spec.resources().stream().filter(this::mine).toList());
        beat(site.mono());
    }

    void stopServiceCleanly() {
        service = ServiceState.STOPPED;
        receiver = false;
        beat(site.mono());
    }

    void startService() {
        service = ServiceState.RUNNING;
        run++;
        readOnly = true;
        beat(site.mono());
    }

    void breakApplier() {
        applierBroken = true;
    }

    void slowApplier() {
        applierSlow = true;
    }

    void write(int rows) {
        applied += rows;
        received = applied;
        serverOfLast = serverId();
    }

    /// Its receiver is connected, and nothing arrives.
    void stallReceiver() {
        receiverStalled = true;
    }

    void diverge() {
        diverged = true;
    }

    void repair() {
        diverged = false;
    }

    void failTakes() {
        failTakes = true;
    }

    void setReadOnly() {
        readOnly = true;
    }

    boolean writable() {
        return service == ServiceState.RUNNING && !readOnly;
    }

    boolean follows(String other) {
        return receiver && address(other).equals(source);
    }

    /// What the network sees: an address under a live kernel lease, a database that would acknowledge.
    boolean actsAsHolder(ResourceId resource, Moment now) {
        boolean live = leases.lease(resource).map(l -> l.liveAt(now)).orElse(false);
        return resource.name().equals(ResourceId.PRIMARY) ? live && writable() : live;
    }

    void connect(Moment now) {
        leases.forgetHeartbeats();
        site.toController(name, new Hello(1, "shop", name, "boot-" + name, "agent-" + name, 0));
        beat(now);
    }

    void reconnect(Moment now) {
        if (!cut && !frozen) {
            connect(now);
        }
    }

    void tick(Moment now) {
        if (frozen) {
            return;
        }
        List<ResourceId> over =
                leases.expired(now).stream().map(Lease::resource).toList();
        if (!over.isEmpty()) {
            fence(over);
        }
        replicate();
        List<CommandReply> answers = List.copyOf(replies);
        replies.clear();
        answers.forEach(reply -> site.toController(name, reply));
        if (newsToTell || now.since(lastBeat).compareTo(spec.timing().heartbeat()) >= 0) {
            beat(now);
        }
    }

    void receive(ControllerMessage message, Moment now) {
        if (frozen) {
            return;
        }
        switch (message) {
            case ControllerMessage.Acknowledgement ack -> leases.acknowledged(ack.seq(), ack.term(), ack.grants(), now);
            case Order order -> {
                Outcome outcome =
                        switch (leases.ordered(order, now)) {
                            case Verdict.Rejected rejected -> rejected.outcome();
                            case Verdict.Accepted accepted -> carryOut(order.command(), accepted.deadline());
                        };
                if (outcome != null) {
                    replies.add(new CommandReply(order.command().id(), outcome, observations()));
                }
                if (outcome instanceof Outcome.Done && order.command().takesLease()) {
                    newsToTell = true;
                }
            }
            case ControllerMessage.Welcome _, ControllerMessage.Refusal _ -> {}
        }
    }

    private @Nullable Outcome carryOut(Command command, Moment deadline) {
        if (isDatabase() && service != ServiceState.RUNNING && !(command instanceof Command.Release)) {
            return new Outcome.Failed("the server is not there");
        }
        switch (command) {
            case Command.TakeAddress take -> {
                if (failTakes) {
                    return new Outcome.Failed("cannot add the address");
                }
                leases.take(take.resource(), take.epoch(), deadline);
            }
            case Command.Release release -> {
                fence(List.of(release.resource()));
                leases.released(release.resource(), release.releasedEpoch());
            }
            case Command.CutReceiver _ -> {
                receiver = false;
                return new Outcome.Done(
                        Map.of("received", gtid(received), "applied", gtid(applied), "binlog", gtid(applied)));
            }
            case Command.CatchUp _ -> {
                if (applierBroken && applied < received) {
                    return new Outcome.Failed("applier: error 1062");
                }
                if (applierSlow && applied < received) {
                    return null; // never done in time
                }
                applied = received;
            }
            case Command.Stage _ -> source = null;
            case Command.Follow follow -> {
                if (diverged) {
                    return new Outcome.Refused("diverged", "has 0-1-99 which the primary lacks");
                }
                source = follow.primaryAddress();
                receiver = true;
                replicate();
            }
            case Command.OpenWrites open -> {
                if (failTakes) {
                    return new Outcome.Failed("cannot open");
                }
                leases.take(open.resource(), open.epoch(), deadline);
                readOnly = false;
            }
            case Command.BlockWrites _ -> {
                readOnly = true;
                return new Outcome.Done(Map.of("binlog", gtid(applied)));
            }
            case Command.UnblockWrites _ -> readOnly = false;
            case Command.ReachPosition reach -> {
                if (applierSlow || !GtidList.parse(gtid(received)).reached(GtidList.parse(reach.position()))) {
                    return new Outcome.Failed("not reached");
                }
                applied = received;
            }
            case Command.SetServerState _ -> {}
        }
        return Outcome.Done.withoutFacts();
    }

    private void fence(List<ResourceId> resources) {
        for (ResourceId resource : resources) {
            if (resource.name().equals(ResourceId.PRIMARY)) {
                readOnly = true;
            }
            leases.lease(resource).ifPresent(lease -> leases.released(resource, lease.epoch()));
        }
    }

    private void replicate() {
        if (receiver && source != null && service == ServiceState.RUNNING && !cut && !receiverStalled) {
            for (StagedHost other : site.hosts.values()) {
                if (other.address(other.name).equals(source) && !other.cut && !other.frozen) {
                    received = Math.max(received, other.applied);
                    serverOfLast = other.serverOfLast;
                }
            }
            if (!applierBroken && !applierSlow) {
                applied = received;
            }
        }
    }

    private void beat(Moment now) {
        if (frozen) {
            return;
        }
        lastBeat = now;
        newsToTell = false;
        seq++;
        leases.heartbeatSent(seq, now);
        site.toController(name, new Heartbeat(seq, leases.report(now), observations(), 0));
    }

    private List<Observation> observations() {
        Health health = service == ServiceState.RUNNING ? Health.UP : Health.DOWN;
        if (name.startsWith("lb")) {
            return List.of(new Observation.Balancer("edge", service, health, 100, "hash", List.of(), ""));
        }
        if (name.startsWith("web")) {
            return List.of(new Observation.Web("app", health, 200, ""));
        }
        Observation.Replica replica = source == null
                ? null
                : new Observation.Replica(
                        source,
                        receiver ? "Yes" : "No",
                        applierBroken ? "No" : "Yes",
                        gtid(received),
                        applierSlow ? 100 : 0,
                        0,
                        applierBroken ? 1062 : 0,
                        applierBroken ? "error 1062" : "");
        boolean up = service == ServiceState.RUNNING;
        return List.of(new Observation.Database(
                "shopdb",
                service,
                health,
                "10.11",
                serverId(),
                "run" + run,
                up ? readOnly : null,
                up ? gtid(applied) : "",
                up ? gtid(applied) : "",
                false,
                false,
                0,
                replica,
                ""));
    }

    private String gtid(long sequence) {
        return sequence == 0 ? "" : "0-" + serverOfLast + "-" + sequence;
    }

    private boolean isDatabase() {
        return name.startsWith("db");
    }

    private boolean mine(ResourceId resource) {
        return spec.group(resource.group()).map(g -> g.members().contains(name)).orElse(false);
    }

    private long serverId() {
        return Long.parseLong(name.substring(2));
    }

    private String address(String host) {
        return spec.host(host).map(ClusterSpec.Host::address).orElseThrow();
    }
}
