package dev.understudy.core;

import dev.understudy.core.Decision.Send;
import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Haproxy;
import dev.understudy.protocol.ClusterSpec.Host;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A whole site over virtual time: the real core, the real lease holders, and a small model of the servers behind
/// the agents ([StagedHost]). Deterministic. What happened is read from the journal.
final class StagedSite {

    static final ResourceId ADDRESS = new ResourceId("edge", "192.0.2.10");
    static final ResourceId READER = new ResourceId("shopdb", "10.0.0.201");
    static final ResourceId PRIMARY = ResourceId.primary("shopdb");
    private static final Duration STEP = Duration.ofMillis(50);

    final Map<String, StagedHost> hosts = new LinkedHashMap<>();
    final List<String> violations = new ArrayList<>();
    private State state;
    private Moment mono = new Moment(0);
    private Journaled kept = Journaled.empty();
    private boolean controllerRuns = true;
    private int crashAfterEntries = -1;
    private final Map<String, Integer> maxHolders = new TreeMap<>();

    StagedSite(Mode mode) {
        this(spec(mode));
    }

    StagedSite(ClusterSpec spec) {
        for (String name : List.of("lb1", "lb2", "web1", "web2", "db1", "db2", "db3")) {
            hosts.put(name, new StagedHost(this, name, spec));
        }
        state = State.start(Journaled.empty(), 1, now());
        decide(new Input.Operator("apply", "test", new OperatorRequest.Apply(spec, "")));
        hosts.values().forEach(host -> host.connect(mono));
    }

    static ClusterSpec spec(Mode mode) {
        return spec(mode, Recovery.DEFAULT);
    }

    static ClusterSpec spec(Mode mode, Recovery recovery) {
        return spec(mode, recovery, null);
    }

    static final Reader READS = new Reader(new VirtualAddress("10.0.0.201", 24, "eth0", null), Duration.ofSeconds(5));

    static ClusterSpec spec(Mode mode, Recovery recovery, @Nullable Reader reader) {
        List<Host> declared = new ArrayList<>();
        int last = 11;
        for (String name : List.of("lb1", "lb2", "web1", "web2", "db1", "db2", "db3")) {
            declared.add(new Host(name, "10.0.0." + last++));
        }
        return new ClusterSpec(
                "shop",
                "standard",
                declared,
                List.of(
                        new BalancerGroup(
                                "edge",
                                mode,
                                List.of("lb1", "lb2"),
                                List.of(new VirtualAddress("192.0.2.10", 24, "eth0", null)),
                                new Haproxy("/etc/haproxy/haproxy.cfg", "/run/haproxy/admin.sock", "haproxy.service"),
                                null,
                                recovery,
                                BalancerGroup.DEFAULT_DRAIN),
                        new WebGroup("app", mode, List.of("web1", "web2"), "http://{address}/health", "app"),
                        new DatabaseGroup(
                                "shopdb",
                                mode,
                                List.of("db1", "db2", "db3"),
                                "mariadb",
                                3306,
                                new VirtualAddress("10.0.0.200", 24, "eth0", null),
                                null,
                                "mariadb.service",
                                Duration.ofSeconds(20),
                                recovery,
                                reader)));
    }

    StagedHost host(String name) {
        StagedHost host = hosts.get(name);
        if (host == null) {
            throw new IllegalArgumentException("no host " + name);
        }
        return host;
    }

    Moment mono() {
        return mono;
    }

    Now now() {
        return new Now(mono, Instant.EPOCH.plusNanos(mono.nanos()));
    }

    State state() {
        return state;
    }

    /// Time passes in steps of 50 ms.
    void run(Duration time) {
        Moment end = mono.plus(time);
        while (mono.isBefore(end)) {
            mono = mono.plus(STEP);
            hosts.values().forEach(host -> host.tick(mono));
            if (controllerRuns) {
                decide(new Input.Tick());
            }
            watchHolders();
        }
    }

    /// An agent's message reaches the controller, unless the host is cut off or the controller is down.
    void toController(String host, AgentMessage message) {
        if (controllerRuns && !host(host).isCut()) {
            decide(new Input.AgentReport(host, message));
        }
    }

    /// Runs one input through the core and delivers what it sends.
    List<Decision.Answer> decide(Input input) {
        Decision decision = Core.step(state, input, now());
        if (crashAfterEntries >= 0 && decision.journal().size() > crashAfterEntries) {
            // the journal has the first entries; nothing was sent; the process is gone
            Journaled kept = state.journaled();
            for (JournalEntry entry : decision.journal().subList(0, crashAfterEntries)) {
                kept = kept.apply(entry);
            }
            crashAfterEntries = -1;
            restartController(kept);
            return List.of();
        }
        if (crashAfterEntries >= 0) {
            crashAfterEntries -= decision.journal().size();
        }
        state = decision.next();
        for (Send send : decision.sends()) {
            StagedHost target = host(send.host());
            if (!target.isCut()) {
                target.receive(send.message(), mono);
            }
        }
        return decision.answers();
    }

    /// The controller dies before its next decision that journals anything beyond `entries` more entries, and comes
    /// back at once with what is in the journal.
    void crashControllerAfter(int entries) {
        crashAfterEntries = entries;
    }

    void stopController() {
        controllerRuns = false;
    }

    void startController() {
        controllerRuns = true;
        restartController(state.journaled());
    }

    void restartController(Journaled journaled) {
        state = State.start(journaled, state.term() + 1, now());
        hosts.values().forEach(host -> host.reconnect(mono));
    }

    /// One command of a scenario; returns what the operator is told, if it was an operator's.
    List<String> obey(String[] words) {
        switch (words[0]) {
            case "run" -> run(ScenarioTest.duration(words[1]));
            case "kill" -> host(words[1]).killService();
            case "stop" -> host(words[1]).stopServiceCleanly();
            case "start" -> host(words[1]).startService();
            case "cut" -> host(words[1]).cut();
            case "heal" -> host(words[1]).heal();
            case "cut-controller" -> host(words[1]).cutFromController();
            case "kill-agent" -> host(words[1]).killAgent();
            case "leave-standing" -> host(words[1]).leaveStandingConsents();
            case "start-agent" -> host(words[1]).startAgent();
            case "give-up" -> host(words[1]).giveUp();
            case "forget-lease" -> host(words[1]).forgetLease();
            case "keep-journal" -> kept = state.journaled();
            case "restore-journal" -> restartController(kept);
            case "refuse-consent" -> host(words[1]).refuseConsent();
            case "writable" -> host(words[1]).setWritable();
            case "hang" -> host(words[1]).hang();
            case "troubled" -> host(words[1]).troubled(Observation.Trouble.valueOf(words[2]));
            case "path" ->
                host(words[1])
                        .sees(new Observation.Path(
                                ScenarioTest.resource(words[2]), Observation.Reach.valueOf(words[3]), ""));
            case "peer" -> host(words[1]).sees(new Observation.Peer(words[2], Observation.Reach.valueOf(words[3]), ""));
            case "gateway" ->
                host(words[1])
                        .sees(new Observation.Gateway(
                                ScenarioTest.resource(words[2]), Observation.Reach.valueOf(words[3]), ""));
            case "freeze" -> host(words[1]).freeze();
            case "thaw" -> host(words[1]).thaw();
            case "write" -> host(words[1]).write(Integer.parseInt(words[2]));
            case "heartbeat-row" ->
                host(words[1])
                        .heartbeatRow(new Observation.HeartbeatRow(
                                Long.parseLong(words[2]), 1, Long.parseLong(words[3]) * 1_000_000));
            case "set-up" -> host(words[1]).isSetUp(words[2], words[3]);
            case "behind" -> host(words[1]).fallBehind();
            case "slow" -> host(words[1]).slowApplier();
            case "break" -> host(words[1]).breakApplier();
            case "answer-unacknowledged" -> host(words[1]).answerUnacknowledged();
            case "diverge" -> host(words[1]).diverge();
            case "fail-takes" -> host(words[1]).failTakes();
            case "read-only" -> host(words[1]).setReadOnly();
            case "cut-all" -> hosts.values().forEach(StagedHost::cut);
            case "restart-controller" -> restartController(state.journaled());
            case "fail-restarts" -> host(words[1]).failRestarts();
            case "clock-rate" -> host(words[1]).clockRate(Double.parseDouble(words[2]));
            case "has-address" -> host(words[1]).hasAddress(true);
            case "own-history" -> host(words[1]).ownHistory(Integer.parseInt(words[2]));
            case "open-by-hand" -> host(words[1]).openByHand();
            case "detach-by-hand" -> host(words[1]).detachByHand();
            case "move" -> {
                return tell(new OperatorRequest.Switchover(ScenarioTest.resource(words[1]), word(words, 2)));
            }
            case "failover" -> {
                return tell(new OperatorRequest.Failover(ScenarioTest.resource(words[1]), word(words, 2)));
            }
            case "pause" -> {
                String because =
                        words.length > 3 ? String.join(" ", List.of(words).subList(3, words.length)) : "";
                return tell(new OperatorRequest.Pause(words[1], ScenarioTest.duration(words[2]), because));
            }
            case "resume" -> {
                return tell(new OperatorRequest.Resume(words[1]));
            }
            case "maintenance" -> {
                String length = word(words, 3);
                return tell(new OperatorRequest.Maintenance(
                        words[1],
                        words[2].equals("on"),
                        length == null ? null : ScenarioTest.duration(length),
                        "new memory"));
            }
            case "prefer" -> {
                return tell(new OperatorRequest.Apply(preferring(List.of(words[1].split(","))), ""));
            }
            case "mode" -> {
                Mode mode = Mode.valueOf(words[2].toUpperCase(java.util.Locale.ROOT));
                ClusterSpec changed = state.spec().withMode(words[1], mode);
                return tell(new OperatorRequest.SetMode(words[1], mode, changed, ""));
            }
            case "detach" -> {
                return tell(new OperatorRequest.Detach(words[1]));
            }
            case "fenced" -> {
                return tell(new OperatorRequest.Fenced(words[1]));
            }
            default -> throw new IllegalArgumentException("no such command: " + words[0]);
        }
        return List.of();
    }

    /// The present specification with these databases preferred.
    ClusterSpec preferring(List<String> members) {
        return new ClusterSpec(
                state.spec().cluster(),
                state.spec().profile(),
                state.spec().hosts(),
                state.spec().groups().stream()
                        .map(group -> group instanceof DatabaseGroup database
                                ? new DatabaseGroup(
                                        database.name(),
                                        database.mode(),
                                        database.members(),
                                        database.engine(),
                                        database.port(),
                                        database.writer(),
                                        database.routeBackend(),
                                        database.service(),
                                        database.cleanStopWait(),
                                        database.recovery(),
                                        database.reader(),
                                        database.longTransactions(),
                                        database.minFree(),
                                        database.copyBytesPerSecond(),
                                        database.backup(),
                                        members,
                                        database.fullBelow())
                                : group)
                        .toList());
    }

    private static @Nullable String word(String[] words, int index) {
        return words.length > index ? words[index] : null;
    }

    private List<String> tell(OperatorRequest request) {
        return decide(new Input.Operator("request", "operator", request)).stream()
                .map(answer -> (answer.accepted() ? "accepted: " : "refused: ") + answer.text())
                .toList();
    }

    List<String> events() {
        return state.journaled().events().stream().map(Event::describe).toList();
    }

    private void watchHolders() {
        for (ResourceId resource : List.of(ADDRESS, PRIMARY, READER)) {
            List<String> holders = hosts.values().stream()
                    .filter(h -> h.actsAsHolder(resource, mono))
                    .map(h -> h.name)
                    .toList();
            maxHolders.merge(resource.toString(), holders.size(), Math::max);
            if (holders.size() > 1) {
                violations.add(resource + " held by " + holders + " at " + Duration.ofNanos(mono.nanos()));
            }
        }
    }

    void send(String host, ControllerMessage message) {
        host(host).receive(message, mono);
    }
}
