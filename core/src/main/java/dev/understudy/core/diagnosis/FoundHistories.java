package dev.understudy.core.diagnosis;

import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.GtidList;
import dev.understudy.protocol.Observation;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Whether the members of a group that never had a primary under Understudy are of one history. Positions alone do not
/// say so: two servers may have counted to different numbers of one domain with different rows. Who follows whom does.
final class FoundHistories {

    private final Evidence evidence;
    private final DatabaseGroup group;
    private final Map<String, GtidList> positions = new TreeMap<>();

    private FoundHistories(Evidence evidence, DatabaseGroup group) {
        this.evidence = evidence;
        this.group = group;
        group.members().forEach(member -> positions.put(member, position(member)));
    }

    /// Why they are not, empty when they are: one has everything, and each of the others has the same, or replicates
    /// from it, or it from the other, or both from the same server.
    static Optional<String> apart(Evidence evidence, DatabaseGroup group) {
        return new FoundHistories(evidence, group).apart();
    }

    private Optional<String> apart() {
        List<String> furthest = group.members().stream()
                .filter(member -> group.members().stream().allMatch(other -> has(member, other)))
                .toList();
        if (furthest.isEmpty()) {
            return Optional.of("no member has everything: " + positions);
        }
        return group.members().stream()
                .filter(member -> !furthest.contains(member))
                .filter(member -> furthest.stream().noneMatch(first -> related(member, first)))
                .map(member -> "%s (at %s) and %s (at %s) replicate neither from one another nor from the same server"
                        .formatted(
                                member, positions.get(member), furthest.getFirst(), positions.get(furthest.getFirst())))
                .findFirst();
    }

    private boolean has(String member, String other) {
        return positions
                .getOrDefault(member, new GtidList(List.of()))
                .reached(positions.getOrDefault(other, new GtidList(List.of())));
    }

    private boolean related(String one, String other) {
        String source = source(one);
        return source.equals(address(other))
                || source(other).equals(address(one))
                || (!source.isEmpty() && source.equals(source(other)));
    }

    private GtidList position(String member) {
        return evidence.database(member, group.name())
                .map(seen -> {
                    Observation.Replica replica = seen.replica();
                    return GtidList.parse(seen.appliedPosition())
                            .merge(GtidList.parse(seen.binlogPosition()))
                            .merge(GtidList.parse(replica == null ? "" : replica.receivedPosition()));
                })
                .orElse(new GtidList(List.of()));
    }

    private String source(String member) {
        return evidence.database(member, group.name())
                .map(Observation.Database::replica)
                .map(Observation.Replica::source)
                .orElse("");
    }

    private String address(String member) {
        return evidence.spec().host(member).map(ClusterSpec.Host::address).orElse("");
    }
}
