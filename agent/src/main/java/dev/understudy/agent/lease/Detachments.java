package dev.understudy.agent.lease;

import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.TreeSet;

/// The resources of which this host was detached, as `detached` in the state folder, a line each: on disk before
/// anything follows from it, so that an agent that is started later fences nothing of what was left in its place.
/// Thread-safe.
public final class Detachments {

    private final Path file;
    private Set<ResourceId> resources = Set.of();

    private Detachments(Path file) {
        this.file = file;
    }

    /// @throws IOException with one clear line if the file is there and cannot be read
    public static Detachments open(Path folder) throws IOException {
        Detachments detachments = new Detachments(folder.resolve("detached"));
        if (Files.exists(detachments.file)) {
            Set<ResourceId> read = new TreeSet<>();
            try {
                Files.readAllLines(detachments.file).forEach(line -> read.add(ResourceId.parse(line)));
            } catch (IllegalArgumentException e) {
                throw new IOException(detachments.file + " cannot be read: " + e.getMessage(), e);
            }
            detachments.resources = Set.copyOf(read);
        }
        return detachments;
    }

    public synchronized Set<ResourceId> all() {
        return resources;
    }

    public synchronized boolean contains(ResourceId resource) {
        return resources.contains(resource);
    }

    /// Returns when it is on disk.
    ///
    /// @throws IOException if it is not known to be: nothing changed
    public synchronized void set(ResourceId resource, boolean detached) throws IOException {
        Set<ResourceId> next = new TreeSet<>(resources);
        boolean changed = detached ? next.add(resource) : next.remove(resource);
        if (changed) {
            write(next);
            resources = Set.copyOf(next);
        }
    }

    private void write(Set<ResourceId> next) throws IOException {
        StringBuilder lines = new StringBuilder();
        next.forEach(resource -> lines.append(resource).append('\n'));
        Path temporary = file.resolveSibling("detached.new");
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(lines.toString());
        try (FileChannel out = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            out.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Path folder = file.getParent();
        if (folder != null) {
            try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
                directory.force(true);
            }
        }
    }
}
