package dev.understudy.agent.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.understudy.protocol.ResourceId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FloorStoreTest {

    private static final DurableRecord RECORD =
            new DurableRecord("shop", 7, List.of(new DurableRecord.Entry(ResourceId.primary("shopdb"), 9, 8, 9)));

    @TempDir
    Path folder;

    @Test
    void s3_what_was_written_is_read_by_the_next_run() throws Exception {
        try (FloorStore store = FloorStore.open(folder)) {
            assertThat(store.fresh()).isTrue();
            assertThat(store.record()).isEqualTo(DurableRecord.EMPTY);
            store.write(RECORD);
        }
        try (FloorStore store = FloorStore.open(folder)) {
            assertThat(store.fresh()).isFalse();
            assertThat(store.record()).isEqualTo(RECORD);
            assertThat(store.record().unreleased()).hasSize(1);
        }
    }

    @Test
    void s3_a_crash_in_the_middle_of_a_write_leaves_the_old_record() throws Exception {
        try (FloorStore store = FloorStore.open(folder)) {
            store.write(RECORD);
        }
        String whole = Files.readString(folder.resolve("floors"));
        for (int length = 0; length <= whole.length(); length += 7) {
            Files.writeString(folder.resolve("floors.new"), whole.substring(0, length));
            try (FloorStore store = FloorStore.open(folder)) {
                assertThat(store.record()).isEqualTo(RECORD);
                store.write(new DurableRecord("shop", 7 + length, RECORD.resources()));
                store.write(RECORD);
            }
        }
    }

    @Test
    void s3_a_damaged_file_is_refused_at_every_byte() throws Exception {
        try (FloorStore store = FloorStore.open(folder)) {
            store.write(RECORD);
        }
        Path file = folder.resolve("floors");
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length - 1; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            Files.write(file, bad);
            assertThatIOException().as("byte %d", i).isThrownBy(() -> FloorStore.open(folder));
            Files.writeString(file, new String(good, 0, i, java.nio.charset.StandardCharsets.UTF_8));
            assertThatIOException()
                    .as("cut at %d", i)
                    .isThrownBy(() -> FloorStore.open(folder))
                    .withMessageContaining("floors");
        }
    }

    @Test
    void s3_a_write_that_fails_leaves_the_record_as_it_was() throws Exception {
        try (FloorStore store = FloorStore.open(folder)) {
            Files.createDirectories(folder.resolve("floors.new")); // no file can be written there
            assertThatIOException().isThrownBy(() -> store.write(RECORD));
            assertThat(store.record()).isEqualTo(DurableRecord.EMPTY);
            Files.delete(folder.resolve("floors.new"));
            store.write(RECORD);
            assertThat(store.record()).isEqualTo(RECORD);
        }
    }

    @Test
    void a_second_agent_is_refused() throws IOException {
        try (FloorStore first = FloorStore.open(folder)) {
            assertThat(first.fresh()).isTrue();
            assertThatIOException().isThrownBy(() -> FloorStore.open(folder)).withMessageContaining("another agent");
        }
        FloorStore.open(folder).close();
    }
}
