package dev.understudy.core.evidence;

import dev.understudy.core.ResourceState;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Observation.HeartbeatRow;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;

/// How far a member's data is behind the primary's.
///
/// By the heartbeat row: the newest one that the primary's agent has written less the newest one that the member has
/// applied. Both times are of the primary's clock, so no other clock counts. A row is written each second and told
/// with the heartbeats of two agents, so the figure may be a second more than the truth, and is no less than it was
/// when the member last told. Without comparable rows (none yet, or the member's is still of an earlier primary) the
/// server's own estimate stands in, which is relative to what it has received: a receiver that is behind hides it.
///
/// @param byRow whether it was measured by the row
public record ReplicationLag(Duration length, boolean byRow) {

    /// What the rows cannot tell apart: one is written each second.
    public static final Duration GRAIN = Duration.ofSeconds(1);

    /// Empty if nothing says: the member follows nobody, is not known, or has no estimate.
    public static Optional<ReplicationLag> of(Evidence evidence, String group, String member) {
        Observation.Database seen = evidence.database(member, group).orElse(null);
        if (seen == null || seen.replica() == null) {
            return Optional.empty();
        }
        Optional<HeartbeatRow> newest = ofPrimary(evidence, group);
        HeartbeatRow applied = seen.heartbeat();
        if (newest.isPresent() && applied != null && newest.get().serverId() == applied.serverId()) {
            long micros = Math.max(0, newest.get().micros() - applied.micros());
            return Optional.of(new ReplicationLag(Duration.of(micros, ChronoUnit.MICROS), true));
        }
        long estimate = seen.replica().secondsBehind();
        return estimate < 0 ? Optional.empty() : Optional.of(new ReplicationLag(Duration.ofSeconds(estimate), false));
    }

    /// What the primary's agent wrote last, as far as is known.
    private static Optional<HeartbeatRow> ofPrimary(Evidence evidence, String group) {
        ResourceState primary = evidence.state().journaled().resources().get(ResourceId.primary(group));
        String holder = primary == null ? null : primary.holder();
        return holder == null
                ? Optional.empty()
                : evidence.database(holder, group)
                        .filter(seen ->
                                seen.heartbeat() != null && seen.heartbeat().serverId() == seen.serverId())
                        .map(Observation.Database::heartbeat);
    }

    /// For people.
    public String describe() {
        return byRow
                ? String.format(Locale.ROOT, "lags by %.1f s", length.toMillis() / 1000.0)
                : "lags by " + length.toSeconds() + " s by its server's own estimate";
    }
}
