package dev.understudy.core.diagnosis;

import dev.understudy.core.Operations.Restart;
import dev.understudy.core.State.Sent;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Bounded local restarts (`restart: N`): one attempt for each death, at most N on one host within
/// [Recovery#RESTART_WINDOW].
public final class Restarts {

    private Restarts() {}

    /// Whether a service of that resource that died on the host may be started again now: the group is automatic,
    /// the host is not in maintenance, and the budget is not used up.
    public static boolean allowed(Evidence evidence, ResourceId resource, String host) {
        Recovery recovery = evidence.spec().recoveryOf(resource.group());
        return recovery.restarts() > 0
                && evidence.mode(resource.group()) == Mode.AUTOMATIC
                && evidence.maintenance(host).isEmpty()
                && used(evidence, resource, host).size() < recovery.restarts();
    }

    /// The attempt that was made for this epoch, if any.
    public static Optional<Restart> of(Evidence evidence, ResourceId resource, String host, long epoch) {
        return used(evidence, resource, host).stream()
                .filter(r -> r.epoch() == epoch)
                .reduce((_, later) -> later);
    }

    /// Of the order for the holder's service at that epoch.
    public static String orderKey(ResourceId resource, long epoch, String host) {
        return "restart/" + resource + "/" + epoch + "/" + host;
    }

    /// Whether that order was answered with anything but done.
    static boolean failed(Evidence evidence, ResourceId resource, long epoch, String host) {
        Sent sent = evidence.state().orders().get(orderKey(resource, epoch, host));
        return sent != null && (sent.outcome() instanceof Outcome.Failed || sent.outcome() instanceof Outcome.Refused);
    }

    /// How long ago it was ordered.
    public static Duration age(Evidence evidence, Restart restart) {
        return Duration.between(restart.at(), evidence.now().wall());
    }

    /// Attempts on the host within the window, oldest first.
    public static List<Restart> used(Evidence evidence, ResourceId resource, String host) {
        Instant since = evidence.now().wall().minus(Recovery.RESTART_WINDOW);
        return evidence.operations().restartsSince(resource, host, since);
    }
}
