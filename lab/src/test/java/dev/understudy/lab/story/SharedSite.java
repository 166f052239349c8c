package dev.understudy.lab.story;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.Site;
import dev.understudy.lab.site.Wellness;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The one site that all stories of a JVM share: repaired between stories, replaced when repair does not make it
/// well or a story has asked for it. It ends with the JVM. Failovers of one story do not hold back those of the
/// next.
final class SharedSite {

    private static final Duration WELL = Duration.ofSeconds(45);
    private static final Duration FIRST_WELL = Duration.ofSeconds(90);

    private static @Nullable SharedSite current;

    private final Site site;
    private final ControllerApi api;

    private SharedSite(Site site) {
        this.site = site;
        this.api = new ControllerApi(site.lab().page());
    }

    /// The site, well. Told what it had to do in lines.
    static synchronized SharedSite well(Consumer<String> tell) {
        SharedSite known = current;
        if (known != null) {
            try {
                Wellness.repair(known.lab());
                Wellness.await(known.api, WELL);
                return known;
            } catch (RuntimeException e) {
                tell.accept("the site is replaced: " + e.getMessage());
                discard();
            }
        }
        SharedSite fresh =
                new SharedSite(Site.start(Site.Options.of(Checkout.find()).withoutCooldown(), tell));
        current = fresh;
        try {
            Wellness.await(fresh.api, FIRST_WELL);
        } catch (Waiting.TimedOut e) {
            throw new IllegalStateException("a new site is not well: " + e.getMessage(), e);
        }
        return fresh;
    }

    /// Ends the site: the next story begins with a new one.
    static synchronized void discard() {
        SharedSite known = current;
        current = null;
        if (known != null) {
            known.api.close();
            known.site.close();
        }
    }

    Lab lab() {
        return site.lab();
    }

    ControllerApi api() {
        return api;
    }
}
