package dev.understudy.core;

import dev.understudy.core.clock.ClockRate;
import dev.understudy.core.clock.ClockRate.Halves;
import dev.understudy.core.plan.Turn;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ClusterSpec.Group;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Raises an alarm when a host's clock certainly runs faster or slower than leases allow for
/// ([TimingProfile#DRIFT]), by the clock of this controller (which grants) or of another member of a group (which
/// consents); ends it when it does no more. Of two members the one that is farther from this controller's clock is
/// to blame. Told once each time. While the alarm stands the host is not made holder; nothing is taken from it.
final class ClockWatch {

    private static final String DRIFTS = "CLOCK_DRIFT";
    private static final String SOUND = "CLOCK_SOUND";

    private final Turn turn;
    private final ClusterSpec spec;

    private ClockWatch(Turn turn, ClusterSpec spec) {
        this.turn = turn;
        this.spec = spec;
    }

    static void look(Turn turn) {
        ClusterSpec spec = turn.state().journaled().spec();
        if (turn.state().leading() && spec != null) {
            ClockWatch watch = new ClockWatch(turn, spec);
            spec.hosts().forEach(host -> watch.look(host.name()));
        }
    }

    private void look(String host) {
        HostView view = turn.state().hosts().get(host);
        Halves halves = halves(host);
        if (view == null || halves == null) {
            return;
        }
        if (view.clock().alarm() == null) {
            tooFar(host, halves).ifPresent(because -> raise(view, because));
        } else {
            Duration window = ClockRate.window(turn.state().timing());
            boolean agrees = halves.agreesWith(Halves.OWN)
                    && mates(host).stream()
                            .map(this::halves)
                            .allMatch(mate -> mate == null
                                    || !mate.isSettled(window)
                                    || mate.distance() > halves.distance()
                                    || halves.agreesWith(mate));
            if (halves.isSettled(window) && agrees) {
                turn.become(turn.state().with(view.with(view.clock().alarmed(null))));
                turn.note(
                        SOUND,
                        host + ": its clock is within the bound again, " + speed(halves) + " this controller's",
                        lines());
            }
        }
    }

    private void raise(HostView view, String because) {
        turn.become(turn.state().with(view.with(view.clock().alarmed(because))));
        turn.note(DRIFTS, view.host() + ": " + because + "; it is not made holder while that lasts", lines());
    }

    private Optional<String> tooFar(String host, Halves halves) {
        if (halves.isSurelyTooFastFor(Halves.OWN) || Halves.OWN.isSurelyTooFastFor(halves)) {
            return Optional.of(because(halves, "this controller's"));
        }
        for (String mate : mates(host)) {
            Halves other = halves(mate);
            if (other != null
                    && other.distance() <= halves.distance()
                    && (halves.isSurelyTooFastFor(other) || other.isSurelyTooFastFor(halves))) {
                return Optional.of(because(halves, "this controller's, and so too far from that of " + mate));
            }
        }
        return Optional.empty();
    }

    private static String because(Halves halves, String other) {
        return String.format(
                Locale.ROOT,
                "its clock runs %s %s (leases allow for %.0f %%)",
                speed(halves),
                other,
                TimingProfile.DRIFT * 100);
    }

    /// Such as `1.52 % faster than`.
    private static String speed(Halves halves) {
        double off = halves.recent().middle() - 1;
        return String.format(Locale.ROOT, "%.2f %% %s than", Math.abs(off) * 100, off < 0 ? "slower" : "faster");
    }

    /// The other members of the groups in which this host may hold something, or consent to a holder.
    private List<String> mates(String host) {
        List<String> mates = new ArrayList<>();
        for (Group group : spec.groupsOf(host)) {
            if (!spec.resourcesOf(group).isEmpty()) {
                group.members().stream().filter(m -> !m.equals(host)).forEach(mates::add);
            }
        }
        return mates;
    }

    private @Nullable Halves halves(String host) {
        HostView view = turn.state().hosts().get(host);
        return view == null ? null : view.clock().halves();
    }

    private List<String> lines() {
        List<String> lines = new ArrayList<>();
        for (ClusterSpec.Host host : spec.hosts()) {
            Halves halves = halves(host.name());
            if (halves != null) {
                lines.add(String.format(
                        Locale.ROOT,
                        "%s: its clock makes %.5f to %.5f seconds in one of this controller's",
                        host.name(),
                        halves.recent().lowest(),
                        halves.recent().highest()));
            }
        }
        return lines;
    }
}
