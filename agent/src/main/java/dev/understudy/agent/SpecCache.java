package dev.understudy.agent;

import dev.understudy.protocol.ClusterSpec;
import dev.understudy.wire.json.MalformedMessage;
import dev.understudy.wire.json.MessageCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The last spec that a controller sent, as `spec.json` in the state folder: an agent that starts without a
/// controller keeps its gates and probes by it. A convenience, not a promise: a damaged one is as good as none.
final class SpecCache {

    private static final Logger LOG = LoggerFactory.getLogger(SpecCache.class);

    private final Path file;

    SpecCache(Path folder) {
        file = folder.resolve("spec.json");
    }

    Optional<ClusterSpec> load() {
        try {
            return Optional.of(MessageCodec.decodeSpec(Files.readString(file)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | MalformedMessage e) {
            LOG.warn("event=cached-spec-unusable file={} reason=\"{}\"", file, e.getMessage());
            return Optional.empty();
        }
    }

    void save(ClusterSpec spec) {
        Path temporary = file.resolveSibling("spec.json.new");
        try {
            Files.writeString(temporary, MessageCodec.encode(spec) + "\n");
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("event=spec-not-cached file={} reason=\"{}\"", file, e.toString());
        }
    }
}
