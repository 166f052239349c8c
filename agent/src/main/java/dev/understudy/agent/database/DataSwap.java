package dev.understudy.agent.database;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A data folder, the copy that is to take its place, and the old data, on one file system.
///
/// A copy is *ready* when its marker is in it, which is written last, after everything else is on disk. Only a ready
/// one is ever put in place. Copy and old data lie beside the data folder, and whole folders are renamed: data to old,
/// copy to data. So at every moment the data folder is the old one, is the complete new one, or is missing, in which
/// case no server starts. Where the data folder is the root of a file system it cannot be renamed: copy and old data
/// then lie in it, and its entries are renamed one by one while it is *locked*: it belongs to root alone
/// meanwhile, so a server of another account does not start. In both cases [#recover] finishes what was begun. A
/// step is on disk before the next one. One thread at a time.
final class DataSwap {

    static final String MARKER = "understudy-copy";

    private static final String SEEDED = "seeded";
    private static final String NEW = ".understudy-new";
    private static final String OLD = ".understudy-old";
    private static final String SWAP = ".understudy-swap";
    private static final String EMPTYING = "emptying";
    private static final String FILLING = "filling";
    private static final Set<String> OURS = Set.of(NEW, OLD, SWAP, SWAP + ".half", "lost+found");

    private final Path data;
    private final boolean inside;

    /// @param data the data folder; need not exist
    DataSwap(Path data) {
        this(data, isMountPoint(data.toAbsolutePath().normalize()));
    }

    /// @param inside copy and old data lie in the data folder
    DataSwap(Path data, boolean inside) {
        this.data = data.toAbsolutePath().normalize();
        this.inside = inside;
    }

    Path data() {
        return data;
    }

    /// Why nothing can take the data's place, empty if a copy can.
    String hindrance() throws IOException {
        if (!Files.isDirectory(data)) {
            return "there is no folder " + data + ": make an empty one that belongs to the server's account";
        }
        return inside && Files.getOwner(data).getName().equals("root") && !Files.exists(data.resolve(SWAP))
                ? data + " is a mount point and belongs to root: a server of root's could not be kept from it"
                : "";
    }

    /// Room for a copy, in bytes.
    long room() throws IOException {
        return Files.getFileStore(inside ? data : parent()).getUsableSpace();
    }

    /// Whether an entry of the data folder is not the server's.
    static boolean isOurs(String name) {
        return OURS.contains(name);
    }

    /// Where a copy is received.
    Path fresh() {
        return inside ? data.resolve(NEW) : data.resolveSibling(data.getFileName() + NEW);
    }

    /// Where the data that were replaced are kept.
    Path old() {
        return inside ? data.resolve(OLD) : data.resolveSibling(data.getFileName() + OLD);
    }

    /// What a ready copy says of itself.
    ///
    /// @param copy its name
    /// @param position the GTID list up to which it has everything
    /// @param state who has written what up to there: of which a binary log that begins with it is to know
    /// @param seeded a server was started with it and told where it stands
    record Marker(String copy, String position, String state, boolean seeded) {}

    /// The marker of a folder, empty if it has none.
    static Optional<Marker> marker(Path folder) throws IOException {
        Path file = folder.resolve(MARKER);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        String[] lines = Files.readString(file).split("\n", -1);
        return lines.length < 4
                ? Optional.empty()
                : Optional.of(new Marker(lines[0], lines[1], lines[3], lines[2].equals(SEEDED)));
    }

    /// An empty folder for a copy, for this account alone; what was there is removed.
    Path begin() throws IOException {
        remove(fresh());
        return Files.createDirectory(
                fresh(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /// The copy is complete, and its files are on disk: from now on it may be put in place.
    void ready(Marker marker) throws IOException {
        own(fresh());
        write(fresh(), marker);
    }

    /// The server that runs with the copy knows where it stands.
    void seeded() throws IOException {
        Optional<Marker> marker = marker(data);
        if (marker.isPresent()) {
            Marker seeding = marker.get();
            write(data, new Marker(seeding.copy(), seeding.position(), seeding.state(), true));
        }
    }

    private static void write(Path folder, Marker marker) throws IOException {
        Path half = folder.resolve(MARKER + ".half");
        String text =
                String.join("\n", marker.copy(), marker.position(), marker.seeded() ? SEEDED : "", marker.state());
        try (FileChannel channel = FileChannel.open(
                half, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(half, folder.resolve(MARKER), StandardCopyOption.ATOMIC_MOVE);
        sync(folder);
    }

    /// The old data go aside: the data folder is missing, or empty and locked, afterwards. Nothing happens where
    /// that is so already.
    void putAside() throws IOException {
        if (inside) {
            if (!Files.exists(data.resolve(SWAP))) {
                remove(old());
                Files.createDirectory(old());
                lock();
            }
            emptyAside();
        } else if (Files.exists(data, LinkOption.NOFOLLOW_LINKS)) {
            remove(old());
            Files.move(data, old(), StandardCopyOption.ATOMIC_MOVE);
            sync(parent());
        }
    }

    /// The copy takes the place of the data.
    ///
    /// @throws IOException also when the copy is not ready
    void putInPlace() throws IOException {
        if (marker(fresh()).isEmpty()) {
            throw new IOException("there is no complete copy in " + fresh());
        }
        if (inside) {
            if (!Files.exists(data.resolve(SWAP))) {
                throw new IOException("the old data were not put aside");
            }
            fill();
        } else {
            Files.move(fresh(), data, StandardCopyOption.ATOMIC_MOVE);
            sync(parent());
        }
    }

    /// Ends what a crash left in the middle. Says what it did, empty if there was nothing to do.
    Optional<String> recover() throws IOException {
        return inside ? recoverInside() : recoverBeside();
    }

    private Optional<String> recoverBeside() throws IOException {
        if (Files.exists(data, LinkOption.NOFOLLOW_LINKS) || !Files.isDirectory(old())) {
            return Optional.empty();
        }
        if (marker(fresh()).isPresent()) {
            putInPlace();
            return Optional.of("the new data were put in place, which was begun before");
        }
        Files.move(old(), data, StandardCopyOption.ATOMIC_MOVE);
        sync(parent());
        return Optional.of("the old data were put back: there is no complete copy");
    }

    private Optional<String> recoverInside() throws IOException {
        if (!Files.exists(data.resolve(SWAP))) {
            return Optional.empty();
        }
        if (marker(data).isPresent() && !isBeingEmptied()) {
            remove(fresh());
            unlock();
            return Optional.of("the new data were in place");
        }
        if (marker(fresh()).isPresent()) {
            emptyAside();
            fill();
            return Optional.of("the new data were put in place, which was begun before");
        }
        for (Path entry : entries(old())) {
            Files.move(entry, data.resolve(entry.getFileName()), StandardCopyOption.ATOMIC_MOVE);
        }
        unlock();
        return Optional.of("the old data were put back: there is no complete copy");
    }

    /// From now on, until [#unlock], nobody but root may enter the data folder.
    private void lock() throws IOException {
        PosixFileAttributes was = Files.readAttributes(data, PosixFileAttributes.class);
        write(List.of(
                EMPTYING,
                was.owner().getName(),
                was.group().getName(),
                PosixFilePermissions.toString(was.permissions())));
        UserPrincipalLookupService names = data.getFileSystem().getUserPrincipalLookupService();
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
        Files.setOwner(data, names.lookupPrincipalByName("root"));
        sync(data);
    }

    private void unlock() throws IOException {
        List<String> was = Files.readAllLines(data.resolve(SWAP));
        UserPrincipalLookupService names = data.getFileSystem().getUserPrincipalLookupService();
        PosixFileAttributeView view = Files.getFileAttributeView(data, PosixFileAttributeView.class);
        view.setGroup(names.lookupPrincipalByGroupName(was.get(2)));
        view.setOwner(names.lookupPrincipalByName(was.get(1)));
        view.setPermissions(PosixFilePermissions.fromString(was.get(3)));
        sync(data);
        Files.delete(data.resolve(SWAP));
        sync(data);
    }

    private boolean isBeingEmptied() throws IOException {
        return Files.readAllLines(data.resolve(SWAP)).getFirst().equals(EMPTYING);
    }

    /// Locked already. Afterwards whatever is in the data folder is of the copy.
    private void emptyAside() throws IOException {
        if (!isBeingEmptied()) {
            return;
        }
        for (Path entry : entries(data)) {
            Files.move(entry, old().resolve(entry.getFileName()), StandardCopyOption.ATOMIC_MOVE);
        }
        sync(data);
        List<String> was = new ArrayList<>(Files.readAllLines(data.resolve(SWAP)));
        was.set(0, FILLING);
        write(was);
    }

    /// Locked, and emptied. The marker comes last.
    private void fill() throws IOException {
        for (Path entry : entries(fresh())) {
            if (!String.valueOf(entry.getFileName()).equals(MARKER)) {
                Files.move(entry, data.resolve(entry.getFileName()), StandardCopyOption.ATOMIC_MOVE);
            }
        }
        sync(data);
        Files.move(fresh().resolve(MARKER), data.resolve(MARKER), StandardCopyOption.ATOMIC_MOVE);
        sync(data);
        remove(fresh());
        unlock();
    }

    private void write(List<String> lines) throws IOException {
        Path half = data.resolve(SWAP + ".half");
        durable(half, String.join("\n", lines) + "\n");
        Files.move(half, data.resolve(SWAP), StandardCopyOption.ATOMIC_MOVE);
        sync(data);
    }

    private static List<Path> entries(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(entry -> !isOurs(String.valueOf(entry.getFileName())))
                    .sorted()
                    .toList();
        }
    }

    /// Removes a folder and everything in it; nothing happens when it is not there. Links are removed, not followed.
    static void remove(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.deleteIfExists(folder.resolve(MARKER)); // first: what is half removed is not complete
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(
                    Path visited, @org.jspecify.annotations.Nullable IOException problem) throws IOException {
                if (problem != null) {
                    throw problem;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /// Whether a folder is the root of a file system: it cannot be renamed then.
    private static boolean isMountPoint(Path folder) {
        Path parent = folder.getParent();
        try {
            return parent != null
                    && Files.isDirectory(folder)
                    && !Files.getFileStore(folder).equals(Files.getFileStore(parent));
        } catch (IOException e) {
            return false; // it is not there: nothing will be done with it
        }
    }

    Path parent() {
        Path parent = data.getParent();
        if (parent == null) {
            throw new IllegalStateException("no folder for a data folder: " + data);
        }
        return parent;
    }

    /// Everything in the folder belongs to whom the data folder belongs to, with the same rights on the folder itself.
    private void own(Path folder) throws IOException {
        PosixFileAttributes pattern = Files.readAttributes(data, PosixFileAttributes.class);
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                give(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes) throws IOException {
                give(visited);
                return FileVisitResult.CONTINUE;
            }

            private void give(Path file) throws IOException {
                PosixFileAttributeView view =
                        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
                view.setOwner(pattern.owner());
                view.setGroup(pattern.group());
            }
        });
        Files.setPosixFilePermissions(folder, pattern.permissions());
    }

    private static void durable(Path file, String text) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
    }

    /// Makes what happened to a folder's entries durable.
    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
