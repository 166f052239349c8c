package dev.understudy.controller.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.journal.Identity.Opened;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// S22: a lost journal is not an empty one.
class IdentityTest {

    @TempDir
    Path folder;

    @Test
    void anEmptyFolderIsRefusedWithoutInit() throws IOException {
        assertThat(refusal()).startsWith("there is no journal in " + folder).endsWith("start it with --init");
        assertThat(names()).isEmpty();
    }

    @Test
    void aWholeJournalIsOpenedWithOrWithoutInit() {
        RunningJournal.start(folder, true).close();

        assertThat(open(false))
                .isInstanceOfSatisfying(
                        Opened.Ready.class, r -> assertThat(r.fresh()).isFalse());
        assertThat(open(true))
                .isInstanceOfSatisfying(
                        Opened.Ready.class, r -> assertThat(r.fresh()).isFalse());
    }

    @Test
    void aLostStoreIsRefusedAndInitBeginsAnewUnderAnotherPeerId() throws IOException {
        Identity old = made();
        Files.move(folder.resolve("raft"), folder.resolve("elsewhere"));

        assertThat(refusal()).startsWith("the journal in " + folder.resolve("raft") + " is lost");
        Opened.Ready fresh = (Opened.Ready) open(true);
        assertThat(fresh.fresh()).isTrue();
        assertThat(fresh.identity().peer()).isNotEqualTo(old.peer()).startsWith("ctl1-");
    }

    @Test
    void aStoreOfAnotherIdentityIsRefusedAndMovedAsideByInit() throws IOException {
        made();
        Files.writeString(folder.resolve("identity"), """
                peer=ctl1-00000000
                group=7a6e2f9c-15d5-4c9f-8f0e-3a6a1c0a9c11
                """);

        assertThat(refusal()).contains("is not the one of the identity file");
        assertThat(((Opened.Ready) open(true)).fresh()).isTrue();
        assertThat(names()).anyMatch(n -> n.startsWith("raft.old-")).anyMatch(n -> n.startsWith("identity.old-"));
    }

    @Test
    void aStoreWithoutIdentityOrWithADamagedOneIsRefused() throws IOException {
        made();
        Files.writeString(folder.resolve("identity"), "peer=ctl1\ngroup=nonsense\n");
        assertThat(refusal()).contains("cannot be understood");
        Files.delete(folder.resolve("identity"));
        assertThat(refusal()).contains("but no identity file");
    }

    private Identity made() {
        RunningJournal.start(folder, true).close();
        return ((Opened.Ready) open(false)).identity();
    }

    private String refusal() throws IOException {
        List<String> before = names();
        String reason = ((Opened.Refused) open(false)).reason();
        assertThat(names()).isEqualTo(before);
        return reason;
    }

    private Opened open(boolean init) {
        try {
            return Identity.open(folder, "ctl1", init);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }
}
