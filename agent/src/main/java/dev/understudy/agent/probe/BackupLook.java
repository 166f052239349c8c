package dev.understudy.agent.probe;

import dev.understudy.protocol.Observation;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Looks for the newest backup: a file that is not empty, or a folder, whose path fits the pattern. That it is
/// complete, or could be restored, is not looked at. Blocks as long as the file system does.
///
/// @param glob as of [java.nio.file.FileSystem#getPathMatcher], beginning with /
public record BackupLook(String group, String glob) {

    /// A pattern over a whole file system must not keep its disk busy.
    private static final int MOST = 20_000;

    /// /backup is often a link. Of a link the file counts to which it leads; one that leads in a circle is left out.
    private static final Set<FileVisitOption> FOLLOWING = Set.of(FileVisitOption.FOLLOW_LINKS);

    private static final int DEEPEST = 16;
    private static final String WILD = "*?[{\\";

    /// By a clock that was wrong: such a file would look young for ever.
    private static final Duration FUTURE = Duration.ofHours(1);

    public Observation.Backup look(Instant now) {
        Path folder = folder();
        if (!Files.isDirectory(folder)) {
            return new Observation.Backup(group, 0, "", folder + " is no folder");
        }
        Visit visit = new Visit(FileSystems.getDefault().getPathMatcher("glob:" + glob), now.plus(FUTURE));
        try {
            Files.walkFileTree(folder, FOLLOWING, depth(folder), visit);
        } catch (IOException e) {
            visit.trouble = String.valueOf(e.getMessage());
        }
        Path newest = visit.newest;
        return newest == null
                ? new Observation.Backup(group, 0, "", visit.trouble)
                : new Observation.Backup(group, visit.at.getEpochSecond(), newest.toString(), visit.trouble);
    }

    /// What stands before the first name with a wildcard, or the folder of a path without any.
    private Path folder() {
        int wild = 0;
        while (wild < glob.length() && WILD.indexOf(glob.charAt(wild)) < 0) {
            wild++;
        }
        int end = glob.lastIndexOf('/', wild - 1);
        return Path.of(end <= 0 ? "/" : glob.substring(0, end));
    }

    private int depth(Path folder) {
        long below = glob.chars().filter(c -> c == '/').count() - folder.getNameCount();
        return glob.contains("**") ? DEEPEST : Math.toIntExact(Math.min(DEEPEST, Math.max(1, below)));
    }

    private static final class Visit extends SimpleFileVisitor<Path> {

        private final PathMatcher fits;
        private final Instant latest;
        private int seen;
        private @Nullable Path newest;
        private Instant at = Instant.EPOCH;
        private String trouble = "";

        private Visit(PathMatcher fits, Instant latest) {
            this.fits = fits;
            this.latest = latest;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return seen(folder, attributes, true);
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            // at the greatest depth folders are visited like files
            return seen(
                    file,
                    attributes,
                    attributes.isDirectory() || (attributes.isRegularFile() && attributes.size() > 0));
        }

        private FileVisitResult seen(Path path, BasicFileAttributes attributes, boolean counts) {
            Instant written = attributes.lastModifiedTime().toInstant();
            if (counts && fits.matches(path)) {
                if (written.isAfter(latest)) {
                    trouble = path + " is of the future: it is left out";
                } else if (newest == null || written.isAfter(at)) {
                    newest = path;
                    at = written;
                }
            }
            seen++;
            if (seen < MOST) {
                return FileVisitResult.CONTINUE;
            }
            trouble = "more than " + MOST + " files: only these were looked at";
            return FileVisitResult.TERMINATE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) {
            trouble = file + " cannot be read";
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e) {
            if (e != null) {
                trouble = folder + " cannot be read";
            }
            return FileVisitResult.CONTINUE;
        }
    }
}
