package dev.understudy.core.candidate;

import dev.understudy.core.Operations.Failover;
import dev.understudy.core.evidence.Evidence;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Anti-flap. A member that has not failed as holder within the window is never held back: a dead holder is always
/// replaced by it at once, however recent the last failover is. A move *back* to a member that failed lately needs
/// that it has served again for [#STEADY] (within the cooldown), and that there were fewer than
/// [Recovery#MOST_FAILOVERS] automatic failovers within the window. Only completed automatic failovers count; what
/// an operator asks for is never held back, and does not count.
public final class RecentFailovers {

    /// So long a member must have served again after it failed as holder.
    public static final Duration STEADY = Duration.ofSeconds(5);

    private RecentFailovers() {}

    /// @param until when this reason is over, by the wall clock, if nothing else happens
    public record Hold(String because, Instant until) {}

    /// The members that failed as holder of the resource within the window.
    public static Set<String> failed(Evidence evidence, ResourceId resource) {
        return recent(evidence, resource).stream().map(Failover::from).collect(Collectors.toUnmodifiableSet());
    }

    /// Why the member may not become the holder by itself now, empty if it may.
    ///
    /// @param holder who holds it according to the journal: to be given its own resource again is no failover
    /// @param key the observation that says that the member serves
    public static Optional<Hold> hold(
            Evidence evidence, ResourceId resource, String holder, String member, String key) {
        List<Failover> recent = recent(evidence, resource);
        Optional<Failover> last =
                recent.stream().filter(f -> f.from().equals(member)).reduce((_, later) -> later);
        if (last.isEmpty()) {
            return Optional.empty();
        }
        Recovery recovery = evidence.spec().recoveryOf(resource.group());
        Instant now = evidence.now().wall();
        int most = Recovery.MOST_FAILOVERS;
        if (recent.size() >= most && !member.equals(holder)) {
            return Optional.of(new Hold(
                    "%d automatic failovers in %d s, the last because %s"
                            .formatted(
                                    recent.size(),
                                    recovery.window().toSeconds(),
                                    recent.getLast().cause()),
                    recent.get(recent.size() - most).at().plus(recovery.window())));
        }
        Duration served = evidence.inStateFor(member, key);
        Duration ago = Duration.between(last.get().at(), now);
        if (ago.compareTo(recovery.cooldown()) < 0 && served.compareTo(STEADY) < 0) {
            return Optional.of(new Hold(
                    "%s failed as holder %d s ago (%s) and has served again for only %d s"
                            .formatted(member, ago.toSeconds(), last.get().cause(), served.toSeconds()),
                    now.plus(STEADY.minus(served)).truncatedTo(ChronoUnit.SECONDS)));
        }
        return Optional.empty();
    }

    private static List<Failover> recent(Evidence evidence, ResourceId resource) {
        Duration window = evidence.spec().recoveryOf(resource.group()).window();
        return evidence.operations()
                .failoversSince(resource, evidence.now().wall().minus(window));
    }
}
