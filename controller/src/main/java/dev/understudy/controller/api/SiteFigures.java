package dev.understudy.controller.api;

import dev.understudy.core.HostView;
import dev.understudy.core.Journaled;
import dev.understudy.core.Now;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.State;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.NewestBackup;
import dev.understudy.core.evidence.ReplicationLag;
import dev.understudy.core.readiness.Blocker;
import dev.understudy.core.readiness.Readiness;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.wire.metrics.Family;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The site as the core knows it, in numbers: read at each scrape, so that a host or resource that leaves the
/// specification leaves the page. A controller that does not lead tells nothing but that it is not ready: what it knows
/// may be old. Pure.
public final class SiteFigures {

    private final State state;
    private final Evidence evidence;
    private final ClusterSpec spec;
    private final List<Family> all = new ArrayList<>();

    private SiteFigures(State state, Now now, ClusterSpec spec) {
        this.state = state;
        this.evidence = new Evidence(state, now);
        this.spec = spec;
    }

    /// @param now read at the time of asking
    public static List<Family> of(State state, Now now) {
        ClusterSpec spec = state.journaled().spec();
        if (spec == null) {
            return List.of();
        }
        SiteFigures figures = new SiteFigures(state, now, spec);
        figures.readiness();
        if (state.leading()) {
            Api.Site site = SiteView.of(state, "", now);
            figures.gauge(
                    "understudy_site_well",
                    "1 while there is nothing that the operator should know of.",
                    site.well() ? 1 : 0);
            figures.gauge(
                    "understudy_site_problems",
                    "How much there is that the operator should know of.",
                    site.problems().size());
            figures.hosts();
            figures.groups();
            figures.backups();
            figures.resources();
            figures.journal();
        }
        return figures.all;
    }

    private void readiness() {
        Family.Building ready = Family.gauge(
                "understudy_ready", "1 while a failover would work now, by itself and without loss.", "resource");
        Family.Building blocked = Family.gauge(
                "understudy_ready_blocker",
                "1 for each reason why a failover would not work now.",
                "resource",
                "reason");
        Family.Building candidate = Family.gauge(
                "understudy_candidate_eligible", "1 for each member that could take over now.", "resource", "host");
        for (ResourceState resource : known()) {
            String name = resource.id().toString();
            Readiness readiness = Readiness.of(evidence, resource);
            ready.sample(readiness.ready() ? 1 : 0, name);
            Set<Blocker.Reason> reasons =
                    readiness.blockers().stream().map(Blocker::reason).collect(Collectors.toSet());
            for (Blocker.Reason reason : Blocker.Reason.values()) {
                blocked.sample(reasons.contains(reason) ? 1 : 0, name, reason.name());
            }
            readiness.candidates().forEach(c -> candidate.sample(c.eligible() ? 1 : 0, name, c.host()));
        }
        add(ready, blocked, candidate);
    }

    private void hosts() {
        Family.Building heard =
                Family.gauge("understudy_host_heard", "1 while a host's agent is heard in time.", "host");
        Family.Building silent = Family.gauge(
                "understudy_host_silence_seconds", "How long nothing has been heard of a host's agent.", "host");
        Family.Building late = Family.gauge(
                "understudy_host_tick_late_seconds",
                "How late the ticks of a host's agent come, by its own word.",
                "host");
        Family.Building maintained =
                Family.gauge("understudy_host_maintenance", "1 while a host is left to its operator.", "host");
        Family.Building check = Family.gauge(
                "understudy_check_up",
                "1 while a service is up by its host's agent, 0 while it is down, NaN while nobody can tell.",
                "host",
                "check");
        for (ClusterSpec.Host host : spec.hosts()) {
            String name = host.name();
            boolean fresh = evidence.fresh(name);
            heard.sample(fresh ? 1 : 0, name);
            silent.sample(evidence.silentFor(name).toMillis() / 1e3, name);
            maintained.sample(evidence.maintenance(name).isPresent() ? 1 : 0, name);
            Optional<HostView> view = evidence.view(name);
            late.sample(view.map(v -> v.lateMillis() / 1e3).orElse(Double.NaN), name);
            for (Group group : spec.groupsOf(name)) {
                String key =
                        switch (group) {
                            case ClusterSpec.BalancerGroup g -> "balancer/" + g.name();
                            case ClusterSpec.WebGroup g -> "web/" + g.name();
                            case DatabaseGroup g -> "database/" + g.name();
                        };
                Health health = fresh
                        ? view.map(v -> v.observations().get(key))
                                .map(SiteFigures::health)
                                .orElse(Health.UNKNOWN)
                        : Health.UNKNOWN;
                check.sample(health == Health.UNKNOWN ? Double.NaN : health == Health.UP ? 1 : 0, name, key);
            }
        }
        add(heard, silent, late, maintained, check);
    }

    private static Health health(Observation observation) {
        return switch (observation) {
            case Observation.Balancer b -> b.health();
            case Observation.Web w -> w.health();
            case Observation.Database d -> d.health();
            case Observation.HostBasics _,
                    Observation.Address _,
                    Observation.Attachment _,
                    Observation.Peer _,
                    Observation.Path _,
                    Observation.Gateway _,
                    Observation.Settings _,
                    Observation.Backup _,
                    Observation.Data _ -> Health.UNKNOWN;
        };
    }

    private void groups() {
        Family.Building mode = Family.gauge(
                "understudy_group_mode",
                "What may be done with a group now: 0 observe or detached, 1 manual or paused, 2 automatic.",
                "group");
        Family.Building paused =
                Family.gauge("understudy_group_paused", "1 while a group is paused by an operator.", "group");
        Family.Building lag = Family.gauge(
                "understudy_replica_lag_seconds",
                "How far a replica is behind the primary, by the heartbeat row, else by its own estimate.",
                "group",
                "host");
        for (Group group : spec.groups()) {
            mode.sample(number(evidence.mode(group.name())), group.name());
            boolean rests = evidence.operations()
                    .pause(group.name(), evidence.now().wall())
                    .isPresent();
            paused.sample(rests ? 1 : 0, group.name());
            if (group instanceof DatabaseGroup) {
                group.members().stream()
                        .filter(evidence::fresh)
                        .forEach(member -> ReplicationLag.of(evidence, group.name(), member)
                                .ifPresent(l -> lag.sample(l.length().toMillis() / 1e3, group.name(), member)));
            }
        }
        add(mode, paused, lag);
    }

    private void backups() {
        Family.Building newest = Family.gauge(
                "understudy_backup_last_success_timestamp_seconds",
                "When the newest backup of a group was written, since 1970; 0 if there is none.",
                "group");
        Family.Building allowed = Family.gauge(
                "understudy_backup_max_age_seconds", "How old the newest backup of a group may be.", "group");
        for (Group group : spec.groups()) {
            if (group instanceof DatabaseGroup database && database.backup() != null) {
                allowed.sample((double) database.backup().maxAge().toSeconds(), group.name());
                NewestBackup.of(evidence, database)
                        .ifPresent(backup -> newest.sample((double) backup.at().getEpochSecond(), group.name()));
            }
        }
        add(newest, allowed);
    }

    private void resources() {
        Family.Building phase = Family.gauge(
                "understudy_resource_phase", "1 for the phase that a resource is in.", "resource", "phase");
        Family.Building live =
                Family.gauge("understudy_lease_live", "1 while a lease of the resource may be alive.", "resource");
        Family.Building left = Family.gauge(
                "understudy_lease_remaining_seconds",
                "After how long every lease of the resource is over for certain, if it is not renewed.",
                "resource");
        Family.Building acker = Family.gauge(
                "understudy_database_acker",
                "1 for a member whose acknowledgement a commit may wait for.",
                "resource",
                "host");
        Family.Building promotable = Family.gauge(
                "understudy_database_promotable",
                "1 for a member that is known to have every acknowledged write.",
                "resource",
                "host");
        Family.Building last = Family.gauge(
                "understudy_failover_last_timestamp_seconds",
                "When the last automatic failover was completed, since 1970; 0 for none that is remembered.",
                "resource");
        for (ResourceState resource : known()) {
            String name = resource.id().toString();
            for (String each : phases(resource)) {
                phase.sample(each.equals(resource.phaseName()) ? 1 : 0, name, each);
            }
            boolean over = evidence.lapsed(resource.id());
            live.sample(over ? 0 : 1, name);
            left.sample(over ? 0 : -evidence.sinceLapse(resource.id()).toMillis() / 1e3, name);
            last.sample(
                    evidence.operations().failovers().getOrDefault(resource.id(), List.of()).stream()
                            .mapToDouble(f -> f.at().toEpochMilli() / 1e3)
                            .max()
                            .orElse(0),
                    name);
            if (resource instanceof PrimaryState primary) {
                spec.group(resource.id().group())
                        .map(Group::members)
                        .orElse(List.of())
                        .forEach(member -> {
                            acker.sample(primary.ackers().contains(member) ? 1 : 0, name, member);
                            promotable.sample(primary.members().promotable().contains(member) ? 1 : 0, name, member);
                        });
            }
        }
        add(phase, live, left, acker, promotable, last);
    }

    private void journal() {
        Journaled journaled = state.journaled();
        all.add(Family.counter("understudy_journal_entries_total", "Entries of the journal that were applied.")
                .of((double) journaled.entries()));
        gauge(
                "understudy_journal_events",
                "Events that are kept.",
                journaled.events().size());
        gauge("understudy_spec_version", "Version of the cluster specification in force.", (double)
                journaled.specVersion());
    }

    private static double number(Mode mode) {
        return switch (mode) {
            case OBSERVE -> 0;
            case MANUAL -> 1;
            case AUTOMATIC -> 2;
        };
    }

    private static List<String> phases(ResourceState resource) {
        return switch (resource) {
            case AddressState _ -> names(AddressPhase.values());
            case PrimaryState _ -> names(PrimaryPhase.values());
        };
    }

    private static List<String> names(Enum<?>[] values) {
        return Arrays.stream(values).map(Enum::name).toList();
    }

    private Collection<ResourceState> known() {
        return spec.resources().stream()
                .flatMap(id -> Stream.ofNullable(state.journaled().resources().get(id)))
                .toList();
    }

    private void gauge(String name, String help, double value) {
        all.add(Family.gauge(name, help).of(value));
    }

    private void add(Family.Building... families) {
        for (Family.Building family : families) {
            all.add(family.build());
        }
    }
}
