package dev.understudy.core.diagnosis;

import dev.understudy.core.ResourceState;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.Observation.Reach;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Whether a holder that serves by its own word is cut off from its clients. Two kinds of evidence, each of which
/// has to last: its own interface (no carrier, or a silent gateway, while another member's gateway answers); or
/// every host that used to reach the resource reaches it no more, and at least one of them is no candidate for it,
/// since a member whose own cable is cut sees the same. Where members still reach it, those eyes that are no
/// candidates, the clients', decide alone, provided that one of them reaches another member's host.
final class Isolation {

    private Isolation() {}

    /// The reason, for the operator; empty if there is none to think so.
    static Optional<String> of(Evidence evidence, ResourceState resource) {
        String holder = String.valueOf(resource.holder());
        List<String> others =
                evidence.spec().group(resource.id().group()).map(Group::members).orElse(List.of()).stream()
                        .filter(m -> !m.equals(holder) && evidence.fresh(m))
                        .toList();
        boolean otherIsWell = others.stream()
                .anyMatch(m -> !evidence.cutFromClients(m, resource.id()).orElse(true));
        if (evidence.cutFromClients(holder, resource.id()).orElse(false) && otherIsWell && lasts(evidence, resource)) {
            return Optional.of(holder + " has lost the network of its clients, which other members reach");
        }
        Map<String, Reach> paths = evidence.pathsTo(resource.id(), holder);
        Map<String, Reach> clients = new TreeMap<>(paths);
        clients.keySet().removeAll(others);
        boolean clientsLostIt = !clients.isEmpty()
                && clients.keySet().stream()
                        .allMatch(h ->
                                evidence.inStateFor(h, "path/" + resource.id()).compareTo(Deadlines.UNREACHED) > 0)
                && !clients.containsValue(Reach.ANSWERS);
        if (!clientsLostIt) {
            return Optional.empty();
        }
        if (!paths.containsValue(Reach.ANSWERS)) {
            return Optional.of("nobody reaches " + resource.id() + " on " + holder + " any more: " + paths);
        }
        return others.stream()
                .filter(m -> clients.keySet().stream()
                        .anyMatch(h -> evidence.eyesOn(m).get(h) == Reach.ANSWERS))
                .findFirst()
                .map(m -> "clients do not reach " + resource.id() + " on " + holder + " any more, and reach " + m + ": "
                        + paths);
    }

    private static boolean lasts(Evidence evidence, ResourceState resource) {
        String holder = String.valueOf(resource.holder());
        return evidence.inStateFor(holder, "gateway/" + resource.id()).compareTo(Deadlines.UNREACHED) > 0
                || evidence.address(holder, resource.id())
                        .map(a -> !a.carrier())
                        .orElse(false);
    }
}
