package dev.understudy.core;

import dev.understudy.core.Event.Candidate;
import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.candidate.AddressCandidates;
import dev.understudy.core.diagnosis.AddressDiagnosis;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.Turn;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.ServiceState;
import java.util.List;
import java.util.Optional;

/// Mode observe: what would have been done, told once, and nothing done. The holder is whoever is found with the
/// address, or writable; it is remembered while this controller leads.
final class Onlooker {

    private static final String WOULD_MOVE = "WOULD_MOVE";
    private static final String SEVERAL = "SEVERAL_FOUND";

    private final Turn turn;
    private final Evidence evidence;
    private final ResourceState resource;
    private final ResourceId id;

    private Onlooker(Turn turn, ResourceState resource) {
        this.turn = turn;
        this.evidence = turn.evidence();
        this.resource = resource;
        this.id = resource.id();
    }

    static void look(Turn turn, ResourceId id) {
        ResourceState resource = turn.resource(id);
        if (resource != null && resource.holder() == null && !turn.evidence().blind()) {
            new Onlooker(turn, resource).look();
        }
    }

    private void look() {
        List<String> found =
                switch (resource) {
                    case AddressState address -> AddressDiagnosis.found(evidence, address);
                    case PrimaryState _ ->
                        members().stream().filter(this::writable).toList();
                };
        if (found.size() > 1) {
            note(SEVERAL, id + " is on " + found + " at once", List.of());
            return;
        }
        String key = id + " as found";
        String known = turn.state().said().getOrDefault(key, "");
        String holder = found.isEmpty() ? known : found.getFirst();
        if (!holder.equals(known)) {
            turn.become(turn.state().saying(key, holder));
        }
        Optional<String> trouble = holder.isEmpty() ? Optional.empty() : trouble(holder);
        if (trouble.isEmpty()) {
            turn.nothingToSay(id.toString());
            return;
        }
        List<Candidate> candidates = candidates(holder);
        List<String> able = candidates.stream()
                .filter(Candidate::eligible)
                .map(Candidate::host)
                .toList();
        String what = able.isEmpty()
                ? "nobody could have taken over"
                : resource instanceof AddressState
                        ? "would have moved the address to " + able.getFirst()
                        : "would have promoted the one of " + able + " that has received most";
        note(WOULD_MOVE, trouble.get() + ": " + what, candidates);
    }

    private void note(String situation, String text, List<Candidate> candidates) {
        turn.noteOnce(resource, id.toString(), "", situation, text + " (mode observe: nothing is done)", candidates);
    }

    private Optional<String> trouble(String holder) {
        boolean died =
                switch (resource) {
                    case AddressState _ ->
                        evidence.serverBehind(holder, id)
                                .map(b -> b.health() == Health.DOWN)
                                .orElse(false);
                    case PrimaryState _ ->
                        evidence.database(holder, id.group())
                                .map(d -> d.service() == ServiceState.ENDED)
                                .orElse(false);
                };
        if (died) {
            return Optional.of("the service on " + holder + " is dead");
        }
        boolean gone = evidence.view(holder)
                .map(v -> !evidence.fresh(holder)
                        && turn.now()
                                        .mono()
                                        .since(v.heard())
                                        .compareTo(evidence.state()
                                                .timing()
                                                .lapseAfter(evidence.state()
                                                        .timing()
                                                        .ttl()))
                                > 0)
                .orElse(false);
        return gone ? Optional.of(holder + " is not heard") : Optional.empty();
    }

    private List<Candidate> candidates(String holder) {
        return switch (resource) {
            case AddressState address ->
                AddressCandidates.of(
                        evidence, new AddressState(id, AddressPhase.HELD, holder, address.epoch() + 1, null));
            case PrimaryState _ ->
                members().stream()
                        .filter(m -> !m.equals(holder))
                        .map(this::judge)
                        .toList();
        };
    }

    private Candidate judge(String member) {
        Observation.Replica replica = evidence.database(member, id.group())
                .map(Observation.Database::replica)
                .orElse(null);
        if (!evidence.fresh(member)) {
            return new Candidate(member, false, "its agent is not heard");
        }
        return replica == null || !replica.applier().equals("Yes")
                ? new Candidate(member, false, "it does not replicate")
                : new Candidate(member, true, "it replicates");
    }

    private boolean writable(String member) {
        return evidence.fresh(member)
                && evidence.database(member, id.group())
                        .map(d -> Boolean.FALSE.equals(d.readOnly()))
                        .orElse(false);
    }

    private List<String> members() {
        return evidence.spec().group(id.group()).map(Group::members).orElse(List.of());
    }
}
