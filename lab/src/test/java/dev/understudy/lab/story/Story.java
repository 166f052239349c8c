package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Instruments;
import dev.understudy.lab.measure.Timeline;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.ControllerApi.SiteState;
import dev.understudy.lab.site.Evidence;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Wellness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// A story on the shared site. It begins on a site that is well, with a client, a writer and the holder watch at
/// work, and ends with what must be true of every story: no acknowledged row is missing on the primary and no
/// resource had two holders. Whatever fails leaves a timeline, the journal and all logs in `lab-failures/STORY`.
@ExtendWith({StoryProgress.class, Story.Witness.class})
abstract class Story {

    static final String SITE = Wellness.SITE;
    static final String PRIMARY = Wellness.PRIMARY;

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final List<String> timeline = Collections.synchronizedList(new ArrayList<>());
    private long begin;
    private String name = "";
    private boolean discard;

    @SuppressWarnings("NullAway.Init")
    private SharedSite site;

    @SuppressWarnings("NullAway.Init")
    private Instruments instruments;

    @BeforeEach
    final void beginStory(TestInfo info) {
        begin = System.nanoTime();
        name = getClass().getSimpleName() + "-"
                + info.getTestMethod().orElseThrow().getName();
        site = SharedSite.well(this::tell);
        instruments = Instruments.start(lab(), line -> tell("ALARM: " + line));
        instruments.awaitService();
        instruments.holders().forget();
        tell("the site is well: " + holderOf(SITE).name() + " has the address, "
                + holderOf(PRIMARY).name() + " is the primary");
    }

    @AfterEach
    final void endStory() {
        try {
            assertThat(instruments.holders().mostSinceLastCall())
                    .as("holders of one resource at one time")
                    .isLessThanOrEqualTo(1);
            state().holder(PRIMARY)
                    .ifPresent(holder -> assertThat(instruments.writer().missingOn(lab().host(holder)))
                            .as("acknowledged rows that the primary %s lacks", holder)
                            .isEmpty());
        } catch (AssertionError | RuntimeException e) {
            leaveEvidence(e);
            throw e;
        } finally {
            instruments.close();
            if (discard) {
                SharedSite.discard();
            }
        }
    }

    final Lab lab() {
        return site.lab();
    }

    final ControllerApi api() {
        return site.api();
    }

    final Instruments instruments() {
        return instruments;
    }

    final LabHost host(String host) {
        return lab().host(host);
    }

    /// The controller's state now, waiting while it does not answer.
    final SiteState state() {
        Waiting.until("the controller answers", LIMIT, () -> api().state().isPresent());
        return api().state().orElseThrow(() -> new IllegalStateException("the controller has stopped answering"));
    }

    final LabHost holderOf(String resource) {
        Waiting.until(
                resource + " has a holder",
                LIMIT,
                () -> state().holder(resource).isPresent());
        return host(state().holder(resource).orElseThrow());
    }

    final LabHost activeBalancer() {
        return holderOf(SITE);
    }

    final LabHost passiveBalancer() {
        return others(Topology.BALANCERS, activeBalancer()).getFirst();
    }

    final LabHost primary() {
        return holderOf(PRIMARY);
    }

    final List<LabHost> replicas() {
        return others(Topology.DATABASES, primary());
    }

    /// Writes a line into the story's timeline.
    final void tell(String line) {
        timeline.add("%8.3f  %s".formatted((System.nanoTime() - begin) / 1e9, line));
    }

    /// Says what is done, and does it.
    final void act(String what, Runnable deed) {
        tell(what);
        deed.run();
    }

    /// Waits until it is so. The limit is there for a broken site, not to measure speed.
    final void eventually(String what, BooleanSupplier condition) {
        long from = System.nanoTime();
        Waiting.until(what, LIMIT, condition);
        tell("%s (after %d ms)".formatted(what, (System.nanoTime() - from) / 1_000_000));
    }

    /// Waits until another host than this one holds the resource, in a steady phase; returns it.
    final LabHost becomesHolderInsteadOf(LabHost before, String resource) {
        eventually("another host than " + before.name() + " holds " + resource, () -> {
            SiteState now = state();
            return now.steady(resource)
                    && now.holder(resource)
                            .filter(h -> !h.equals(before.name()))
                            .isPresent();
        });
        return holderOf(resource);
    }

    /// Waits until clients are served: an unbroken run of answers and of acknowledged writes that begins now.
    final void clientsAreServed() {
        instruments.awaitService();
        tell("clients are served");
    }

    final void siteBecomesWell() {
        Wellness.await(api(), LIMIT);
        tell("the site is well");
    }

    /// Requests that failed since the moment.
    final Timeline.Summary requestsSince(long moment) {
        return instruments.client().timeline().between(moment, System.nanoTime());
    }

    final Timeline.Summary writesSince(long moment) {
        return instruments.writer().timeline().between(moment, System.nanoTime());
    }

    /// Lets this much traffic pass, counted in answered requests from now: time by what happens in it.
    final void whileRequestsAreAnswered(int count) {
        int target = instruments.client().timeline().size() + count;
        Waiting.until(
                count + " more requests are over",
                LIMIT.multipliedBy(3),
                () -> instruments.client().timeline().size() >= target);
    }

    /// The events that the controller has recorded, as one text.
    final String events() {
        return api().events(200).stream().map(Object::toString).collect(Collectors.joining("\n"));
    }

    /// The site is not to be used by a later story.
    final void discardSiteAfterwards() {
        discard = true;
    }

    private List<LabHost> others(List<HostPlan> plans, LabHost one) {
        return plans.stream()
                .filter(plan -> !plan.equals(one.plan()))
                .map(plan -> lab().host(plan))
                .toList();
    }

    private void leaveEvidence(Throwable failure) {
        discard = true;
        Path folder = Checkout.find().failures().resolve(name);
        tell("FAILED: " + failure);
        Evidence.collect(lab(), api(), folder);
        try {
            Files.write(folder.resolve("timeline.txt"), List.copyOf(timeline));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        System.out.println("  story " + name + ": what it saw is in " + folder);
    }

    /// Keeps what a failing story saw before anything is repaired.
    static final class Witness implements AfterTestExecutionCallback {
        @Override
        public void afterTestExecution(ExtensionContext context) {
            context.getExecutionException().ifPresent(failure -> {
                if (context.getRequiredTestInstance() instanceof Story story) {
                    story.leaveEvidence(failure);
                }
            });
        }
    }
}
