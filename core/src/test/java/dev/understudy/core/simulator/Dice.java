package dev.understudy.core.simulator;

import java.util.List;
import java.util.SplittableRandom;

/// Chance, from a seed. Each part of the site has dice of its own, so that one part's throws do not change
/// another's.
final class Dice {

    private final SplittableRandom random;

    Dice(long seed, String purpose) {
        random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L ^ purpose.hashCode() * 0xBF58476D1CE4E5B9L);
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    /// At least `low`, below `high`.
    long between(long low, long high) {
        return low >= high ? low : random.nextLong(low, high);
    }

    /// Milliseconds as nanoseconds.
    long millis(long low, long high) {
        return between(low * Agenda.MILLI, high * Agenda.MILLI);
    }

    double real(double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    <T> T pick(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
