package dev.understudy.core;

import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.AddressState;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.plan.Turn;
import dev.understudy.core.plan.Turn.Again;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ResourceId;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Brings the agents of a group to what the journal says of it: detached, or taking part. An agent that was
/// detached by hand takes its whole group out: what it holds for good must not be given to another.
final class Attachments {

    private Attachments() {}

    static void look(Turn turn, Group group) {
        Operations operations = turn.state().journaled().operations();
        for (ResourceId id : turn.state().spec().resourcesOf(group)) {
            if (operations.detached().contains(group.name())) {
                detach(turn, group, id);
            } else if (operations.attaching().contains(group.name())) {
                attach(turn, group, id);
            } else if (group.mode() != Mode.OBSERVE) {
                adoptByHand(turn, group, id);
            }
        }
    }

    private static void detach(Turn turn, Group group, ResourceId id) {
        Evidence evidence = turn.evidence();
        ResourceState resource = Objects.requireNonNull(turn.resource(id));
        for (String member : group.members()) {
            if (evidence.fresh(member) && !evidence.detached(member, id)) {
                turn.ensure(
                        member,
                        "detach/" + id + "/" + resource.epoch() + "/" + member,
                        Again.ALWAYS,
                        Deadlines.RETRY,
                        order -> new Command.Detach(order, id, resource.epoch()));
            }
        }
        String holder = resource.holder();
        if (holder != null && evidence.fresh(holder) && evidence.detached(holder, id)) {
            ResourceState after = vacant(resource);
            String text = holder + " keeps " + id + " for good: nobody holds it under a lease any more";
            turn.enter(after, turn.event(resource, after, "", "", text, List.of()));
        }
    }

    private static void attach(Turn turn, Group group, ResourceId id) {
        Evidence evidence = turn.evidence();
        long epoch = Objects.requireNonNull(turn.resource(id)).epoch();
        for (String member : group.members()) {
            if (evidence.fresh(member) && evidence.detached(member, id)) {
                turn.ensure(
                        member,
                        "attach/" + id + "/" + epoch + "/" + member,
                        Again.ALWAYS,
                        Deadlines.RETRY,
                        order -> new Command.Attach(order, id, epoch));
            }
        }
        boolean all = turn.state().spec().resourcesOf(group).stream()
                .allMatch(r -> group.members().stream().allMatch(m -> evidence.fresh(m) && !evidence.detached(m, r)));
        if (all) {
            turn.record(new JournalEntry.Operated(
                    evidence.operations().attached(group.name()),
                    turn.event(group.name() + " is attached again: every agent takes part")));
        }
    }

    private static void adoptByHand(Turn turn, Group group, ResourceId id) {
        Evidence evidence = turn.evidence();
        List<String> detached = group.members().stream()
                .filter(evidence::fresh)
                .filter(m -> evidence.detached(m, id))
                .toList();
        if (!detached.isEmpty()) {
            String text = detached + " was detached by hand from " + id + ": " + group.name()
                    + " counts as detached (understudy mode " + group.name() + " attaches it again)";
            turn.record(new JournalEntry.Operated(evidence.operations().detaching(group.name()), turn.event(text)));
        }
    }

    private static ResourceState vacant(ResourceState resource) {
        return switch (resource) {
            case AddressState address ->
                new AddressState(address.id(), AddressPhase.VACANT, null, address.epoch() + 1, null);
            case PrimaryState primary ->
                new PrimaryState(
                        primary.id(),
                        PrimaryPhase.VACANT,
                        null,
                        primary.epoch() + 1,
                        null,
                        List.of(),
                        List.of(),
                        false,
                        "",
                        Map.of(),
                        Map.of(),
                        null);
        };
    }
}
