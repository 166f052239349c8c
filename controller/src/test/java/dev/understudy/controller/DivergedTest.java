package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.understudy.controller.Site.Ran;
import dev.understudy.wire.http.HttpClients;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A question for a host's agent, through a real controller.
class DivergedTest {

    @TempDir
    private Path folder;

    @Test
    void whatAMemberHasAloneIsShownOnTheCommandLineAndThePage() throws Exception {
        try (Site site = new Site(folder.resolve("state"))) {
            site.start(Path.of("src/test/resources/shop.yml"), true);
            BalancerAgent unused = site.agent("db1");
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> site.controller()
                            .view()
                            .map(view -> view.connected().contains("db1"))
                            .orElse(false));

            Ran shown = site.cli("diverged", "shopdb", "db1");
            assertThat(shown.code()).as(shown.err()).isZero();
            assertThat(shown.out())
                    .contains("### INSERT <b>INTO</b> `shop`.`entry`")
                    .contains("there is more in /state/diverged/shopdb-0-31-17.txt on db1");
            assertThat(site.cli("diverged", "shopdb", "db1", "--json").out()).contains("\"0-31-17\"");
            Ran absent = site.cli("diverged", "shopdb", "db2");
            assertThat(absent.code()).isEqualTo(1);
            assertThat(absent.err()).contains("the agent of db2 is not connected");
            Ran other = site.cli("diverged", "edge", "lb1");
            assertThat(other.code()).isEqualTo(2);
            assertThat(other.err()).contains("lb1 is no member of a database group 'edge'");

            assertThat(page(site.url("/diverged/shopdb/db1"))).contains("<pre>### INSERT &lt;b&gt;INTO&lt;/b&gt;");
            assertThat(site.faults).isEmpty();
            assertThat(unused.heard).isNotEmpty();
        }
    }

    private static String page(String url) throws IOException {
        OkHttpClient client = HttpClients.requests(Duration.ofSeconds(20));
        try (Response page =
                client.newCall(new Request.Builder().url(url).build()).execute()) {
            assertThat(page.code()).isEqualTo(200);
            return page.body().string();
        } finally {
            HttpClients.close(client);
        }
    }
}
