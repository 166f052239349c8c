package dev.understudy.core.evidence;

import dev.understudy.core.ResourceState.PrimaryState;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Reader;
import dev.understudy.protocol.Health;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Optional;

/// What a member of a database group is worth as holder of the group's reader address at this moment.
///
/// @param because for people, to follow the member's name: `is the primary`
public record Reading(Grade grade, String because) {

    public enum Grade {
        /// it is the primary: nothing is newer, and it has the writes to do
        PRIMARY,
        /// a replica that is so little behind that it may get the address back
        WELL,
        /// a replica within the bound
        WITHIN,
        /// what it would tell is too old, or nobody knows how old
        UNFIT
    }

    /// Whatever the bound is, this much is as good as nothing: the grain of the measure and half a second.
    private static final Duration CLOSE = ReplicationLag.GRAIN.plusMillis(500);

    public static Reading of(Evidence evidence, DatabaseGroup group, Reader reader, String member) {
        PrimaryState primary =
                evidence.state().journaled().resources().get(ResourceId.primary(group.name())) instanceof PrimaryState p
                        ? p
                        : null;
        String holder = primary == null ? null : primary.holder();
        if (primary == null || holder == null || !primary.steady()) {
            return unfit("has no primary that is steady beside it");
        }
        Observation.Database seen = evidence.database(member, group.name()).orElse(null);
        if (!evidence.fresh(member) || seen == null || seen.health() != Health.UP) {
            return unfit("does not answer");
        }
        if (member.equals(holder)) {
            return evidence.holds(holder, primary.id(), primary.epoch())
                    ? new Reading(Grade.PRIMARY, "is the primary")
                    : unfit("does not say that it is the primary");
        }
        if (primary.isQuarantined(member)) {
            return unfit("is quarantined");
        }
        String source =
                evidence.spec().host(holder).map(ClusterSpec.Host::address).orElse("");
        Observation.Replica replica = seen.replica();
        boolean follows = replica != null
                && replica.source().equals(source)
                && replica.receiver().equals("Yes")
                && replica.applier().equals("Yes");
        return follows ? byLag(evidence, group, reader, member) : unfit("does not follow " + holder);
    }

    private static Reading byLag(Evidence evidence, DatabaseGroup group, Reader reader, String member) {
        Optional<ReplicationLag> lag = ReplicationLag.of(evidence, group.name(), member);
        if (lag.isEmpty()) {
            return unfit("does not tell how far it lags");
        }
        Duration length = lag.get().length();
        Duration half = reader.maxLag().dividedBy(2);
        Duration well = half.compareTo(CLOSE) > 0 ? half : CLOSE;
        Grade grade = length.compareTo(reader.maxLag()) > 0
                ? Grade.UNFIT
                : lag.get().byRow() && length.compareTo(well) <= 0 ? Grade.WELL : Grade.WITHIN;
        return new Reading(grade, lag.get().describe());
    }

    private static Reading unfit(String because) {
        return new Reading(Grade.UNFIT, because);
    }

    public boolean eligible() {
        return grade != Grade.UNFIT;
    }
}
