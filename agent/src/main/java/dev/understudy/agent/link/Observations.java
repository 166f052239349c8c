package dev.understudy.agent.link;

import dev.understudy.agent.probe.ObservationSink;
import dev.understudy.protocol.Observation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/// The latest observation of each subject on this host, with a version that rises with every change, so that each
/// connection can be sent what changed since its last heartbeat. Thread-safe, never blocks for long.
public final class Observations implements ObservationSink {

    private final Object lock = new Object();
    private final Map<String, Versioned> latest = new TreeMap<>();
    private volatile Runnable urgent = () -> {};
    private long version;

    private record Versioned(Observation observation, long version) {}

    /// What changed up to a version.
    public record Batch(long version, List<Observation> observations) {
        public Batch {
            observations = List.copyOf(observations);
        }
    }

    /// @param sendNow called when something urgent changed; must not block
    public void onUrgent(Runnable sendNow) {
        urgent = sendNow;
    }

    @Override
    public void publish(Observation observation) {
        put(observation);
    }

    @Override
    public void publishNow(Observation observation) {
        if (put(observation)) {
            urgent.run();
        }
    }

    /// @param version 0 for everything
    public Batch since(long version) {
        synchronized (lock) {
            List<Observation> changed = new ArrayList<>();
            for (Versioned entry : latest.values()) {
                if (entry.version() > version) {
                    changed.add(entry.observation());
                }
            }
            return new Batch(this.version, changed);
        }
    }

    public Optional<Observation> latest(String key) {
        synchronized (lock) {
            return Optional.ofNullable(latest.get(key)).map(Versioned::observation);
        }
    }

    /// Forgets subjects that are no longer looked at.
    public void retain(Predicate<Observation> stillLookedAt) {
        synchronized (lock) {
            latest.values().removeIf(entry -> !stillLookedAt.test(entry.observation()));
        }
    }

    private boolean put(Observation observation) {
        synchronized (lock) {
            Versioned known = latest.get(observation.key());
            if (known != null && known.observation().equals(observation)) {
                return false;
            }
            latest.put(observation.key(), new Versioned(observation, ++version));
            return true;
        }
    }
}
