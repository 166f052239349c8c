package dev.understudy.core.plan;

import dev.understudy.core.Consenting;
import dev.understudy.core.JournalEntry;
import dev.understudy.core.ResourceState;
import dev.understudy.core.diagnosis.Deadlines;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.AgentMessage.LeaseReport;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.ResourceId;
import java.util.List;
import java.util.Optional;

/// Keeps the circle of a steady holder: the members on whose consent it lives while no controller is in reach (S7).
/// A member is in it while its agent is heard, whatever its service does: such an agent can consent, and can close
/// the epoch. What changes is journaled before the holder is told of it in its next grant (S5).
public final class CircleKeeper {

    private final Turn turn;
    private final ResourceId id;

    public CircleKeeper(Turn turn, ResourceId id) {
        this.turn = turn;
        this.id = id;
    }

    public void advance() {
        ResourceState resource = turn.resource(id);
        Evidence evidence = turn.evidence();
        if (resource == null || !resource.steady() || evidence.blind()) {
            return;
        }
        String holder = String.valueOf(resource.holder());
        if (!evidence.fresh(holder) || !evidence.holds(holder, id, resource.epoch())) {
            return;
        }
        Optional<Consenting> known = turn.state().journaled().circle(resource);
        List<String> eligible =
                eligible(evidence, holder, known.map(c -> c.circle().members()).orElse(List.of()));
        if (known.isEmpty()) {
            journal(resource, Consenting.first(resource.epoch(), eligible), "lives on the consent of");
            return;
        }
        Consenting now = known.get();
        if (!now.circle().members().equals(eligible)) {
            journal(resource, now.changed(eligible), "is to live on the consent of");
        } else if (!now.isCounted()
                && evidence.lease(holder, id).map(LeaseReport::circle).orElse(0L)
                        == now.circle().version()) {
            // what it renewed while it counted the circle before may last for one more lease
            turn.become(turn.state()
                    .with(turn.state()
                            .leases()
                            .granted(
                                    id,
                                    resource.epoch(),
                                    turn.state().timing().ttl(),
                                    turn.now().mono())));
            journal(resource, now.counted(), "counts on the consent of");
        }
    }

    /// A member joins when it is heard, and leaves when it was not heard for a while: a lost heartbeat changes
    /// nothing.
    private List<String> eligible(Evidence evidence, String holder, List<String> members) {
        return turn.state().spec().group(id.group()).map(Group::members).orElse(List.of()).stream()
                .filter(m -> !m.equals(holder))
                .filter(m -> evidence.fresh(m)
                        || (members.contains(m) && evidence.silentFor(m).compareTo(Deadlines.UNHEARD) < 0))
                .toList();
    }

    private void journal(ResourceState resource, Consenting next, String verb) {
        String text = "%s %s %s without a controller (circle %d)"
                .formatted(
                        resource.holder(),
                        verb,
                        next.circle().members().isEmpty()
                                ? "nobody"
                                : String.join(", ", next.circle().members()),
                        next.circle().version());
        turn.record(new JournalEntry.CircleChanged(id, next, turn.event(resource, resource, "", "", text, List.of())));
    }
}
