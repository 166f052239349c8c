package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Eight clients that commit at the same time, the story's own writer among them, and what must be true of their rows
/// in the end.
final class ManyWriters implements AutoCloseable {

    private static final int MORE_WRITERS = 7;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Duration PACE = Duration.ofMillis(50);

    private final Lab lab;
    private final List<Writer> writers = new ArrayList<>();
    private final Writer first;

    /// @param first the story's own writer, which the story ends
    ManyWriters(Lab lab, Writer first) {
        this(lab, first, PACE);
    }

    /// As fast as they can: a replica that is away meanwhile has to be waited for when they have ended.
    static ManyWriters atFullSpeed(Lab lab, Writer first) {
        return new ManyWriters(lab, first, Duration.ofMillis(5));
    }

    private ManyWriters(Lab lab, Writer first, Duration pace) {
        this.lab = lab;
        this.first = first;
        for (int i = 0; i < MORE_WRITERS; i++) {
            LabHost host = lab.host(i % 2 == 0 ? Topology.WEB1 : Topology.WEB2);
            writers.add(Writer.startAt(host, Topology.WRITER_ADDRESS, pace));
        }
        writers.add(first);
    }

    /// Rows that any of them was told are safe.
    int acknowledged() {
        return writers.stream().mapToInt(Writer::acknowledgedCount).sum();
    }

    /// Ends all and waits until every database has every acknowledged row, and the same table.
    void everythingIsEverywhere(Consumer<String> tell) {
        leaveOne();
        tell.accept(acknowledged() + " rows were acknowledged");
        Topology.DATABASES.stream().map(lab::host).forEach(this::everythingIsOn);
        first.close();
        List<String> sums = new ArrayList<>();
        Waiting.until("the tables are equal", LIMIT, () -> {
            sums.clear();
            Topology.DATABASES.forEach(
                    plan -> sums.add(Databases.sql(lab.host(plan), "CHECKSUM TABLE shop.entry EXTENDED")));
            return sums.stream().distinct().count() == 1;
        });
        assertThat(sums).hasSize(Topology.DATABASES.size());
        tell.accept("the tables are equal: " + sums);
    }

    /// Waits until this database has every row that was acknowledged so far.
    void everythingIsOn(LabHost database) {
        for (Writer writer : writers) {
            Set<Long> rows = writer.acknowledged();
            Waiting.untilNoObjection(LIMIT, () -> lacking(database, Writer.missing(rows, database)));
        }
    }

    private static Optional<String> lacking(LabHost database, Set<Long> rows) {
        return rows.isEmpty()
                ? Optional.empty()
                : Optional.of("%s has every acknowledged row: it lacks %d, %s …, and says %s"
                        .formatted(
                                database.name(),
                                rows.size(),
                                rows.stream().limit(10).toList(),
                                Databases.replication(database)));
    }

    @Override
    public void close() {
        leaveOne();
    }

    /// Ends all but the story's own.
    void leaveOne() {
        writers.stream().filter(writer -> !writer.equals(first)).forEach(Writer::close);
    }
}
