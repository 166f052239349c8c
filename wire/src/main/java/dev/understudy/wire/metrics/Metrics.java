package dev.understudy.wire.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/// The one metrics registry of a process, in front of Micrometer's Prometheus (simpleclient) registry. Names are
/// those on the metrics page: counters end in `_total`, timers in `_seconds`. What Micrometer would drop in silence
/// is an error of programming here and throws: the same name with other tag keys or as another kind, a meter
/// without a description. Gauges hold strong references. Thread-safe.
@SuppressWarnings("deprecation") // the simpleclient registry is the one that was asked for
public final class Metrics {

    /// Content type of [#scrape()]: Prometheus' text format.
    public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*(_[a-z0-9]+)+");

    // whatever gets past the checks here (Micrometer's own binders do) is not dropped in silence either
    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT).throwExceptionOnRegistrationFailure();
    private final Map<String, Shape> shapes = new ConcurrentHashMap<>();
    private final Map<String, Level> levels = new ConcurrentHashMap<>();

    private enum Kind {
        COUNTER,
        GAUGE,
        TIMER,
        /// Counted elsewhere, see [Family].
        FAMILY
    }

    /// What all meters of one name have in common.
    private record Shape(Kind kind, String description, List<String> tagKeys) {}

    /// A number that only rises.
    public interface Count {
        void increment();

        void add(long amount);
    }

    /// Durations of something.
    public interface Stopwatch {
        void record(Duration duration);
    }

    /// A gauge that is set.
    public interface Level {
        void set(double value);
    }

    /// Adds the JVM's memory, threads, file descriptors and uptime.
    public Metrics withProcessMeters() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        return this;
    }

    /// @param tags keys and values in turn
    /// @return the same counter for the same name and tags
    public Count counter(String name, String description, String... tags) {
        check(Kind.COUNTER, name, "_total", description, tags);
        Counter counter =
                Counter.builder(name).description(description).tags(tags).register(registry);
        return new Count() {
            @Override
            public void increment() {
                counter.increment();
            }

            @Override
            public void add(long amount) {
                counter.increment((double) amount);
            }
        };
    }

    /// @return the same timer for the same name and tags
    public Stopwatch timer(String name, String description, String... tags) {
        check(Kind.TIMER, name, "_seconds", description, tags);
        Timer timer = Timer.builder(name).description(description).tags(tags).register(registry);
        return timer::record;
    }

    /// A gauge that is asked at each scrape, from the scraping thread.
    ///
    /// @throws IllegalArgumentException if this gauge exists already
    public void gauge(String name, String description, DoubleSupplier value, String... tags) {
        check(Kind.GAUGE, name, "", description, tags);
        if (registry.find(name).tags(tags).gauge() != null) {
            throw new IllegalArgumentException("gauge " + name + " exists already with these tags");
        }
        Gauge.builder(name, value, DoubleSupplier::getAsDouble)
                .description(description)
                .tags(tags)
                .strongReference(true)
                .register(registry);
    }

    /// A gauge that is set; 0 until then.
    ///
    /// @return the same gauge for the same name and tags
    public Level level(String name, String description, String... tags) {
        return levels.computeIfAbsent(name + List.of(tags), _ -> {
            double[] holder = {0};
            Object lock = new Object();
            gauge(
                    name,
                    description,
                    () -> {
                        synchronized (lock) {
                            return holder[0];
                        }
                    },
                    tags);
            return value -> {
                synchronized (lock) {
                    holder[0] = value;
                }
            };
        });
    }

    /// Families that are read at each scrape, on the scraping thread. A scrape throws if one has the name of another
    /// metric, or of itself with other labels or another help text.
    public void families(Supplier<List<Family>> source) {
        registry.getPrometheusRegistry().register(new FamilyCollector(source, this::check));
    }

    /// What Micrometer's binders register themselves with.
    MeterRegistry binding() {
        return registry;
    }

    /// The metrics page.
    public String scrape() {
        return registry.scrape();
    }

    private void check(Kind kind, String name, String suffix, String description, String... tags) {
        if (!NAME.matcher(name).matches() || !name.endsWith(suffix)) {
            throw new IllegalArgumentException("'" + name + "' is no name for a " + kind
                    + ": lower case, words joined by _" + (suffix.isEmpty() ? "" : ", ending in " + suffix));
        }
        if (description.isBlank()) {
            throw new IllegalArgumentException("metric " + name + " needs a description");
        }
        if (tags.length % 2 != 0) {
            throw new IllegalArgumentException("metric " + name + ": a tag has no value");
        }
        TreeMap<String, String> sorted = new TreeMap<>();
        for (int i = 0; i < tags.length; i += 2) {
            sorted.put(tags[i], tags[i + 1]);
        }
        only(name, new Shape(kind, description, new ArrayList<>(sorted.keySet())));
    }

    private void check(Family family) {
        only(family.name(), new Shape(Kind.FAMILY, family.help(), family.labels()));
    }

    private void only(String name, Shape shape) {
        Shape earlier = shapes.putIfAbsent(name, shape);
        if (earlier != null && !earlier.equals(shape)) {
            throw new IllegalArgumentException(
                    "metric " + name + " exists as " + earlier + " and cannot be " + shape + " too");
        }
    }
}
