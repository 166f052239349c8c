package dev.understudy.agent.lease;

import dev.understudy.protocol.Moment;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The resources that are being given up, each until it is done: what failed is tried again. Order (S9):
/// [HolderActs#giveUp] is done, the floor is on disk, a heartbeat says so. Confined to the lease thread.
final class Releases {

    private static final Logger LOG = LoggerFactory.getLogger(Releases.class);
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final HolderActs acts;
    private final Supplier<Moment> clock;
    private final LeaseThread lease;
    private final Map<ResourceId, Release> underWay = new HashMap<>();

    /// What the lease thread does for a release.
    interface LeaseThread {
        void later(Runnable task);

        /// Everything up to the epoch is given up: false if that is not known to be on disk.
        boolean released(ResourceId resource, long epoch);

        /// Whether it is still to be given up.
        boolean must(ResourceId resource);

        /// What is held, or being given up, changed.
        void changed();

        /// Tells the controllers.
        void tell();
    }

    private static final class Release {
        long upTo;
        final String because;
        Duration drain;
        boolean running;
        Moment retryAt;
        final List<Consumer<Outcome>> listeners = new ArrayList<>();

        Release(long upTo, String because, Duration drain, Moment now) {
            this.upTo = upTo;
            this.because = because;
            this.drain = drain;
            this.retryAt = now;
        }
    }

    Releases(HolderActs acts, Supplier<Moment> clock, LeaseThread lease) {
        this.acts = acts;
        this.clock = clock;
        this.lease = lease;
    }

    boolean underWay(ResourceId resource) {
        return underWay.containsKey(resource);
    }

    /// @param drain not if any release of the resource that is under way is one without
    void begin(ResourceId resource, long upTo, String because, Duration drain, Consumer<Outcome> done) {
        Release release = underWay.computeIfAbsent(resource, _ -> new Release(upTo, because, drain, clock.get()));
        release.upTo = Math.max(release.upTo, upTo);
        if (drain.isZero()) {
            release.drain = drain;
        }
        release.listeners.add(done);
        lease.changed();
        if (!release.running) {
            start(resource, release);
        }
    }

    void retry(Moment now) {
        for (Map.Entry<ResourceId, Release> entry : List.copyOf(underWay.entrySet())) {
            Release release = entry.getValue();
            if (!release.running && !now.isBefore(release.retryAt)) {
                start(entry.getKey(), release);
            }
        }
    }

    private void start(ResourceId resource, Release release) {
        release.running = true;
        acts.giveUp(
                resource,
                release.upTo,
                release.drain,
                outcome -> lease.later(() -> finish(resource, release, outcome)));
    }

    private void finish(ResourceId resource, Release release, Outcome outcome) {
        release.running = false;
        Outcome result = outcome instanceof Outcome.Done && !lease.released(resource, release.upTo)
                ? new Outcome.Failed("given up, but the floor could not be written")
                : outcome;
        if (result instanceof Outcome.Done) {
            underWay.remove(resource);
            LOG.info("event=released resource={} epoch={} because={}", resource, release.upTo, release.because);
        } else if (lease.must(resource)) {
            LOG.warn("event=release-failed resource={} outcome=\"{}\"", resource, result.describe());
            release.retryAt = clock.get().plus(RETRY);
        } else {
            underWay.remove(resource);
        }
        lease.changed();
        List<Consumer<Outcome>> listeners = List.copyOf(release.listeners);
        release.listeners.clear();
        for (Consumer<Outcome> listener : listeners) {
            listener.accept(result);
        }
        lease.tell();
    }
}
