package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.agent.database.DataSwap.Marker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A data folder is the old one, the complete new one, or missing, whatever moment a crash takes; and what was begun is
/// ended afterwards.
class DataSwapTest {

    private static final Marker READY = new Marker("R12.1", "0-1-100", "0-2-90,0-1-100", false);

    @TempDir
    private Path parent;

    private DataSwap swap;

    DataSwapTest() {
        swap = new DataSwap(Path.of("/nowhere/data"));
    }

    @BeforeEach
    void data() throws IOException {
        swap = new DataSwap(parent.resolve("data"));
        Files.createDirectory(swap.data());
        Files.writeString(swap.data().resolve("ibdata1"), "old");
    }

    @Test
    void a_copy_that_was_broken_off_is_never_put_in_place() throws IOException {
        half();
        assertThatThrownBy(() -> swap.putInPlace()).hasMessageContaining("no complete copy");
        assertThat(content()).isEqualTo("old");
        assertThat(swap.recover()).isEmpty();
        assertThat(content()).isEqualTo("old");
    }

    @Test
    void a_crash_when_the_copy_is_ready_changes_nothing() throws IOException {
        ready();
        assertThat(swap.recover()).isEmpty();
        assertThat(content()).isEqualTo("old");
        assertThat(DataSwap.marker(swap.fresh())).contains(READY);
    }

    @Test
    void between_the_renames_there_is_no_data_folder_and_recovery_puts_the_copy_in_place() throws IOException {
        ready();
        swap.putAside();
        assertThat(swap.data()).doesNotExist();
        assertThat(new DataSwap(swap.data()).recover()).isPresent();
        assertThat(content()).isEqualTo("new");
        assertThat(Files.readString(swap.old().resolve("ibdata1"))).isEqualTo("old");
    }

    @Test
    void between_the_renames_without_a_complete_copy_the_old_data_come_back() throws IOException {
        ready();
        swap.putAside();
        Files.delete(swap.fresh().resolve(DataSwap.MARKER));
        assertThat(swap.recover()).isPresent();
        assertThat(content()).isEqualTo("old");
    }

    @Test
    void after_the_second_rename_the_data_are_complete() throws IOException {
        ready();
        swap.putAside();
        swap.putInPlace();
        assertThat(swap.recover()).isEmpty();
        assertThat(content()).isEqualTo("new");
        assertThat(DataSwap.marker(swap.data())).contains(READY);
        swap.seeded();
        assertThat(DataSwap.marker(swap.data()))
                .contains(new Marker(READY.copy(), READY.position(), READY.state(), true));
    }

    @Test
    void what_is_half_removed_is_not_taken_for_complete() throws IOException {
        ready();
        Files.createDirectory(swap.fresh().resolve("a-first"));
        DataSwap.remove(swap.fresh());
        assertThat(swap.fresh()).doesNotExist();
        ready();
        // a removal that was killed right after its first step
        Files.delete(swap.fresh().resolve(DataSwap.MARKER));
        assertThatThrownBy(() -> swap.putInPlace()).hasMessageContaining("no complete copy");
    }

    @Test
    void the_copy_gets_the_owner_and_rights_of_the_data() throws IOException {
        Files.setPosixFilePermissions(swap.data(), PosixFilePermissions.fromString("rwxr-x---"));
        setOwner(swap.data(), "nobody");
        ready();
        for (Path file : new Path[] {
            swap.fresh(), swap.fresh().resolve("shop"), swap.fresh().resolve("shop/a.ibd")
        }) {
            assertThat(Files.getOwner(file).getName()).as(file.toString()).isEqualTo("nobody");
        }
        assertThat(Files.getPosixFilePermissions(swap.fresh())).isEqualTo(Files.getPosixFilePermissions(swap.data()));
    }

    @Test
    void links_are_removed_and_not_followed() throws IOException {
        Path elsewhere = Files.createDirectory(parent.resolve("elsewhere"));
        Files.writeString(elsewhere.resolve("kept"), "kept");
        Files.createDirectory(swap.fresh());
        Files.createSymbolicLink(swap.fresh().resolve("link"), elsewhere);
        DataSwap.remove(swap.fresh());
        assertThat(swap.fresh()).doesNotExist();
        assertThat(elsewhere.resolve("kept")).exists();
    }

    @Test
    void old_data_of_an_earlier_rebuild_make_room() throws IOException {
        Files.createDirectory(swap.old());
        Files.writeString(swap.old().resolve("older"), "older");
        ready();
        swap.putAside();
        assertThat(swap.old().resolve("older")).doesNotExist();
        assertThat(Files.readString(swap.old().resolve("ibdata1"))).isEqualTo("old");
    }

    @Test
    void in_a_mount_point_every_step_may_be_the_last_and_the_next_start_ends_it() throws IOException {
        // how many entries are moved in all: 2 of the old data, 3 of the new, the marker among them
        for (int steps = 0; steps <= 6; steps++) {
            DataSwapTest again = new DataSwapTest();
            again.parent = Files.createDirectory(parent.resolve("run" + steps));
            again.data();
            again.inside();
            boolean begun = again.dieAfter(steps);
            Path data = again.swap.data();
            if (begun) {
                assertThat(Files.getOwner(data).getName())
                        .as("after step %d no server may enter", steps)
                        .isEqualTo("root");
                assertThat(Files.getPosixFilePermissions(data)).hasSize(3);
            }
            assertThat(new DataSwap(data, true).recover().isPresent()).isEqualTo(begun);
            assertThat(again.content()).as("step %d", steps).isEqualTo(begun ? "new" : "old");
            assertThat(Files.exists(data.resolve("shop/a.ibd"))).isEqualTo(begun);
            assertThat(Files.exists(data.resolve("only-old"))).isEqualTo(!begun);
            assertThat(Files.getOwner(data).getName()).isEqualTo("nobody");
            assertThat(data.resolve("lost+found")).exists();
            if (begun) {
                assertThat(DataSwap.marker(data)).contains(READY);
                assertThat(data.resolve(".understudy-old/only-old")).exists();
                assertThat(data.resolve(".understudy-new")).doesNotExist();
                assertThat(data.resolve(".understudy-swap")).doesNotExist();
            }
        }
    }

    @Test
    void in_a_mount_point_the_whole_way_unlocks_the_folder() throws IOException {
        inside();
        swap.putAside();
        assertThat(Files.getOwner(swap.data()).getName()).isEqualTo("root");
        swap.putInPlace();
        assertThat(content()).isEqualTo("new");
        assertThat(Files.getOwner(swap.data()).getName()).isEqualTo("nobody");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(swap.data())))
                .isEqualTo("rwxr-x---");
        assertThat(swap.recover()).isEmpty();
    }

    @Test
    void in_a_mount_point_without_a_complete_copy_the_old_data_come_back() throws IOException {
        inside();
        swap.putAside();
        Files.delete(swap.fresh().resolve(DataSwap.MARKER));
        assertThatThrownBy(() -> swap.putInPlace()).hasMessageContaining("no complete copy");
        assertThat(swap.recover()).isPresent();
        assertThat(content()).isEqualTo("old");
        assertThat(swap.data().resolve("only-old")).exists();
        assertThat(Files.getOwner(swap.data()).getName()).isEqualTo("nobody");
    }

    @Test
    void in_a_mount_point_nothing_is_put_in_place_beside_old_data() throws IOException {
        inside();
        assertThatThrownBy(() -> swap.putInPlace()).hasMessageContaining("not put aside");
        assertThat(content()).isEqualTo("old");
    }

    @Test
    void a_mount_point_of_roots_is_refused() throws IOException {
        assertThat(new DataSwap(swap.data(), true).hindrance()).contains("belongs to root");
        setOwner(swap.data(), "nobody");
        assertThat(new DataSwap(swap.data(), true).hindrance()).isEmpty();
        assertThat(new DataSwap(parent.resolve("none")).hindrance()).contains("there is no folder");
    }

    /// A data folder that cannot be renamed, with a ready copy in it.
    private void inside() throws IOException {
        swap = new DataSwap(swap.data(), true);
        Files.writeString(swap.data().resolve("only-old"), "old");
        Files.createDirectory(swap.data().resolve("lost+found"));
        Files.setPosixFilePermissions(swap.data(), PosixFilePermissions.fromString("rwxr-x---"));
        setOwner(swap.data(), "nobody");
        ready();
    }

    /// Goes as far as so many renames of entries, and dies. Renames are told by what is missing afterwards, so the
    /// steps are done by hand in the order of the class: old entries out, the state, new entries in, the marker.
    private boolean dieAfter(int steps) throws IOException {
        Path data = swap.data();
        if (steps == 0) {
            return false;
        }
        DataSwap dying = new DataSwap(data, true);
        dying.putAside();
        if (steps == 1) { // not all of the old data are out, and the state still says so
            Files.move(swap.old().resolve("only-old"), data.resolve("only-old"));
            replaceState("filling", "emptying");
        } else if (steps == 2) { // all are out, the state still says that they are not
            replaceState("filling", "emptying");
        } else {
            String[] entries = {"ibdata1", "shop", DataSwap.MARKER};
            for (int i = 0; i < Math.min(3, steps - 3); i++) {
                Files.move(swap.fresh().resolve(entries[i]), data.resolve(entries[i]));
            }
        }
        return true;
    }

    private void replaceState(String from, String to) throws IOException {
        Path state = swap.data().resolve(".understudy-swap");
        Files.writeString(state, Files.readString(state).replace(from, to));
    }

    private void half() throws IOException {
        Path folder = swap.begin();
        Files.createDirectory(folder.resolve("shop"));
        Files.writeString(folder.resolve("shop/a.ibd"), "a");
        Files.writeString(folder.resolve("ibdata1"), "new");
    }

    private void ready() throws IOException {
        half();
        swap.ready(READY);
    }

    private static void setOwner(Path file, String name) throws IOException {
        Files.setOwner(
                file, file.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(name));
    }

    private String content() throws IOException {
        return Files.readString(swap.data().resolve("ibdata1"));
    }
}
