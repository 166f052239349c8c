package dev.understudy.lab.story;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// What one story met: a row of docs/scenarios.md. Stories leave theirs in `lab/target/scenarios` when they are
/// over.
///
/// @param story `Class#method`
/// @param seen what the controller took it for: rows of the policy tables with their situations, in order
/// @param done what became of the holders
/// @param noAnswerMillis the longest time in which no request of the clients was answered
/// @param noWriteMillis the longest time in which no write was acknowledged
/// @param lost acknowledged rows that the primary lacked at the end
/// @param holders the most holders of one resource at one time, as the network and a look into every host saw them
record Scenario(
        String story,
        String fault,
        List<String> seen,
        List<String> done,
        long noAnswerMillis,
        long noWriteMillis,
        int lost,
        int holders) {

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    Scenario {
        seen = List.copyOf(seen);
        done = List.copyOf(done);
    }

    /// What the folder has of a story.
    static Optional<Scenario> read(Path folder, String story) {
        Path file = file(folder, story);
        return Files.exists(file) ? Optional.of(JSON.readValue(file.toFile(), Scenario.class)) : Optional.empty();
    }

    /// Writes it, put together with what an earlier run of the same story in this JVM met (a story with parameters
    /// runs several times and has one row, with the worst figures).
    void write(Path folder, Set<String> writtenBefore) {
        Scenario whole = writtenBefore.add(story)
                ? this
                : read(folder, story).map(this::with).orElse(this);
        try {
            Files.createDirectories(folder);
            Files.writeString(file(folder, story), JSON.writeValueAsString(whole) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Scenario with(Scenario other) {
        return new Scenario(
                story,
                fault,
                union(other.seen, seen),
                union(other.done, done),
                Math.max(noAnswerMillis, other.noAnswerMillis),
                Math.max(noWriteMillis, other.noWriteMillis),
                Math.max(lost, other.lost),
                Math.max(holders, other.holders));
    }

    private static List<String> union(List<String> first, List<String> second) {
        var all = new LinkedHashSet<>(first);
        all.addAll(second);
        return List.copyOf(all);
    }

    private static Path file(Path folder, String story) {
        return folder.resolve(story.replace('#', '.') + ".json");
    }
}
