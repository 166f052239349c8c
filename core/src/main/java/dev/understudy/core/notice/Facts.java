package dev.understudy.core.notice;

import dev.understudy.core.Event;
import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.candidate.PrimaryCandidates;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.notice.Notice.Spot;
import dev.understudy.protocol.ClusterSpec.BalancerGroup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.WebGroup;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The lines of a notice: what happened, what was done, what is at risk.
final class Facts {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneOffset.UTC);

    private final Evidence evidence;

    Facts(Evidence evidence) {
        this.evidence = evidence;
    }

    static String at(Instant time, String text) {
        return TIME.format(time) + " " + text;
    }

    static String length(Duration length) {
        long seconds = length.toSeconds();
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.2f s", length.toMillis() / 1000.0);
        }
        if (seconds < 120) {
            return seconds + " s";
        }
        return seconds < 7200
                ? seconds / 60 + " min"
                : String.format(Locale.ROOT, "%d h %02d min", seconds / 3600, seconds % 3600 / 60);
    }

    /// One line for what a failover was about.
    static String happened(Handover handover) {
        Event first = handover.steps().getFirst();
        return at(first.at(), handover.from() + " lost " + handover.resource() + ": " + first.text());
    }

    /// The steps of a failover and how long they took.
    static List<String> done(Handover handover) {
        List<String> lines = new ArrayList<>();
        lines.add(handover.resource() + " was moved from " + handover.from() + " to " + handover.to() + " in "
                + length(handover.took()) + ", from the decision to its end");
        Instant begin = handover.steps().getFirst().at();
        for (Event step : handover.steps()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "+%.3f s %s %s",
                    Duration.between(begin, step.at()).toMillis() / 1000.0,
                    step.row().isEmpty() ? step.id() : step.row(),
                    step.to().isEmpty() || step.from().equals(step.to())
                            ? step.text()
                            : step.to() + ": " + step.text()));
        }
        return lines;
    }

    /// What would happen if the holders of the groups' resources failed now.
    List<String> readiness(List<String> groups) {
        List<String> lines = new ArrayList<>();
        for (ResourceState resource : evidence.state().journaled().resources().values().stream()
                .filter(r -> groups.contains(r.id().group()))
                .filter(r -> evidence.mode(r.id().group()) != Mode.OBSERVE)
                .sorted((a, b) -> a.id().compareTo(b.id()))
                .toList()) {
            String holder = resource.holder();
            if (resource.steady() && holder != null) {
                lines.add(ifItFailed(resource, holder));
            }
        }
        return lines;
    }

    private String ifItFailed(ResourceState resource, String holder) {
        List<Candidate> candidates =
                switch (resource) {
                    case AddressState address -> AddressCandidates.of(evidence, address);
                    case PrimaryState primary -> {
                        List<String> promotable = primary.members().promotable();
                        yield PrimaryCandidates.standIns(evidence, primary).stream()
                                .map(c -> c.eligible() && !promotable.contains(c.host())
                                        ? new Candidate(c.host(), false, "it is not promotable")
                                        : c)
                                .toList();
                    }
                };
        List<Candidate> others =
                candidates.stream().filter(c -> !c.host().equals(holder)).toList();
        List<String> able =
                others.stream().filter(Candidate::eligible).map(Candidate::host).toList();
        String when = "if " + holder + " failed now as holder of " + resource.id() + ", ";
        if (!able.isEmpty()) {
            boolean byItself = evidence.mode(resource.id().group()) == Mode.AUTOMATIC;
            return when
                    + String.join(" or ", able)
                    + (byItself
                            ? " would take over"
                            : " could take over, by hand ("
                                    + evidence.restraint(resource.id().group()) + ")");
        }
        return when + "nobody could take over ("
                + String.join(
                        "; ",
                        others.stream().map(c -> c.host() + ": " + c.reason()).toList()) + ")";
    }

    List<Spot> topology() {
        List<Spot> spots = new ArrayList<>();
        for (Group group : evidence.spec().groups()) {
            group.members().forEach(host -> spots.add(spot(group, host)));
        }
        return spots;
    }

    private Spot spot(Group group, String host) {
        String role = evidence.state().journaled().resources().values().stream()
                .filter(r -> r.id().group().equals(group.name()) && host.equals(r.holder()))
                .map(r -> r.id().isPrimary() ? "primary" : r.id().name())
                .sorted()
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
        Optional<Health> health =
                switch (group) {
                    case BalancerGroup _ ->
                        evidence.balancer(host, group.name()).map(Observation.Balancer::health);
                    case DatabaseGroup _ ->
                        evidence.database(host, group.name()).map(Observation.Database::health);
                    case WebGroup _ ->
                        evidence.view(host)
                                .map(v -> v.observations().get("web/" + group.name()))
                                .filter(Observation.Web.class::isInstance)
                                .map(o -> ((Observation.Web) o).health());
                };
        String state = evidence.maintenance(host).isPresent()
                ? "maintenance"
                : !evidence.fresh(host)
                        ? "silent"
                        : health.map(h -> h.name().toLowerCase(Locale.ROOT)).orElse("unknown");
        return new Spot(group.name(), host, role, state);
    }
}
