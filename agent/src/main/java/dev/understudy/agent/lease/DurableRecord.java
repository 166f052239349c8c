package dev.understudy.agent.lease;

import dev.understudy.protocol.Circle;
import dev.understudy.protocol.LeaseHolder.Floor;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.ResourceId;
import dev.understudy.protocol.StandingConsent;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What an agent must remember over a restart of itself or its host (S3).
///
/// @param cluster the cluster that this agent belongs to, empty if it has never heard of one
/// @param highestTerm the highest leader's term seen
public record DurableRecord(String cluster, long highestTerm, List<Entry> resources) {

    public static final DurableRecord EMPTY = new DurableRecord("", 0, List.of());

    public DurableRecord {
        resources = List.copyOf(resources);
    }

    /// @param epoch the highest epoch seen
    /// @param released everything up to this epoch is released, 0 for none
    /// @param taken the highest epoch whose lease this host was given; above `released`, the host may hold the
    /// resource
    /// @param promised the highest epoch whose holder was given consent (S3), 0 for none
    /// @param circle on whose consent this host lives as holder, null for none
    /// @param standing the latest standing consent, to the holder of the epoch `promised`; null if none was ever
    /// left
    public record Entry(
            ResourceId resource,
            long epoch,
            long released,
            long taken,
            long promised,
            @Nullable Circle circle,
            @Nullable StandingConsent standing) {
        /// An entry of a host that left no standing consent.
        public Entry(
                ResourceId resource, long epoch, long released, long taken, long promised, @Nullable Circle circle) {
            this(resource, epoch, released, taken, promised, circle, null);
        }

        /// An entry of a host that consented to nobody and counts no circle.
        public Entry(ResourceId resource, long epoch, long released, long taken) {
            this(resource, epoch, released, taken, 0, null, null);
        }
    }

    public Optional<Entry> of(ResourceId resource) {
        return resources.stream().filter(e -> e.resource().equals(resource)).findFirst();
    }

    public Floors floors() {
        return new Floors(
                highestTerm,
                resources.stream()
                        .map(e -> new Floor(
                                e.resource(), e.epoch(), e.released(), e.promised(), e.circle(), e.standing()))
                        .toList());
    }

    /// Leases that were taken and of which no release is on disk: each is to be adopted or fenced at start (S9).
    public List<Entry> unreleased() {
        return resources.stream().filter(e -> e.taken() > e.released()).toList();
    }
}
