package dev.understudy.agent.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.Observation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which file is the newest backup.
class BackupLookTest {

    private static final Instant NOW = Instant.parse("2026-11-30T12:00:00Z");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path folder;

    private Observation.Backup look(String pattern) {
        return new BackupLook("shopdb", folder + "/" + pattern).look(NOW);
    }

    private Path file(String name, String content, Duration age) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        Files.setLastModifiedTime(file, FileTime.from(NOW.minus(age)));
        return file;
    }

    @Test
    void theNewestFileThatFitsCounts() throws IOException {
        file("monday.xb", "rows", Duration.ofHours(30));
        Path tuesday = file("tuesday.xb", "rows", Duration.ofHours(6));
        file("tuesday.log", "done", Duration.ofHours(1));
        file("deeper/other.xb", "rows", Duration.ofHours(1));

        assertThat(look("*.xb"))
                .isEqualTo(new Observation.Backup(
                        "shopdb", NOW.minus(Duration.ofHours(6)).getEpochSecond(), tuesday.toString(), ""));
    }

    @Test
    void anEmptyFileIsNoBackup() throws IOException {
        file("tuesday.xb", "", Duration.ofHours(6));

        assertThat(look("*.xb")).isEqualTo(new Observation.Backup("shopdb", 0, "", ""));
    }

    @Test
    void aFolderOfEachDayIsOneToo() throws IOException {
        file("2026-11-29/full/ibdata1", "rows", Duration.ofHours(2));
        Path day = folder.resolve("2026-11-29/full");
        Files.setLastModifiedTime(day, FileTime.from(NOW.minus(Duration.ofHours(2))));

        assertThat(look("2026-*/full").file()).isEqualTo(day.toString());
        assertThat(look("**/ibdata*").file()).isEqualTo(day.resolve("ibdata1").toString());
        assertThat(look("2026-11-29/full/ibdata1").newestSeconds())
                .isEqualTo(NOW.minus(Duration.ofHours(2)).getEpochSecond());
    }

    @Test
    void aFolderThatIsALinkIsFollowed() throws IOException {
        file("disk2/tuesday.xb", "rows", Duration.ofHours(6));
        Files.createSymbolicLink(folder.resolve("backup"), folder.resolve("disk2"));

        assertThat(look("backup/*.xb").file())
                .isEqualTo(folder.resolve("backup/tuesday.xb").toString());
    }

    @Test
    void aFileOfTheFutureIsNotBelieved() throws IOException {
        Path monday = file("monday.xb", "rows", Duration.ofHours(30));
        Path wrong = file("wrong.xb", "rows", Duration.ofDays(-300));

        assertThat(look("*.xb").file()).isEqualTo(monday.toString());
        assertThat(look("*.xb").trouble()).isEqualTo(wrong + " is of the future: it is left out");
    }

    @Test
    void aMissingFolderIsSaid() {
        assertThat(look("nowhere/*.xb"))
                .isEqualTo(new Observation.Backup("shopdb", 0, "", folder + "/nowhere is no folder"));
    }
}
