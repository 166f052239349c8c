package dev.understudy.core.clock;

import dev.understudy.protocol.AgentMessage.ClockReading;
import dev.understudy.protocol.Moment;
import dev.understudy.protocol.TimingProfile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How fast the monotonic clock of one host runs, measured by this controller's. Immutable.
///
/// A heartbeat is sent, arrives here and is answered at once, and the answer arrives there: so the host's clock
/// showed, in the moment of the arrival here, something between its readings at sending and at the answer's coming.
/// That is certain whatever the delays were, and it is the narrower the faster the round trip was. Of each window of
/// time the narrowest of these samples is kept. Two of them bound the clock's rate between them, so what is said
/// here of a rate is certain too: neither jitter nor a frozen host or controller can make it wrong, only vague.
///
/// A rate is asked of both halves of the kept time. A machine that was suspended and did not see the time that
/// passed makes one jump, which is in one half only: no rate.
///
/// @param open heartbeats whose answer was not heard of yet, the oldest first
/// @param samples of each window the narrowest, the oldest first
/// @param halves what the samples say, null while they are too few
/// @param alarm what is wrong with this clock, while the alarm stands
public record ClockRate(
        List<Open> open,
        List<Sample> samples,
        @Nullable Halves halves,
        @Nullable String alarm) {

    public static final ClockRate UNKNOWN = new ClockRate(List.of(), List.of(), null, null);

    /// The kept time has so many windows.
    static final int WINDOWS = 16;

    private static final int MAX_OPEN = 8;

    public ClockRate {
        open = List.copyOf(open);
        samples = List.copyOf(samples);
    }

    /// A heartbeat that arrived here.
    public record Open(long seq, Moment heard, long sentNanos) {}

    /// At that moment of this controller's clock the host's showed at least `low` and at most `high` nanoseconds.
    ///
    /// @param began the window's first moment
    public record Sample(Moment began, Moment at, long low, long high) {
        boolean isNarrowerThan(Sample other) {
            return high - low < other.high - other.low;
        }
    }

    /// Seconds of the host's clock in one of this controller's: between these two, for certain. Empty
    /// (`lowest > highest`) if no one rate explains what was seen.
    public record Rate(double lowest, double highest) {
        /// This controller's own.
        public static final Rate OWN = new Rate(1, 1);

        boolean known() {
            return lowest <= highest;
        }

        public double middle() {
            return (lowest + highest) / 2;
        }

        /// By more than the drift that leases are safe against, for certain.
        boolean isSurelyTooFastFor(Rate other) {
            return known() && other.known() && lowest > other.highest * (1 + TimingProfile.DRIFT);
        }

        /// As far as it is known.
        boolean agreesWith(Rate other) {
            double bound = 1 + TimingProfile.DRIFT;
            return middle() <= other.middle() * bound && other.middle() <= middle() * bound;
        }
    }

    /// The two halves of the kept time.
    ///
    /// @param recentSpan what the later half covers
    public record Halves(Rate earlier, Rate recent, Duration recentSpan) {
        public static final Halves OWN = new Halves(Rate.OWN, Rate.OWN, Duration.ZERO);

        public boolean isSurelyTooFastFor(Halves other) {
            return earlier.isSurelyTooFastFor(other.earlier) && recent.isSurelyTooFastFor(other.recent);
        }

        public boolean agreesWith(Halves other) {
            return recent.agreesWith(other.recent);
        }

        /// How far it is from this controller's clock, as far as it is known.
        public double distance() {
            return Math.abs(recent.middle() - 1);
        }

        /// The later half covers enough time and is known well enough to call the clock sound.
        public boolean isSettled(Duration window) {
            return recent.known()
                    && recent.highest - recent.lowest <= TimingProfile.DRIFT
                    && recentSpan.compareTo(window.multipliedBy(WINDOWS / 2 - 2)) >= 0;
        }
    }

    /// The length of a window: 2.5 s, with a slow profile five heartbeats.
    public static Duration window(TimingProfile timing) {
        Duration heartbeats = timing.heartbeat().multipliedBy(5);
        Duration least = Duration.ofMillis(2500);
        return heartbeats.compareTo(least) > 0 ? heartbeats : least;
    }

    /// A heartbeat arrived and is answered now.
    public ClockRate heard(long seq, ClockReading reading, Moment now, Duration window) {
        if (reading.equals(ClockReading.NONE)) {
            return this;
        }
        List<Open> nextOpen = new ArrayList<>(open.size() + 1);
        Open answered = null;
        for (Open some : open) {
            if (some.seq == reading.answered()) {
                answered = some;
            } else if (some.seq > reading.answered() && some.seq < seq) {
                nextOpen.add(some);
            } else if (some.seq == seq) {
                return this; // a repetition: only the first arrival was before the answer for certain
            }
        }
        nextOpen.add(new Open(seq, now, reading.sentNanos()));
        if (nextOpen.size() > MAX_OPEN) {
            nextOpen.removeFirst();
        }
        ClockRate next = new ClockRate(nextOpen, samples, halves, alarm);
        return answered == null || reading.answeredNanos() < answered.sentNanos
                ? next
                : next.with(
                        new Sample(answered.heard, answered.heard, answered.sentNanos, reading.answeredNanos()),
                        window);
    }

    private ClockRate with(Sample sample, Duration window) {
        List<Sample> next = new ArrayList<>(samples);
        Sample last = samples.isEmpty() ? null : samples.getLast();
        if (last == null || sample.at.since(last.began).compareTo(window) >= 0) {
            next.add(sample);
        } else if (sample.isNarrowerThan(last)) {
            next.set(next.size() - 1, new Sample(last.began, sample.at, sample.low, sample.high));
        } else {
            return this;
        }
        next.removeIf(s -> sample.at.since(s.at).compareTo(window.multipliedBy(WINDOWS)) > 0);
        return new ClockRate(open, next, halves(next), alarm);
    }

    private static @Nullable Halves halves(List<Sample> samples) {
        if (samples.size() < 3) {
            return null;
        }
        int middle = samples.size() / 2;
        return new Halves(
                rate(samples.subList(0, middle + 1)),
                rate(samples.subList(middle, samples.size())),
                samples.getLast().at.since(samples.get(middle).at));
    }

    /// The rates that every pair of the samples allows.
    private static Rate rate(List<Sample> samples) {
        double lowest = 0;
        double highest = Double.MAX_VALUE;
        for (int i = 0; i < samples.size(); i++) {
            for (int j = i + 1; j < samples.size(); j++) {
                Sample one = samples.get(i);
                Sample other = samples.get(j);
                double elapsed = other.at.nanos() - one.at.nanos();
                lowest = Math.max(lowest, (other.low - one.high) / elapsed);
                highest = Math.min(highest, (other.high - one.low) / elapsed);
            }
        }
        return new Rate(lowest, highest);
    }

    /// Another incarnation of the agent or another boot of the host: its readings have nothing to do with earlier
    /// ones. An alarm stands until the new ones end it.
    public ClockRate restarted() {
        return new ClockRate(List.of(), List.of(), null, alarm);
    }

    public ClockRate alarmed(@Nullable String because) {
        return new ClockRate(open, samples, halves, because);
    }
}
