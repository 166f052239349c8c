package dev.understudy.wire.metrics;

import java.util.ArrayList;
import java.util.List;

/// One metric with all of its samples as they are at this moment, for numbers that somebody else counts: a kernel, a
/// server. Every sample has a value for each label.
///
/// @param name as on the metrics page; a counter's ends in `_total`
/// @param help one line
public record Family(String name, Kind kind, String help, List<String> labels, List<Sample> samples) {

    /// As in Prometheus' text format.
    public enum Kind {
        COUNTER,
        GAUGE,
        UNTYPED
    }

    /// @param values the labels' values, in the family's order
    public record Sample(List<String> values, double value) {
        public Sample {
            values = List.copyOf(values);
        }
    }

    public Family {
        labels = List.copyOf(labels);
        samples = List.copyOf(samples);
        if (help.isBlank()) {
            throw new IllegalArgumentException("metric " + name + " needs a help text");
        }
        if (kind == Kind.COUNTER && !name.endsWith("_total")) {
            throw new IllegalArgumentException("counter " + name + " does not end in _total");
        }
        for (Sample sample : samples) {
            if (sample.values().size() != labels.size()) {
                throw new IllegalArgumentException(
                        "metric " + name + " has the labels " + labels + ", not so many as " + sample.values());
            }
        }
    }

    public static Building counter(String name, String help, String... labels) {
        return new Building(name, Kind.COUNTER, help, List.of(labels));
    }

    public static Building gauge(String name, String help, String... labels) {
        return new Building(name, Kind.GAUGE, help, List.of(labels));
    }

    public static Building untyped(String name, String help, String... labels) {
        return new Building(name, Kind.UNTYPED, help, List.of(labels));
    }

    /// A family that gets its samples. Confined to one thread.
    public static final class Building {

        private final String name;
        private final Kind kind;
        private final String help;
        private final List<String> labels;
        private final List<Sample> samples = new ArrayList<>();

        private Building(String name, Kind kind, String help, List<String> labels) {
            this.name = name;
            this.kind = kind;
            this.help = help;
            this.labels = labels;
        }

        public Building sample(double value, String... values) {
            samples.add(new Sample(List.of(values), value));
            return this;
        }

        public Family build() {
            return new Family(name, kind, help, labels, samples);
        }

        /// This family with its one sample, which has no labels.
        public Family of(double value) {
            return sample(value).build();
        }
    }
}
