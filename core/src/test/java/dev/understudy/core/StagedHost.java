package dev.understudy.core;

import dev.understudy.protocol.AgentMessage.ClockReading;
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
import dev.understudy.protocol.Observation.HeartbeatRow;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import dev.understudy.protocol.StandingConsent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// An agent with the real lease holder, and a model of the server beside it: HAProxy that lives or not, a database
/// with a position, what it has received, and whom it follows.
final class StagedHost {

    final String name;
    private final StagedSite site;
    private final ClusterSpec spec;
    private LeaseHolder leases = new LeaseHolder(new Floors(0, List.of()));
    private long seq;
    private Moment lastBeat = new Moment(0);
    private double clockRate = 1;
    private int incarnation;
    private long answered;
    private long answeredNanos;
    private boolean cut;
    private boolean cutFromController;
    private boolean frozen;
    private boolean agentDown;
    private boolean hung;
    private boolean deaf;
    private boolean leaving;
    private final List<Observation.Trouble> troubles = new ArrayList<>();
    private final Map<String, Observation> eyes = new TreeMap<>();
    private Observation.Settings settings;

    private ServiceState service = ServiceState.RUNNING;
    private int run = 1;
    private boolean readOnly = true;
    private long serverOfLast;
    private long applied;
    private long received;
    private @Nullable HeartbeatRow heartbeatRow;
    private @Nullable String source;
    private boolean receiver;
    private boolean applierBroken;
    private boolean applierSlow;
    private boolean receiverStalled;
    private @Nullable String nothingArrivesFrom;
    private boolean stagedWhileReceiving;
    private boolean losesFetched;
    private long beforeFetch = -1;
    private boolean notLetIn;
    private boolean semiSync;
    private long unacknowledged;
    private final Set<String> shutOut = new TreeSet<>();
    private boolean diverged;
    private String dropped = "";
    private boolean failTakes;
    private boolean failRestarts;
    private boolean holdsFollows;
    private boolean hasAddress;
    private boolean cannotDrain;
    private Command.@Nullable Giver giver;
    private final Set<ResourceId> detached = new TreeSet<>();
    private boolean newsToTell;
    private long promised;
    private final List<CommandReply> replies = new ArrayList<>();
    final StagedCopy copy = new StagedCopy();

    StagedHost(StagedSite site, String name, ClusterSpec spec) {
        this.site = site;
        this.name = name;
        this.spec = spec;
        this.settings = new Observation.Settings(
                "shopdb",
                "10.11.6-MariaDB",
                isDatabase() ? serverId() : 0,
                "ROW",
                0,
                0,
                50L << 30,
                100L << 30,
                List.of());
        if (isDatabase() && !name.equals("db1")) {
            source = address("db1");
            receiver = true;
        }
    }

    /// Nothing goes between this host and the controller.
    boolean isCut() {
        return cut || cutFromController || agentDown;
    }

    /// Only the controller does not reach it.
    void cutFromController() {
        cutFromController = true;
        site.decide(new Input.LinkLost(name));
    }

    /// The agent is gone; what it held goes on until the kernel ends it.
    void killAgent() {
        agentDown = true;
        site.decide(new Input.LinkLost(name));
    }

    /// Its agent is about to be stopped cleanly, as if without a controller in reach: its next consents are standing
    /// ones.
    void leaveStandingConsents() {
        leaving = true;
    }

    /// The agent that was gone starts again.
    void startAgent() {
        agentDown = false;
        leaving = false;
        leases = new LeaseHolder(leases.floors());
        leases.promisesEnd(
                site.mono().plus(spec.timing().lapseAfter(spec.timing().ttl())));
        reconnect(site.mono());
    }

    /// Every process is gone at once, and what the kernel knew.
    void powerOff() {
        cut = true;
        agentDown = true;
        readOnly = true;
        receiver = false;
        leases = new LeaseHolder(leases.floors());
        site.decide(new Input.LinkLost(name));
    }

    /// It boots: server and agent are started, read-only and following nobody.
    void powerOn() {
        cut = false;
        agentDown = false;
        incarnation++;
        run++;
        leases.promisesEnd(
                site.mono().plus(spec.timing().lapseAfter(spec.timing().ttl())));
        connect(site.mono());
    }

    /// Its server dropped the end of its binary log when it was started (S16).
    void loseTail(int rows) {
        applied -= rows;
        received = applied;
    }

    /// Gives up by itself whatever it holds.
    void giveUp() {
        fence(spec.resources().stream().filter(this::mine).toList());
        beat(site.mono());
    }

    /// Its agent starts again without having found its lease alive, and has not released it yet.
    void forgetLease() {
        leases = new LeaseHolder(leases.floors());
        leases.promisesEnd(site.mono());
        readOnly = true;
        reconnect(site.mono());
    }

    /// Its answers to questions of consent do not arrive.
    void refuseConsent() {
        deaf = true;
    }

    void setWritable() {
        readOnly = false;
        beat(site.mono());
    }

    /// The service lives and answers nobody.
    void hang() {
        hung = true;
        beat(site.mono());
    }

    void troubled(Observation.Trouble trouble) {
        troubles.add(trouble);
        beat(site.mono());
    }

    /// Its server is set up differently from now on.
    void isSetUp(UnaryOperator<Observation.Settings> change) {
        settings = change.apply(settings);
        beat(site.mono());
    }

    /// One thing of how its server is set up.
    void isSetUp(String what, String value) {
        isSetUp(s -> new Observation.Settings(
                s.group(),
                what.equals("version") ? value : s.version(),
                what.equals("server_id") ? Long.parseLong(value) : s.serverId(),
                what.equals("binlog_format") ? value : s.binlogFormat(),
                what.equals("gtid_domain_id") ? Long.parseLong(value) : s.gtidDomain(),
                what.equals("delay") ? Long.parseLong(value) : s.delaySeconds(),
                what.equals("free_percent") ? s.diskBytes() / 100 * Long.parseLong(value) : s.diskFreeBytes(),
                s.diskBytes(),
                what.equals("finding")
                        ? List.of(new Observation.Finding(value, Observation.Severity.BLOCKS, "OFF, ON is needed"))
                        : what.equals("warning")
                                ? List.of(new Observation.Finding(value, Observation.Severity.WARNS, "0, 1 is safe"))
                                : s.findings()));
    }

    /// What this host sees of others, from the next heartbeat on.
    void sees(Observation observation) {
        eyes.put(observation.key(), observation);
        beat(site.mono());
    }

    void cut() {
        cut = true;
        site.decide(new Input.LinkLost(name));
    }

    void heal() {
        cut = false;
        cutFromController = false;
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
        semiSync = false;
        beat(site.mono());
    }

    void breakApplier() {
        applierBroken = true;
    }

    void slowApplier() {
        applierSlow = true;
    }

    /// The heartbeat row as it is on its server.
    void heartbeatRow(HeartbeatRow row) {
        heartbeatRow = row;
        beat(site.mono());
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

    /// Nothing arrives any more from the one that it follows now; from others it does.
    void fallBehind() {
        nothingArrivesFrom = source;
    }

    /// Its receiver still ran when it was told to stop being a replica.
    boolean stagedWhileReceiving() {
        return stagedWhileReceiving;
    }

    /// What it has got by reaching a position is gone again when it is asked for its own.
    void losesWhatItFetches() {
        losesFetched = true;
    }

    long rows() {
        return applied;
    }

    void goesOnApplying() {
        applierSlow = false;
    }

    /// Its receiver has a wrong password, until it is told to follow again.
    void wrongPassword() {
        receiver = false;
        notLetIn = true;
    }

    void goesOnReceiving() {
        receiverStalled = false;
    }

    /// Somebody ended sessions whose commits waited: they were answered without an acknowledgement.
    void answerUnacknowledged() {
        unacknowledged++;
        beat(site.mono());
    }

    /// Somebody switched semi-synchronous replication off by hand.
    void waitForNobody() {
        semiSync = false;
        beat(site.mono());
    }

    /// Whether it waits for acknowledgements.
    boolean waits() {
        return semiSync;
    }

    boolean shutsOut(String other) {
        return shutOut.contains(address(other));
    }

    void diverge() {
        diverged = true;
    }

    /// Its next start takes the end of its binary log, which nobody has.
    void dropTail(String told) {
        dropped = told;
    }

    void repair() {
        diverged = false;
    }

    void failTakes() {
        failTakes = true;
    }

    void holdFollows() {
        holdsFollows = true;
    }

    void takesAgain() {
        failTakes = false;
    }

    void failRestarts() {
        failRestarts = true;
    }

    /// Somebody configured the address by hand, before Understudy was there.
    void cannotDrain() {
        cannotDrain = true;
    }

    /// Who drained the address that this host took last, null if nobody did.
    Command.@Nullable Giver giver() {
        return giver;
    }

    void hasAddress(boolean present) {
        hasAddress = present;
    }

    /// It has so many transactions of its own and follows nobody.
    void ownHistory(int rows) {
        source = null;
        receiver = false;
        write(rows);
    }

    /// Somebody made it the primary by hand.
    void openByHand() {
        readOnly = false;
        source = null;
        receiver = false;
    }

    void detachByHand() {
        for (ResourceId resource : spec.resources()) {
            if (mine(resource)) {
                carryOut(new Command.Detach("by hand", resource, 0), site.mono());
            }
        }
    }

    boolean isDetached(ResourceId resource) {
        return detached.contains(resource);
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
        String run = incarnation == 0 ? "" : "-" + incarnation;
        site.toController(name, new Hello(1, "shop", name, "boot-" + name + run, "agent-" + name + run, 0));
        beat(now);
    }

    void reconnect(Moment now) {
        if (!cut && !frozen) {
            connect(now);
        }
    }

    void tick(Moment now) {
        if (frozen || agentDown) {
            return;
        }
        List<ResourceId> over =
                leases.expired(now).stream().map(Lease::resource).toList();
        if (!over.isEmpty()) {
            fence(over);
        }
        long promises =
                spec.resources().stream().filter(r -> leases.promised(r, now)).count();
        newsToTell |= promises < promised; // a promise has run out
        promised = promises;
        replicate();
        List<CommandReply> answers = List.copyOf(replies);
        replies.clear();
        answers.forEach(reply -> site.toController(name, reply));
        if (newsToTell || now.since(lastBeat).compareTo(spec.timing().heartbeat()) >= 0) {
            beat(now);
        }
    }

    void receive(ControllerMessage message, Moment now) {
        if (frozen || agentDown) {
            return;
        }
        switch (message) {
            case ControllerMessage.Acknowledgement ack -> {
                answered = ack.seq();
                answeredNanos = clock(now);
                leases.acknowledged(ack.seq(), ack.term(), ack.grants(), now);
            }
            case Order order -> {
                Outcome outcome =
                        switch (leases.ordered(order, now)) {
                            case Verdict.Rejected rejected -> rejected.outcome();
                            case Verdict.Accepted accepted -> carryOut(order.command(), accepted.deadline());
                        };
                if (outcome != null) {
                    replies.add(new CommandReply(order.command().id(), outcome, observations()));
                }
                boolean told = order.command().takesLease() || order.command() instanceof Command.CloseEpoch;
                if (outcome instanceof Outcome.Done && told) {
                    newsToTell = true;
                }
            }
            case ControllerMessage.Welcome _, ControllerMessage.Refusal _, ControllerMessage.AskDiverged _ -> {}
        }
    }

    private @Nullable Outcome carryOut(Command command, Moment deadline) {
        if (isDatabase()
                && service != ServiceState.RUNNING
                && !(command instanceof Command.Release
                        || command instanceof Command.RestartService
                        || StagedCopy.isCopy(command))) {
            return new Outcome.Failed("the server is not there");
        }
        switch (command) {
            case Command.TakeAddress take -> {
                if (failTakes) {
                    return new Outcome.Failed("cannot add the address");
                }
                giver = take.giver();
                leases.take(take.resource(), take.epoch(), deadline);
                hasAddress = false; // it is under a lease now
            }
            case Command.Release release -> {
                fence(List.of(release.resource()));
                leases.released(release.resource(), release.releasedEpoch());
                if (release.drainMillis() > 0 && cannotDrain) {
                    return new Outcome.Done(Map.of(Command.Release.NO_DRAIN, "this kernel cannot"));
                }
                if (release.drainMillis() > 0) {
                    return new Outcome.Done(
                            new Command.Giver("192.0.2.11", "02:00:00:00:00:01", release.drainMillis()).facts());
                }
            }
            case Command.CutReceiver _ -> {
                receiver = false;
                if (beforeFetch >= 0) {
                    applied = beforeFetch;
                    received = beforeFetch;
                }
                return new Outcome.Done(Map.of(
                        "received",
                        gtid(received),
                        "applied",
                        gtid(applied),
                        "binlog",
                        gtid(applied),
                        "serverStart",
                        "run" + run));
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
            case Command.Stage _ -> {
                stagedWhileReceiving = receiver;
                source = null;
                shutOut.clear();
                semiSync = true;
            }
            case Command.ShutOut out -> {
                shutOut.add(out.address());
                return new Outcome.Done(Map.of("binlog", gtid(applied)));
            }
            case Command.LetIn in -> shutOut.remove(in.address());
            case Command.Follow follow -> {
                if (holdsFollows) {
                    return null; // never done in time
                }
                if (diverged) {
                    return new Outcome.Refused("diverged", "has 0-1-99 which the primary lacks");
                }
                source = follow.primaryAddress();
                receiver = true;
                notLetIn = false;
                semiSync = false;
                replicate();
                if (!dropped.isEmpty()) {
                    return new Outcome.Done(Map.of(Command.Follow.DROPPED, dropped));
                }
            }
            case Command.OpenWrites open -> {
                if (failTakes) {
                    return new Outcome.Failed("cannot open");
                }
                leases.take(open.resource(), open.epoch(), deadline);
                readOnly = false;
                semiSync = !open.alone();
                if (open.alone()) {
                    troubles.remove(Observation.Trouble.SEMI_SYNC_BLOCKED);
                }
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
                if (losesFetched) {
                    beforeFetch = applied - 5;
                }
                applied = received;
            }
            case Command.SetServerState _, Command.CloseEpoch _ -> {}
            case Command.OfferCopy _, Command.ReceiveCopy _, Command.EndCopy _ -> {
                return copy.answer(command);
            }
            case Command.AdoptCopy _ -> {
                Outcome outcome = copy.answer(command);
                if (outcome instanceof Outcome.Done) {
                    adopt();
                }
                return outcome;
            }
            case Command.RestartService _ -> {
                if (failRestarts) {
                    return new Outcome.Failed("the start command exited with 1");
                }
                if (service != ServiceState.RUNNING) {
                    startService();
                }
            }
            case Command.Detach detach -> {
                detached.add(detach.resource());
                hasAddress |= leases.lease(StagedSite.ADDRESS).isPresent();
                leases.lease(detach.resource()).ifPresent(lease -> leases.released(detach.resource(), lease.epoch()));
                newsToTell = true;
            }
            case Command.Attach attach -> {
                detached.remove(attach.resource());
                newsToTell = true;
            }
        }
        return Outcome.Done.withoutFacts();
    }

    /// Another server with other data, which follows nobody.
    private void adopt() {
        run++;
        service = ServiceState.RUNNING;
        diverged = false;
        readOnly = true;
        source = null;
        receiver = false;
        applied = 0;
        received = 0;
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
        if (receiver
                && source != null
                && service == ServiceState.RUNNING
                && !cut
                && !receiverStalled
                && !source.equals(nothingArrivesFrom)) {
            for (StagedHost other : site.hosts.values()) {
                boolean open = !other.cut && !other.frozen && !other.shutsOut(name);
                if (other.address(other.name).equals(source) && open) {
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
        if (frozen || agentDown) {
            return;
        }
        lastBeat = now;
        newsToTell = false;
        seq++;
        leases.heartbeatSent(seq, now);
        askForConsent(now);
        ClockReading clock = new ClockReading(clock(now), answered, answeredNanos);
        site.toController(name, new Heartbeat(seq, leases.report(now), observations(), 0, clock));
    }

    /// What it says that its clock shows.
    private long clock(Moment now) {
        return 1_000_000_000_000L + (long) (now.nanos() * clockRate);
    }

    /// The clock that it tells of is so fast from the beginning of this boot; leases go by the true one.
    void clockRate(double rate) {
        clockRate = rate;
        incarnation++;
        connect(site.mono());
    }

    /// Every member of the circle is asked in the same instant, and promises if the network lets it.
    private void askForConsent(Moment now) {
        Duration ttl = spec.timing().ttl();
        leases.alone(ttl, now);
        for (LeaseHolder.Question question : leases.questions(now)) {
            for (String member : question.members()) {
                StagedHost other = site.host(member);
                boolean reached = !cut && !other.cut && !other.frozen && !other.agentDown;
                if (reached && !other.deaf) {
                    askForConsent(other, question, ttl, now);
                }
            }
        }
    }

    private void askForConsent(StagedHost member, LeaseHolder.Question question, Duration ttl, Moment now) {
        ResourceId resource = question.resource();
        long epoch = question.epoch();
        StandingConsent known = question.standing().get(member.name);
        boolean granted = member.leases
                .consent(resource, epoch, 0, known, spec.timing().lapseAfter(ttl), now)
                .isEmpty();
        if (granted) {
            leases.consented(member.name, resource, epoch, seq, ttl, now);
        }
        if (granted && member.leaving) {
            member.leases.stand(resource, epoch, now);
        }
        member.leases
                .word(resource, epoch)
                .ifPresent(word -> leases.stands(member.name, resource, epoch, word, ttl, now));
    }

    private Observation.Reach reach(StagedHost other) {
        if (cut || other.cut) {
            return Observation.Reach.SILENT;
        }
        return other.frozen
                ? Observation.Reach.HANGS
                : other.agentDown ? Observation.Reach.REFUSES : Observation.Reach.ANSWERS;
    }

    private List<Observation> observations() {
        List<Observation> all = new ArrayList<>(eyes.values());
        for (StagedHost other : site.hosts.values()) {
            if (other != this && other.name.charAt(0) == name.charAt(0)) {
                all.add(new Observation.Peer(other.name, reach(other), ""));
            }
        }
        for (ResourceId resource : spec.resources()) {
            if (mine(resource)) {
                all.add(new Observation.Attachment(resource, detached.contains(resource)));
            }
        }
        all.addAll(ownObservations());
        return all;
    }

    private List<Observation> ownObservations() {
        Health health = service != ServiceState.RUNNING ? Health.DOWN : hung ? Health.UNKNOWN : Health.UP;
        if (name.startsWith("lb")) {
            boolean present = hasAddress || leases.lease(StagedSite.ADDRESS).isPresent();
            return List.of(
                    new Observation.Balancer("edge", service, health, 100, "hash", List.of(), ""),
                    new Observation.Address(StagedSite.ADDRESS, present, true, true, ""));
        }
        if (name.startsWith("web")) {
            return List.of(new Observation.Web("app", health, 200, ""));
        }
        Observation.Replica replica = source == null
                ? null
                : new Observation.Replica(
                        source,
                        notLetIn || (receiver && isShutOut()) ? "Connecting" : receiver ? "Yes" : "No",
                        applierBroken ? "No" : "Yes",
                        gtid(received),
                        applierSlow ? 100 : 0,
                        notLetIn ? 1045 : 0,
                        applierBroken ? 1062 : 0,
                        applierBroken ? "error 1062" : "");
        boolean up = health == Health.UP;
        return List.of(
                settings,
                new Observation.Database(
                        "shopdb",
                        service,
                        health,
                        "10.11",
                        serverId(),
                        "run" + run,
                        up ? readOnly : null,
                        up ? gtid(applied) : "",
                        up ? gtid(applied) : "",
                        semiSync,
                        false,
                        semiSync ? followers() : 0,
                        replica,
                        heartbeatRow,
                        troubles,
                        "",
                        unacknowledged));
    }

    /// Whose receivers are connected to this server.
    private int followers() {
        return (int) site.hosts.values().stream()
                .filter(h -> h.receiver && !h.cut && address(name).equals(h.source) && !h.isShutOut())
                .count();
    }

    private boolean isShutOut() {
        return site.hosts.values().stream().anyMatch(h -> h.address(h.name).equals(source) && h.shutsOut(name));
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
