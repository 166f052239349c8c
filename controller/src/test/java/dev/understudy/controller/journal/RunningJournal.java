package dev.understudy.controller.journal;

import dev.understudy.controller.Site;
import dev.understudy.controller.journal.Identity.Opened;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A journal on a real Ratis server, once it leads.
record RunningJournal(Journal journal, long term) implements AutoCloseable {

    static RunningJournal start(Path folder, boolean init) {
        try {
            Opened.Ready ready = (Opened.Ready) Identity.open(folder, "ctl1", init);
            CompletableFuture<Long> leads = new CompletableFuture<>();
            Journal journal = Journal.open(
                    new Journal.Settings(
                            ready.identity(), ready.store(), "127.0.0.1:" + Site.freePort(), Duration.ofSeconds(20)),
                    ready.fresh(),
                    (term, leading) -> {
                        if (leading) {
                            leads.complete(term);
                        }
                    },
                    leads::completeExceptionally);
            return new RunningJournal(journal, leads.get(60, TimeUnit.SECONDS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            journal.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
