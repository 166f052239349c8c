package dev.understudy.agent.database;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What was decoded of transactions that only this host has, or had: text files in one folder of the agent's state,
/// the oldest removed when there are too many. They hold rows: only the agent's own account may read them.
/// Thread-safe.
public final class DivergedFiles {

    /// How many files are kept.
    static final int KEPT = 16;
    /// How much of one goes to a controller, in bytes.
    static final int SHOWN = 64 * 1024;

    private static final String LIST = "# transactions: ";
    private static final String END = ".txt";

    private final Path folder;

    /// @param folder made when it is needed
    public DivergedFiles(Path folder) {
        this.folder = folder;
    }

    /// The latest file of a group, as much of it as is shown elsewhere.
    ///
    /// @param gtids the transactions in it, the first ones where there are very many
    /// @param cut whether the file has more than `text`
    public record Shown(Path file, List<String> gtids, String text, boolean cut) {
        public Shown {
            gtids = List.copyOf(gtids);
        }
    }

    @FunctionalInterface
    interface Content {
        void write(OutputStream out) throws IOException;
    }

    /// Writes a file, in place of one with the same name.
    ///
    /// @param name tells what it is about, such as the first transaction's GTID
    /// @param list the transactions in it
    Path write(String group, String name, String title, List<String> list, Content content) throws IOException {
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path file = folder.resolve(group + "-" + name + END);
        Path half = folder.resolve(group + "-" + name + ".half");
        try (OutputStream out = Files.newOutputStream(half)) {
            String head = "# " + title + "\n" + LIST + String.join(" ", list) + "\n";
            out.write(head.getBytes(StandardCharsets.UTF_8));
            content.write(out);
        }
        Files.move(half, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        List<Path> all = all(Pattern.compile(".*" + Pattern.quote(END)));
        for (Path old : all.subList(0, Math.max(0, all.size() - KEPT))) {
            Files.deleteIfExists(old);
        }
        return file;
    }

    /// Where something may be kept until it is decoded.
    Path beside(String name) throws IOException {
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return folder.resolve(name);
    }

    /// Empty if nothing was decoded for the group.
    public Optional<Shown> latest(String group) throws IOException {
        List<Path> all = all(Pattern.compile(Pattern.quote(group) + "-(dropped-)?\\d+-\\d+-\\d+\\.txt"));
        if (all.isEmpty()) {
            return Optional.empty();
        }
        Path file = all.getLast();
        byte[] shown;
        try (InputStream in = Files.newInputStream(file)) {
            shown = in.readNBytes(SHOWN);
        }
        List<String> gtids;
        try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            gtids = lines.lines()
                    .limit(2)
                    .filter(line -> line.startsWith(LIST))
                    .flatMap(line -> Stream.of(line.substring(LIST.length()).split(" ", -1)))
                    .toList();
        }
        String text = new String(shown, StandardCharsets.UTF_8);
        return Optional.of(new Shown(file, gtids, text, Files.size(file) > shown.length));
    }

    /// Oldest first.
    private List<Path> all(Pattern name) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file ->
                            name.matcher(String.valueOf(file.getFileName())).matches())
                    .sorted(Comparator.comparingLong(
                            (Path file) -> file.toFile().lastModified()))
                    .toList();
        }
    }
}
