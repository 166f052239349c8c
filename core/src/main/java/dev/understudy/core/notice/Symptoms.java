package dev.understudy.core.notice;

import dev.understudy.core.Event;
import dev.understudy.core.Membership;
import dev.understudy.core.Plan;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State;
import dev.understudy.core.diagnosis.PrimaryDiagnosis;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.PrimaryMachine;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.Reach;
import dev.understudy.protocol.Observation.Trouble;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// What is the matter with the site now, as people care. A host in maintenance has no symptoms of its own.
final class Symptoms {

    /// A restart of an agent, a short failover: told only if it lasts.
    private static final Duration BRIEF = Duration.ofSeconds(5);
    /// Replication finds its way by itself within that time.
    private static final Duration CATCHING_UP = Duration.ofSeconds(30);

    /// Noted situations in which something ought to be done and is not; the others are told as warnings.
    private static final Set<String> STUCK = Set.of(
            "JOURNAL_TOO_OLD",
            "CANNOT_CLOSE",
            "NO_CANDIDATE",
            "FREE_WITHOUT_CANDIDATE",
            "RECENT_FAILOVER",
            "HELD_BACK",
            "FOUND_AMISS",
            "SEVERAL_FOUND",
            "HISTORIES_APART",
            "SEMI_SYNC_BLOCKED",
            "DISK_FULL",
            "DISK_STALLED",
            "READ_ONLY_DISK",
            "EXHAUSTED",
            "STILL_BLOCKED",
            "WOULD_MOVE");

    /// A member's troubles that are not its primary's business.
    private static final Set<Trouble> DISK =
            EnumSet.of(Trouble.DISK_FULL, Trouble.DISK_STALLED, Trouble.READ_ONLY_DISK);

    private final State state;
    private final Evidence evidence;
    private final ClusterSpec spec;
    private final List<Symptom> found = new ArrayList<>();

    private Symptoms(Evidence evidence) {
        this.state = evidence.state();
        this.evidence = evidence;
        this.spec = evidence.spec();
    }

    static List<Symptom> of(Evidence evidence) {
        Symptoms symptoms = new Symptoms(evidence);
        symptoms.look();
        return symptoms.found;
    }

    private void look() {
        if (evidence.blind()) {
            long all = spec.hosts().size();
            add(
                    "blind",
                    Symptom.SILENT,
                    Severity.CRITICAL,
                    "the controller hears " + evidence.freshHosts() + " of " + all
                            + " hosts: it suspects itself and moves nothing",
                    List.of("controller"),
                    groups(),
                    BRIEF,
                    "");
        } else {
            spec.hosts().stream()
                    .map(ClusterSpec.Host::name)
                    .filter(host -> evidence.maintenance(host).isEmpty())
                    .forEach(this::host);
            spec.groups().forEach(this::web);
        }
        for (ResourceState resource : state.journaled().resources().values()) {
            noted(resource);
            if (evidence.mode(resource.id().group()) != Mode.OBSERVE) {
                resource(resource);
            }
        }
    }

    private void host(String host) {
        List<String> groups = spec.groupsOf(host).stream().map(Group::name).toList();
        boolean holds = state.journaled().resources().values().stream().anyMatch(r -> host.equals(r.holder()));
        Severity severity = holds ? Severity.CRITICAL : Severity.WARNING;
        List<String> topics = List.of(Symptom.host(host));
        if (!evidence.fresh(host)) {
            add(
                    "silent/" + host,
                    Symptom.SILENT,
                    severity,
                    host + " is not heard: " + eyes(host),
                    topics,
                    groups,
                    BRIEF,
                    "");
            return;
        }
        evidence.clockAlarm(host)
                .ifPresent(because -> add(
                        "clock/" + host,
                        Symptom.SERVICE,
                        Severity.WARNING,
                        host + ": " + because + "; it is not made holder of anything",
                        topics,
                        groups,
                        BRIEF,
                        ""));
        evidence.view(host).stream()
                .flatMap(view -> view.observations().values().stream())
                .forEach(seen -> service(host, seen, severity));
    }

    private String eyes(String host) {
        Map<String, Reach> eyes = evidence.eyesOn(host);
        if (eyes.isEmpty()) {
            return "its agent has gone silent";
        }
        boolean refuses = eyes.containsValue(Reach.REFUSES);
        boolean answers = eyes.containsValue(Reach.ANSWERS);
        String others = String.join(", ", eyes.keySet());
        return answers
                ? "others reach it (" + others + "), the controller does not"
                : refuses
                        ? "its host answers and its agent does not run (asked by " + others + ")"
                        : "nobody reaches it (asked by " + others + ")";
    }

    private void service(String host, Observation seen, Severity severity) {
        switch (seen) {
            case Observation.Balancer balancer
            when balancer.health() == Health.DOWN ->
                down(host, balancer.key(), balancer.group(), "HAProxy", balancer.detail(), severity);
            case Observation.Web web
            when web.health() == Health.DOWN ->
                down(
                        host,
                        web.key(),
                        web.group(),
                        "the web server's check",
                        web.httpStatus() > 0 ? "HTTP " + web.httpStatus() : web.detail(),
                        severity);
            case Observation.Database database -> {
                if (database.health() == Health.DOWN) {
                    down(host, database.key(), database.group(), "the database", database.detail(), severity);
                }
                database.troubles().stream()
                        .filter(DISK::contains)
                        .forEach(trouble -> add(
                                "trouble/" + host + "/" + trouble,
                                Symptom.SERVICE,
                                Severity.CRITICAL,
                                host + ": "
                                        + trouble.name()
                                                .toLowerCase(Locale.ROOT)
                                                .replace('_', ' '),
                                List.of(Symptom.host(host)),
                                List.of(database.group()),
                                BRIEF,
                                ""));
            }
            default -> {}
        }
    }

    private void down(String host, String key, String group, String what, String detail, Severity severity) {
        add(
                key + "@" + host,
                Symptom.SERVICE,
                severity,
                what + " on " + host + " is down" + (detail.isBlank() ? "" : " (" + detail + ")"),
                List.of(Symptom.host(host)),
                List.of(group),
                BRIEF,
                "");
    }

    private void web(Group group) {
        if (!(group instanceof WebGroup) || group.members().isEmpty()) {
            return;
        }
        boolean nobody = group.members().stream()
                .allMatch(host -> !evidence.fresh(host)
                        || evidence.view(host)
                                .map(v -> v.observations().get("web/" + group.name()) instanceof Observation.Web web
                                        && web.health() == Health.DOWN)
                                .orElse(false));
        if (nobody) {
            add(
                    "nobody/" + group.name(),
                    Symptom.SERVICE,
                    Severity.CRITICAL,
                    "no member of " + group.name() + " serves",
                    group.members().stream().map(Symptom::host).toList(),
                    List.of(group.name()),
                    BRIEF,
                    "");
        }
    }

    /// A situation that was noted without anything being done.
    private void noted(ResourceState resource) {
        String situation = state.said().getOrDefault(resource.id().toString(), "");
        if (situation.isEmpty() || situation.equals("WARMING_UP") || situation.equals("BLIND")) {
            return;
        }
        Optional<Event> note = state.journaled().events().reversed().stream()
                .filter(e -> resource.id().equals(e.resource()) && e.situation().equals(situation))
                .findFirst();
        add(
                "noted/" + resource.id() + "/" + situation,
                Symptom.RESOURCE,
                STUCK.contains(situation) ? Severity.CRITICAL : Severity.WARNING,
                resource.id() + ": " + note.map(Event::text).orElse(situation),
                about(resource),
                List.of(resource.id().group()),
                BRIEF,
                note.map(e -> "understudy explain " + e.id()).orElse(""));
    }

    private void resource(ResourceState resource) {
        String id = resource.id().toString();
        List<String> group = List.of(resource.id().group());
        boolean blocked = resource instanceof PrimaryState p && p.phase() == PrimaryPhase.BLOCKED;
        if (!resource.steady()) {
            Plan plan = resource.plan();
            List<String> unaccounted = resource instanceof PrimaryState p
                    ? new PrimaryDiagnosis(evidence, p, Map.of()).unaccounted()
                    : List.of();
            String stopped = unaccounted.isEmpty()
                    ? ""
                    : ", stopped until " + String.join(", ", unaccounted) + " answers (or the operator types '"
                            + PrimaryMachine.words(unaccounted) + "')";
            add(
                    "unsteady/" + id,
                    Symptom.RESOURCE,
                    Severity.CRITICAL,
                    id + " is not held: " + resource.phaseName()
                            + (plan == null ? "" : " (" + plan.cause() + ")")
                            + (blocked ? stopped : ""),
                    about(resource),
                    group,
                    BRIEF,
                    blocked ? "understudy failover " + id + " --accept-loss" : "");
        }
        if (resource instanceof PrimaryState primary) {
            primary(primary, group);
        }
    }

    private void primary(PrimaryState primary, List<String> group) {
        String id = primary.id().toString();
        if (primary.alone()) {
            add(
                    "alone/" + id,
                    Symptom.RESOURCE,
                    Severity.CRITICAL,
                    id + " runs without an acknowledging replica: nobody can take over",
                    List.of(Symptom.resource(id)),
                    group,
                    BRIEF,
                    "");
        }
        primary.quarantined()
                .forEach(q -> member(
                        primary,
                        q.host(),
                        "quarantined",
                        Severity.WARNING,
                        q.host() + " is quarantined: " + q.reason(),
                        BRIEF,
                        "understudy diverged " + primary.id().group() + " " + q.host()));
        primary.members().departures().entrySet().stream()
                .filter(e -> e.getValue().stage() == Membership.Stage.LEFT)
                .forEach(e -> member(
                        primary,
                        e.getKey(),
                        "left",
                        Severity.WARNING,
                        e.getKey() + " has left the ackers of " + id,
                        BRIEF,
                        ""));
        String holder = primary.holder();
        if (!primary.steady() || holder == null) {
            return;
        }
        String source = spec.host(holder).map(ClusterSpec.Host::address).orElse("");
        spec.group(primary.id().group()).stream()
                .filter(DatabaseGroup.class::isInstance)
                .flatMap(g -> g.members().stream())
                .filter(m -> !m.equals(holder) && !primary.isQuarantined(m) && evidence.fresh(m))
                .forEach(m -> replica(primary, m, holder, source));
    }

    private void replica(PrimaryState primary, String member, String holder, String source) {
        Optional<Observation.Database> seen =
                evidence.database(member, primary.id().group());
        Observation.Replica replica = seen.map(Observation.Database::replica).orElse(null);
        boolean follows = replica != null
                && replica.source().equals(source)
                && replica.receiver().equals("Yes")
                && replica.applier().equals("Yes");
        if (!follows) {
            String error = replica == null || replica.error().isBlank() ? "" : " (" + replica.error() + ")";
            member(
                    primary,
                    member,
                    "astray",
                    Severity.WARNING,
                    member + " does not follow " + holder + error,
                    CATCHING_UP,
                    "");
        }
    }

    private void member(
            PrimaryState primary,
            String member,
            String what,
            Severity severity,
            String text,
            Duration patience,
            String next) {
        if (evidence.maintenance(member).isPresent()) {
            return;
        }
        add(
                what + "/" + primary.id() + "/" + member,
                Symptom.CONSEQUENCE,
                severity,
                text,
                List.of(Symptom.host(member), Symptom.resource(primary.id())),
                List.of(primary.id().group()),
                patience,
                next);
    }

    /// The resource, who holds it, and who held it when its plan began.
    private static List<String> about(ResourceState resource) {
        Plan plan = resource.plan();
        return Stream.of(resource.holder(), plan == null ? null : plan.from())
                .filter(java.util.Objects::nonNull)
                .map(Symptom::host)
                .collect(
                        () -> new ArrayList<>(List.of(Symptom.resource(resource.id()))),
                        ArrayList::add,
                        ArrayList::addAll);
    }

    private List<String> groups() {
        return spec.groups().stream().map(Group::name).toList();
    }

    private void add(
            String key,
            int order,
            Severity severity,
            String text,
            List<String> topics,
            List<String> groups,
            Duration patience,
            String next) {
        found.add(new Symptom(key, order, severity, text, topics, groups, patience, next));
    }
}
