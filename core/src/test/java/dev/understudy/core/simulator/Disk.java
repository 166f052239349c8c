package dev.understudy.core.simulator;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.LeaseHolder.Floor;
import dev.understudy.protocol.LeaseHolder.Floors;
import dev.understudy.protocol.ResourceId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What an agent has on disk: its floors, which epochs it took, and the spec that it last heard. Survives
/// everything.
final class Disk {

    private boolean full;
    private boolean fresh = true;
    private Floors floors = new Floors(0, List.of());
    private Map<ResourceId, Long> taken = Map.of();
    private @Nullable ClusterSpec spec;

    void fill(boolean isFull) {
        full = isFull;
    }

    boolean full() {
        return full;
    }

    /// Whether nothing was ever written.
    boolean fresh() {
        return fresh;
    }

    Floors floors() {
        return floors;
    }

    Map<ResourceId, Long> taken() {
        return taken;
    }

    @Nullable
    ClusterSpec spec() {
        return spec;
    }

    Optional<Floor> floor(ResourceId resource) {
        return floors.resources().stream()
                .filter(f -> f.resource().equals(resource))
                .findFirst();
    }

    /// False when it could not be written: what was there before stands.
    boolean write(Floors next, Map<ResourceId, Long> nextTaken) {
        if (next.equals(floors) && nextTaken.equals(taken)) {
            return true;
        }
        if (full) {
            return false;
        }
        floors = next;
        taken = Map.copyOf(nextTaken);
        fresh = false;
        return true;
    }

    void save(ClusterSpec next) {
        if (!full) {
            spec = next;
        }
    }
}
