package dev.understudy.wire.metrics;

import io.prometheus.client.Collector;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Gives families to simpleclient's registry, at each scrape anew.
final class FamilyCollector extends Collector {

    private final Supplier<List<Family>> source;
    private final Consumer<Family> check;

    /// @param check throws if a family's name is taken by something else
    FamilyCollector(Supplier<List<Family>> source, Consumer<Family> check) {
        this.source = source;
        this.check = check;
    }

    @Override
    public List<MetricFamilySamples> collect() {
        List<MetricFamilySamples> all = new ArrayList<>();
        for (Family family : source.get()) {
            check.accept(family);
            List<MetricFamilySamples.Sample> samples =
                    new ArrayList<>(family.samples().size());
            for (Family.Sample sample : family.samples()) {
                samples.add(new MetricFamilySamples.Sample(
                        family.name(), family.labels(), sample.values(), sample.value()));
            }
            all.add(new MetricFamilySamples(family.name(), type(family.kind()), family.help(), samples));
        }
        return all;
    }

    private static Type type(Family.Kind kind) {
        return switch (kind) {
            case COUNTER -> Type.COUNTER;
            case GAUGE -> Type.GAUGE;
            case UNTYPED -> Type.UNKNOWN;
        };
    }
}
