package dev.understudy.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.evidence.Evidence;
import dev.understudy.core.evidence.NewestBackup;
import dev.understudy.protocol.ClusterSpec.Backup;
import dev.understudy.protocol.ClusterSpec.DatabaseGroup;
import dev.understudy.protocol.ClusterSpec.Mode;
import dev.understudy.protocol.ClusterSpec.Recovery;
import dev.understudy.protocol.Observation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What is said of backups is what every member that is heard has told.
class NewestBackupTest {

    private static final Instant NOON = Instant.parse("2026-11-30T12:00:00Z");
    private static final Duration NONE = Duration.ofSeconds(-1);
    private static final Backup EACH_DAY = new Backup("/backup/*.xb", Duration.ofHours(26));
    private static final DatabaseGroup GROUP = new DatabaseGroup(
            "shopdb",
            Mode.AUTOMATIC,
            List.of("db1", "db2", "db3"),
            "mariadb",
            3306,
            null,
            null,
            "mariadb.service",
            Duration.ofSeconds(20),
            Recovery.DEFAULT,
            null,
            null,
            null,
            null,
            EACH_DAY);

    private final StagedSite site = new StagedSite(Mode.AUTOMATIC);

    private Optional<NewestBackup> newest() {
        return NewestBackup.of(new Evidence(site.state(), new Now(site.mono(), NOON)), GROUP);
    }

    private void tells(String host, Duration age) {
        long seconds = age.isNegative() ? 0 : NOON.minus(age).getEpochSecond();
        site.host(host).sees(new Observation.Backup("shopdb", seconds, seconds == 0 ? "" : "/backup/a.xb", ""));
    }

    @Test
    void nothingIsSaidBeforeEverybodyWhoIsHeardHasTold() {
        site.run(Duration.ofSeconds(15));
        assertThat(newest()).isEmpty();

        tells("db1", NONE);
        tells("db2", NONE);
        site.run(Duration.ofSeconds(2));
        assertThat(newest()).as("db3 may have one").isEmpty();

        tells("db3", Duration.ofHours(3));
        site.run(Duration.ofSeconds(2));
        assertThat(newest()).hasValueSatisfying(backup -> {
            assertThat(backup.host()).isEqualTo("db3");
            assertThat(backup.tooOld(EACH_DAY, NOON)).isFalse();
        });
    }

    @Test
    void aLeaderThatHasJustBegunSaysNothing() {
        tells("db1", NONE);
        tells("db2", NONE);
        tells("db3", NONE);
        site.run(Duration.ofSeconds(5));
        assertThat(newest()).isEmpty();

        site.run(Duration.ofSeconds(10));
        assertThat(newest()).hasValueSatisfying(backup -> {
            assertThat(backup.none()).isTrue();
            assertThat(backup.at()).isEqualTo(Instant.EPOCH);
            assertThat(backup.tooOld(EACH_DAY, NOON)).isTrue();
        });
    }

    @Test
    void theOneOfASilentMemberCounts() {
        tells("db1", Duration.ofHours(30));
        tells("db2", NONE);
        tells("db3", Duration.ofHours(3));
        site.run(Duration.ofSeconds(15));
        site.host("db3").cut();
        site.run(Duration.ofSeconds(15));

        assertThat(newest().map(NewestBackup::host)).hasValue("db3");
    }

    @Test
    void oneThatIsOlderThanAllowedIsTooOld() {
        tells("db1", Duration.ofHours(30));
        tells("db2", Duration.ofHours(27));
        tells("db3", NONE);
        site.run(Duration.ofSeconds(15));

        assertThat(newest()).hasValueSatisfying(backup -> {
            assertThat(backup.host()).isEqualTo("db2");
            assertThat(backup.tooOld(EACH_DAY, NOON)).isTrue();
        });
    }
}
