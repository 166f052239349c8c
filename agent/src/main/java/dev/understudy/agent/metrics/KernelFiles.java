package dev.understudy.agent.metrics;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The files in which the kernel tells of itself, under a root: `/`, or a folder of captured samples.
public record KernelFiles(Path root) {

    private static final int BUFFER = 16 * 1024;

    /// @param path such as `proc/stat`
    public String read(String path) throws IOException {
        // not Files.readAllBytes: it asks a file of size 0 for one byte first, and of /proc/sys gets no more than that
        try (InputStream in = Files.newInputStream(root.resolve(path))) {
            byte[] buffer = new byte[BUFFER];
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                all.write(buffer, 0, read);
            }
            // names in these files are bytes, and a wrong one must not fail the whole file
            return all.toString(StandardCharsets.ISO_8859_1);
        }
    }

    /// Empty if this kernel does not have the file.
    public Optional<String> readIfThere(String path) throws IOException {
        try {
            return Optional.of(read(path));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /// Empty if the file is not there or the kernel refuses to read it, as `speed` of an interface without a cable.
    public Optional<String> word(String path) {
        try {
            return Optional.of(read(path).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Names in a folder, sorted; none if it is not there.
    public List<String> names(String path) throws IOException {
        try (Stream<Path> all = Files.list(root.resolve(path))) {
            return all.map(p -> String.valueOf(p.getFileName())).sorted().toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }
}
