package dev.understudy.agent.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/// With what a server would be started again, as option files and command lines say it.
class StartOptionsTest {

    @Test
    void theLaterCountsAndDashesAreUnderscores() {
        StartOptions options = options("--read_only=0", "--sync_binlog=1", "--read-only");
        assertThat(options.on("read-only")).isTrue();
        assertThat(options.value("sync-binlog")).contains("1");
        assertThat(options.value("server-id")).isEmpty();
    }

    @Test
    void skipTurnsOffAndSkipSlaveStartIsAName() {
        StartOptions options = options("--read-only", "--loose-skip-read-only", "--skip_slave_start=ON");
        assertThat(options.on("read-only")).isFalse();
        assertThat(options.on("skip-slave-start")).isTrue();
        assertThat(options("--skip-slave-start=0").on("skip-slave-start")).isFalse();
    }

    @Test
    void aProcessThatIsGoneTellsNothing() {
        assertThat(StartOptions.of(0)).isEmpty();
    }

    private static StartOptions options(String... arguments) {
        return new StartOptions(List.of(arguments));
    }
}
