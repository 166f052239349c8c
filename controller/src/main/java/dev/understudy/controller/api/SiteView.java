package dev.understudy.controller.api;

import dev.understudy.core.Event;
import dev.understudy.core.HostView;
import dev.understudy.core.Journaled;
import dev.understudy.core.Membership;
import dev.understudy.core.Now;
import dev.understudy.core.Operations;
import dev.understudy.core.Plan;
import dev.understudy.core.Rebuild;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State;
import dev.understudy.core.candidate.PromotionRules;
import dev.understudy.core.diagnosis.PrimaryDiagnosis;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.core.plan.PrimaryMachine;
import dev.understudy.core.readiness.Readiness;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.VirtualAddress;
import dev.understudy.protocol.Observation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Makes the API's picture of the site from the core's state. Pure.
public final class SiteView {

    private final State state;
    private final Now now;
    private final Journaled journaled;

    private SiteView(State state, Now now) {
        this.state = state;
        this.now = now;
        this.journaled = state.journaled();
    }

    /// @param now read at the time of asking: ages are counted to it
    public static Api.Site of(State state, String controller, Now now) {
        return new SiteView(state, now).site(controller);
    }

    private Api.Site site(String controller) {
        ClusterSpec spec = journaled.spec();
        List<Api.Group> groups = spec == null
                ? List.of()
                : spec.groups().stream().map(g -> group(spec, g)).toList();
        List<Api.Host> hosts = spec == null
                ? List.of()
                : spec.hosts().stream().map(h -> host(spec, h)).toList();
        List<String> problems = problems(spec, groups, hosts);
        List<Event> events = journaled.events();
        return new Api.Site(
                spec == null ? "" : spec.cluster(),
                spec == null ? "" : spec.profile(),
                journaled.specVersion(),
                controller,
                state.term(),
                state.leading(),
                now.wall(),
                problems.isEmpty(),
                problems,
                groups,
                hosts,
                events.isEmpty() ? "" : events.getLast().id());
    }

    private Api.Group group(ClusterSpec spec, ClusterSpec.Group group) {
        String kind =
                switch (group) {
                    case ClusterSpec.BalancerGroup _ -> "balancer";
                    case ClusterSpec.WebGroup _ -> "web";
                    case ClusterSpec.DatabaseGroup _ -> "database";
                };
        List<Api.Resource> resources = spec.resources().stream()
                .filter(id -> id.group().equals(group.name()))
                .map(journaled.resources()::get)
                .filter(java.util.Objects::nonNull)
                .map(r -> resource(spec, r))
                .toList();
        return new Api.Group(
                group.name(),
                kind,
                group.mode().name().toLowerCase(Locale.ROOT),
                standing(group),
                group.members(),
                resources);
    }

    private String standing(ClusterSpec.Group group) {
        String restraint = restraint(group);
        return group instanceof ClusterSpec.BalancerGroup balancer && balancer.keepsWhenIsolated()
                ? (restraint.isEmpty() ? "" : restraint + "; ") + "when isolated: keep, two hosts may answer at once"
                : restraint;
    }

    private String restraint(ClusterSpec.Group group) {
        Operations operations = journaled.operations();
        if (operations.detached().contains(group.name())) {
            return "detached";
        }
        if (operations.attaching().contains(group.name())) {
            return "being attached again";
        }
        return operations
                .pause(group.name(), now.wall())
                .filter(_ -> group.mode() == Mode.AUTOMATIC)
                .map(Operations.Pause::describe)
                .orElse("");
    }

    private @Nullable String maintenance(String host) {
        return journaled
                .operations()
                .maintenance(host, now.wall())
                .map(Operations.Maintenance::describe)
                .orElse(null);
    }

    private Api.Resource resource(ClusterSpec spec, ResourceState resource) {
        boolean over = state.leases().lapsed(resource.id(), now.mono());
        long ends = state.leases().lapseOf(resource.id()).since(now.mono()).toMillis();
        List<String> ackers = resource instanceof PrimaryState p ? p.ackers() : List.of();
        List<Api.Quarantined> quarantined = resource instanceof PrimaryState p
                ? p.quarantined().stream()
                        .map(q -> new Api.Quarantined(q.host(), q.reason()))
                        .toList()
                : List.of();
        return new Api.Resource(
                resource.id().toString(),
                spec.addressOf(resource.id()).map(VirtualAddress::cidr).orElse(null),
                resource.holder(),
                resource.epoch(),
                resource.phaseName(),
                resource.steady(),
                !over ? "live" : resource.holder() == null ? "none" : "over",
                Math.max(0, ends),
                plan(resource),
                ackers,
                quarantined,
                resource instanceof PrimaryState p && p.alone(),
                resource instanceof PrimaryState p ? p.members().promotable() : List.of(),
                resource instanceof PrimaryState p ? departures(p.members()) : List.of(),
                resource instanceof PrimaryState p ? lags(spec, p) : List.of(),
                resource instanceof PrimaryState p ? rebuild(p) : null,
                readiness(resource));
    }

    private Api.@Nullable Rebuilt rebuild(PrimaryState primary) {
        String group = primary.id().group();
        Rebuild rebuild = journaled.operations().rebuild(group).orElse(null);
        if (rebuild == null) {
            return null;
        }
        Observation.Copying copying = new Evidence(state, now)
                .data(rebuild.host(), group)
                .map(Observation.Data::copying)
                .filter(c -> c.copy().equals(rebuild.ticket().copy()))
                .orElse(null);
        String donor = rebuild.donor();
        String text = "%s %s%s, %s%s%s"
                .formatted(
                        rebuild.host(),
                        "is being rebuilt",
                        donor == null ? "" : " from " + donor,
                        rebuild.phase().name().toLowerCase(Locale.ROOT),
                        rebuild.attempt() > 1 ? " (attempt " + rebuild.attempt() + ")" : "",
                        copying == null ? "" : ": " + Sights.copying(copying));
        return new Api.Rebuilt(
                rebuild.id(),
                rebuild.host(),
                donor,
                rebuild.phase().name().toLowerCase(Locale.ROOT),
                rebuild.attempt(),
                copying == null ? -1 : copying.percent(),
                copying == null ? 0 : copying.bytes(),
                copying == null ? 0 : copying.total(),
                copying == null ? 0 : copying.bytesPerSecond(),
                text);
    }

    private Api.Readiness readiness(ResourceState resource) {
        Readiness readiness = Readiness.of(new Evidence(state, now), resource);
        return new Api.Readiness(
                resource.id().toString(),
                readiness.ready(),
                readiness.next(),
                readiness.describe(),
                readiness.blockers().stream()
                        .map(b -> new Api.Blocker(b.reason().name(), b.because()))
                        .toList());
    }

    private List<Api.Lag> lags(ClusterSpec spec, PrimaryState primary) {
        Evidence evidence = new Evidence(state, now);
        String group = primary.id().group();
        return spec.group(group).map(ClusterSpec.Group::members).orElse(List.of()).stream()
                .filter(member -> !member.equals(primary.holder()) && evidence.fresh(member))
                .flatMap(member -> ReplicationLag.of(evidence, group, member)
                        .map(lag -> new Api.Lag(member, lag.length().toMillis(), lag.byRow(), lag.describe()))
                        .stream())
                .toList();
    }

    private static List<String> departures(Membership members) {
        return members.departures().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(e -> e.getKey()
                        + switch (e.getValue().stage()) {
                            case LEAVING -> " is leaving the ackers";
                            case LEFT -> " has left the ackers";
                            case RETURNING -> " is coming back";
                        })
                .toList();
    }

    private Api.@Nullable Plan plan(ResourceState resource) {
        Plan plan = resource.plan();
        return plan == null
                ? null
                : new Api.Plan(
                        plan.id(),
                        plan.kind().name().toLowerCase(Locale.ROOT),
                        plan.cause(),
                        plan.from(),
                        plan.to(),
                        plan.epoch(),
                        plan.rejected(),
                        loss(resource));
    }

    private String loss(ResourceState resource) {
        List<String> unaccounted = resource instanceof PrimaryState primary
                ? new PrimaryDiagnosis(new Evidence(state, now), primary, Map.of()).unaccounted()
                : List.of();
        return unaccounted.isEmpty() ? "" : PrimaryMachine.words(unaccounted);
    }

    private Api.Host host(ClusterSpec spec, ClusterSpec.Host host) {
        List<String> groups =
                spec.groupsOf(host.name()).stream().map(ClusterSpec.Group::name).toList();
        HostView view = state.hosts().get(host.name());
        if (view == null) {
            return new Api.Host(
                    host.name(), host.address(), groups, "unknown", false, -1, 0, maintenance(host.name()), List.of());
        }
        Duration age = now.mono().since(view.heard());
        boolean silent = !new Evidence(state, now).fresh(host.name());
        List<Api.Sight> sees = view.observations().entrySet().stream()
                .sorted(Comparator.comparingInt((Map.Entry<String, Observation> e) -> rank(e.getValue()))
                        .thenComparing(Map.Entry::getKey))
                .map(e -> Sights.of(e.getValue()))
                .toList();
        return new Api.Host(
                host.name(),
                host.address(),
                groups,
                silent ? "silent" : "up",
                view.connected(),
                Math.max(0, age.toMillis()),
                view.lateMillis(),
                maintenance(host.name()),
                sees);
    }

    /// The service first, the host's basics last.
    private static int rank(Observation observation) {
        return switch (observation) {
            case Observation.Balancer _, Observation.Web _, Observation.Database _ -> 0;
            case Observation.Address _ -> 1;
            case Observation.HostBasics _, Observation.Settings _, Observation.Data _, Observation.Backup _ -> 2;
            case Observation.Path _, Observation.Peer _, Observation.Gateway _, Observation.Attachment _ -> 3;
        };
    }

    private List<String> problems(@Nullable ClusterSpec spec, List<Api.Group> groups, List<Api.Host> hosts) {
        List<String> problems = new ArrayList<>();
        if (spec == null) {
            problems.add("there is no cluster specification yet: understudy apply cluster.yml");
            return problems;
        }
        if (!state.leading()) {
            problems.add("this controller does not lead");
        }
        for (Api.Group group : groups) {
            if (group.standing().startsWith("being attached again")) {
                problems.add(group.name() + " is being attached again: every member's agent is waited for");
            }
            if (new Evidence(state, now).mode(group.name()) != Mode.OBSERVE) {
                group.resources().forEach(resource -> problemsOf(resource, problems));
            }
        }
        journaled.resources().values().stream()
                .filter(ResourceState::steady)
                .forEach(r -> problemsOf(spec, r, problems));
        for (Api.Host host : hosts) {
            if (host.maintenance() != null) {
                continue;
            }
            if (!host.health().equals("up")) {
                problems.add(host.host() + " is not heard of");
            }
            new Evidence(state, now)
                    .clockAlarm(host.host())
                    .ifPresent(because ->
                            problems.add(host.host() + ": " + because + "; it is not made holder of anything"));
            host.sees().stream()
                    .filter(s -> s.health().equals("down"))
                    .forEach(s -> problems.add(host.host() + " says " + s.key() + " is down: " + s.text()));
        }
        ownClock(hosts).ifPresent(problems::add);
        return problems;
    }

    /// Hosts whose clocks all differ from this controller's are less likely than one controller that differs.
    private Optional<String> ownClock(List<Api.Host> hosts) {
        Evidence evidence = new Evidence(state, now);
        List<Api.Host> heard =
                hosts.stream().filter(h -> evidence.fresh(h.host())).toList();
        return heard.size() > 1
                        && heard.stream()
                                .allMatch(h -> evidence.clockAlarm(h.host()).isPresent())
                ? Optional.of("no clock agrees with this controller's: look at its own host's first")
                : Optional.empty();
    }

    /// A steady resource whose holder does not confirm it, or whose other members would be of no help.
    private void problemsOf(ClusterSpec spec, ResourceState resource, List<String> problems) {
        Evidence evidence = new Evidence(state, now);
        String holder = String.valueOf(resource.holder());
        if (!evidence.holds(holder, resource.id(), resource.epoch())) {
            problems.add(holder + " does not say that it holds " + resource.id());
        }
        if (resource instanceof PrimaryState primary) {
            String source = spec.host(holder).map(ClusterSpec.Host::address).orElse("");
            spec.group(resource.id().group()).stream()
                    .flatMap(group -> group.members().stream())
                    .filter(member -> !member.equals(holder) && !primary.isQuarantined(member))
                    .filter(member -> maintenance(member) == null)
                    .filter(member -> !follows(evidence, member, resource.id().group(), source))
                    .forEach(member -> problems.add(member + " does not follow " + holder));
            PromotionRules rules = new PromotionRules(evidence, primary);
            spec.group(resource.id().group()).stream()
                    .flatMap(group -> group.members().stream())
                    .filter(member -> maintenance(member) == null)
                    .forEach(member -> rules.problem(member).ifPresent(problems::add));
            primary.ackers().stream()
                    .filter(member -> evidence.database(member, resource.id().group())
                            .filter(seen -> !primary.completeIn(member).equals(Optional.of(seen.serverStart())))
                            .isPresent())
                    .forEach(member ->
                            problems.add(incomplete(evidence, resource.id().group(), member, holder)));
        }
    }

    private static String incomplete(Evidence evidence, String group, String member, String holder) {
        String received = evidence.database(member, group)
                .flatMap(seen -> Optional.ofNullable(seen.replica()))
                .map(Observation.Replica::receivedPosition)
                .orElse("nothing");
        String all = evidence.database(holder, group)
                .map(Observation.Database::binlogPosition)
                .orElse("an unknown position");
        return "%s has not been seen with everything yet (it was at %s, %s at %s): a failover now would wait for it"
                .formatted(member, received, holder, all);
    }

    private static boolean follows(Evidence evidence, String member, String group, String source) {
        Observation.Replica replica = evidence.database(member, group)
                .map(Observation.Database::replica)
                .orElse(null);
        return replica != null
                && replica.source().equals(source)
                && replica.receiver().equals("Yes")
                && replica.applier().equals("Yes");
    }

    private static void problemsOf(Api.Resource resource, List<String> problems) {
        if (!resource.steady()) {
            problems.add(resource.resource() + " is " + resource.phase());
        }
        Api.Rebuilt rebuild = resource.rebuild();
        if (rebuild != null) {
            problems.add(rebuild.text());
        }
        resource.departures().forEach(problems::add);
        if (resource.alone()) {
            problems.add(resource.resource() + " runs without an acknowledging replica: nobody can take over");
        }
        resource.quarantined().stream()
                .filter(q -> rebuild == null || !q.host().equals(rebuild.host()))
                .forEach(q -> problems.add(q.host() + " is quarantined: " + q.reason()));
    }
}
