package dev.understudy.controller.journal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/// Who this controller is, in a file beside its journal (S22). Ratis starts an empty journal where one is missing; a
/// controller that did so would hand out epochs that agents have already seen. So the folder is opened only when the
/// identity and the journal are both there and belong together, or when the operator says `--init`.
///
/// @param peer this controller's name in the Raft group; a new one for each new journal
/// @param group the Raft group
public record Identity(String peer, UUID group) {

    private static final String FILE = "identity";
    private static final String STORE = "raft";

    /// What came of opening a state folder.
    public sealed interface Opened {
        /// @param fresh the journal has just been made
        record Ready(Identity identity, Path store, boolean fresh) implements Opened {}

        /// Nothing was changed.
        record Refused(String reason) implements Opened {}
    }

    /// Opens the state folder. With `init` a folder without a complete journal gets a new one; what is left of an
    /// old one is moved aside, never deleted. A complete journal is opened as it is, `init` or not.
    ///
    /// @param name this controller's name, the first part of its peer id
    /// @throws IOException if the folder cannot be read or written
    public static Opened open(Path folder, String name, boolean init) throws IOException {
        Path store = folder.resolve(STORE);
        Optional<Identity> known = read(folder.resolve(FILE));
        boolean anyStore = Files.isDirectory(store) && !isEmpty(store);
        String wrong;
        if (known.isPresent()) {
            boolean whole =
                    Files.isRegularFile(store.resolve(known.get().group().toString())
                            .resolve("current")
                            .resolve("raft-meta"));
            if (whole) {
                return new Opened.Ready(known.get(), store, false);
            }
            wrong = anyStore
                    ? "the journal in " + store + " is not the one of the identity file " + folder.resolve(FILE)
                    : "the journal in " + store + " is lost, but the identity file says that there was one";
        } else if (Files.exists(folder.resolve(FILE))) {
            wrong = "the identity file " + folder.resolve(FILE) + " cannot be understood";
        } else {
            wrong = anyStore
                    ? "there is a journal in " + store + " but no identity file " + folder.resolve(FILE)
                    : "there is no journal in " + folder;
        }
        if (!init) {
            return new Opened.Refused(wrong + "; if this controller is to begin a new journal, start it with --init");
        }
        return new Opened.Ready(create(folder, name), store, true);
    }

    private static Identity create(Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        String stamp = Long.toString(Instant.now().toEpochMilli());
        for (String old : new String[] {FILE, STORE}) {
            if (Files.exists(folder.resolve(old))) {
                Files.move(folder.resolve(old), folder.resolve(old + ".old-" + stamp));
            }
        }
        byte[] random = new byte[4];
        new SecureRandom().nextBytes(random);
        Identity identity = new Identity(name + "-" + HexFormat.of().formatHex(random), UUID.randomUUID());
        Files.createDirectories(folder.resolve(STORE));
        write(folder, identity);
        return identity;
    }

    private static Optional<Identity> read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : Files.readString(file).lines().toList()) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        String peer = values.get("peer");
        String group = values.get("group");
        if (peer == null || peer.isBlank() || group == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(new Identity(peer, UUID.fromString(group)));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private static void write(Path folder, Identity identity) throws IOException {
        String text = "# The identity of this controller; belongs to the journal in ./" + STORE + ". Do not edit.\n"
                + "peer=" + identity.peer() + "\ngroup=" + identity.group() + "\n";
        Path fresh = folder.resolve(FILE + ".new");
        Files.write(fresh, text.getBytes(StandardCharsets.UTF_8));
        force(fresh);
        Files.move(fresh, folder.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        force(folder);
    }

    /// Makes a file's or folder's content durable.
    static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }
}
