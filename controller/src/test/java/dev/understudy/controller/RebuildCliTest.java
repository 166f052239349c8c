package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.Site.Ran;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `understudy rebuild` against a real controller: what is asked before anything is done, and what is refused.
class RebuildCliTest {

    @TempDir
    private Path folder;

    @Test
    void aRebuildIsConfirmedByTheHostsNameAndRefusedWithOneLine() throws Exception {
        try (Site site = new Site(folder.resolve("state"))) {
            site.start(Path.of("src/test/resources/shop.yml"), true);

            Ran other = site.cli("rebuild", "shopdb", "db3", "--yes", "db2");
            assertThat(other.code()).isEqualTo(1);
            assertThat(other.out() + other.err()).contains("'db2' is not 'db3': nothing was done");

            Ran rate = site.cli("rebuild", "shopdb", "db3", "--yes", "db3", "--rate", "fast");
            assertThat(rate.code()).isEqualTo(2);
            assertThat(rate.err()).contains("'fast' is not bytes a second such as 800K, 50M or 1G");

            Ran group = site.cli("rebuild", "edge", "lb1", "--yes", "lb1");
            assertThat(group.code()).isEqualTo(2);

            Ran refused = site.cli("rebuild", "shopdb", "db3", "--yes", "db3");
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err().strip().lines()).hasSize(1);
            assertThat(refused.err()).contains("shopdb/primary is VACANT");

            Ran none = site.cli("rebuild", "shopdb", "db3", "--cancel");
            assertThat(none.code()).isEqualTo(1);
            assertThat(none.err()).contains("db3 is not being rebuilt");
            assertThat(site.faults).isEmpty();
        }
    }
}
