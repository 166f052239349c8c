package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Instruments;
import dev.understudy.lab.measure.Timeline;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.ControllerApi.SiteState;
import dev.understudy.lab.site.Databases;
import dev.understudy.lab.site.Evidence;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Topology.HostPlan;
import dev.understudy.lab.site.Wellness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;
import tools.jackson.databind.JsonNode;

/// A story on the shared site. It begins on a site that is well, with a client, a writer and the holder watch at
/// work, and ends with what must be true of every story: no acknowledged row is missing on the primary and no
/// resource had two holders (but where an operator asked for that). Whatever fails leaves a timeline, the journal and
/// all logs in `lab-failures/STORY`.
@ExtendWith({StoryProgress.class, Story.Witness.class})
abstract class Story {

    static final String SITE = Wellness.SITE;
    static final String PRIMARY = Wellness.PRIMARY;

    /// Where stories leave their rows of docs/scenarios.md.
    static final Path SCENARIOS = Checkout.find().root().resolve("lab/target/scenarios");

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Set<String> RECORDED = ConcurrentHashMap.newKeySet();

    private final List<String> timeline = Collections.synchronizedList(new ArrayList<>());
    private long begin;
    private String name = "";
    private String scenario = "";
    private String fault = "";
    private String lastEvent = "";
    private long told;
    private boolean ended;
    private boolean discard;
    private int mayHold = 1;

    @SuppressWarnings("NullAway.Init")
    private SiteState before;

    @SuppressWarnings("NullAway.Init")
    private SharedSite site;

    @SuppressWarnings("NullAway.Init")
    private Instruments instruments;

    @BeforeEach
    final void beginStory(TestInfo info) {
        begin = System.nanoTime();
        Method method = info.getTestMethod().orElseThrow();
        name = getClass().getSimpleName() + "-" + method.getName();
        scenario = getClass().getSimpleName() + "#" + method.getName();
        Fault says = method.getAnnotation(Fault.class);
        fault = says == null ? "" : says.value();
        site = SharedSite.well(this::tell);
        instruments = Instruments.start(lab(), line -> tell("ALARM: " + line));
        instruments.awaitService();
        instruments.holders().forget();
        SiteState first = state();
        tell("the site is well: " + first.holder(SITE).orElse("nobody") + " has the address, "
                + first.holder(PRIMARY).orElse("nobody") + " is the primary");
        before = first;
        lastEvent = api().events(1).stream()
                .map(event -> event.path("id").asString(""))
                .reduce((_, last) -> last)
                .orElse("");
        told = System.nanoTime();
    }

    @AfterEach
    final void endStory() {
        try {
            SiteState last = state();
            long end = System.nanoTime();
            int holders = instruments.holders().mostSinceLastCall();
            assertThat(holders).as("holders of one resource at one time").isLessThanOrEqualTo(mayHold);
            int lost = 0;
            if (last.holder(PRIMARY).isPresent()) {
                Set<Long> missing = instruments
                        .writer()
                        .missingOn(lab().host(last.holder(PRIMARY).orElseThrow()));
                assertThat(missing)
                        .as("acknowledged rows that the primary %s lacks", last.holder(PRIMARY))
                        .isEmpty();
                lost = missing.size();
            }
            if (ended) {
                record(last, end, lost, holders);
            }
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
        siteBecomesWellWithin(LIMIT);
    }

    final void siteBecomesWellWithin(Duration limit) {
        Wellness.await(api(), limit, this::tell);
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

    /// The epochs of both resources.
    final Map<String, Long> epochs() {
        SiteState now = state();
        return Map.of(SITE, now.epoch(SITE), PRIMARY, now.epoch(PRIMARY));
    }

    /// No request and no write that began after the moment has failed.
    final void nothingWasLostSince(long moment) {
        assertThat(requestsSince(moment).firstFailure()).as("failed requests").isEmpty();
        assertThat(writesSince(moment).firstFailure()).as("failed writes").isEmpty();
    }

    final void hasEveryAcknowledgedRow(LabHost database) {
        Set<Long> rows = instruments().writer().acknowledged();
        eventually(
                database.name() + " has every acknowledged row",
                () -> Writer.missing(rows, database).isEmpty());
    }

    /// A fence kills a server whose commits wait for an acknowledgement, and starts it again.
    final void answersAfterItsFence(LabHost database) {
        Databases.awaitAnswer(database, LIMIT);
        tell(database.name() + " answers after its fence");
    }

    /// Whether the address is configured on the host.
    static boolean hasAddress(LabHost host, String address) {
        return host.run("ip", "-o", "address", "show").orThrow().output().contains(address + "/");
    }

    /// The addresses that the kernel's gate of the host lets through, as nft prints them; empty without a gate.
    static String gateOf(LabHost host) {
        return host.run("nft", "list", "set", "inet", "understudy", "held").output();
    }

    /// The events that the controller has recorded, as one text.
    final String events() {
        return api().events(200).stream().map(Object::toString).collect(Collectors.joining("\n"));
    }

    /// `when_isolated: keep` asks for it: the one story that is not about a single holder.
    final void twoHostsMayAnswer() {
        mayHold = 2;
    }

    /// The events since this story began, as one text.
    final String ownEvents() {
        return api().eventsAfter(lastEvent).stream().map(Object::toString).collect(Collectors.joining("\n"));
    }

    /// The site is not to be used by a later story.
    final void discardSiteAfterwards() {
        discard = true;
    }

    private void record(SiteState last, long end, int lost, int holders) {
        List<JsonNode> events = api().eventsAfter(lastEvent);
        var seen = new LinkedHashSet<String>();
        for (JsonNode event : events) {
            String row = event.path("row").asString("");
            boolean decided = event.path("from").asString("").equals("HELD")
                    || row.startsWith("DM-")
                    || row.startsWith("RB-")
                    || event.path("from").equals(event.path("to"));
            if (!row.isEmpty() && decided) {
                seen.add(row + " " + event.path("situation").asString(""));
            }
        }
        new Scenario(
                        scenario,
                        fault,
                        List.copyOf(seen),
                        List.of(became(last, SITE, "address"), became(last, PRIMARY, "primary")),
                        instruments.client().timeline().between(told, end).outageMillis(),
                        instruments.writer().timeline().between(told, end).outageMillis(),
                        lost,
                        holders)
                .write(SCENARIOS, RECORDED);
        write(SCENARIOS.resolve(name + ".timeline"));
    }

    /// What has become of a resource's holder since the story's begin, by epochs.
    private String became(SiteState last, String resource, String what) {
        long moves = last.epoch(resource) - before.epoch(resource);
        if (moves == 0) {
            return what + " stays";
        }
        String times = moves == 1 ? "" : " (" + moves + " epochs)";
        return before.holder(resource).equals(last.holder(resource))
                ? what + " given to the same host anew" + times
                : what + " moved" + times;
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
        write(folder.resolve("timeline.txt"));
        System.out.println("  story " + name + ": what it saw is in " + folder);
    }

    private void write(Path file) {
        try {
            Files.write(file, List.copyOf(timeline));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Keeps what a failing story saw before anything is repaired. A story that only an assumption ended leaves
    /// nothing.
    static final class Witness implements AfterTestExecutionCallback {
        @Override
        public void afterTestExecution(ExtensionContext context) {
            if (!(context.getRequiredTestInstance() instanceof Story story)) {
                return;
            }
            Throwable failure = context.getExecutionException().orElse(null);
            story.ended = failure == null;
            if (failure != null && !(failure instanceof TestAbortedException)) {
                story.leaveEvidence(failure);
            }
        }
    }
}
