package dev.understudy.lab.tour;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.measure.Instruments;
import dev.understudy.lab.measure.Timeline.Summary;
import dev.understudy.lab.measure.Writer;
import dev.understudy.lab.site.ControllerApi;
import dev.understudy.lab.site.ControllerApi.SiteState;
import dev.understudy.lab.site.Lab;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.site.Wellness;
import dev.understudy.lab.tour.TourReport.Row;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/// Lets six things happen to a site, one after the other, each on a site that is well, and measures each from just
/// before it happens until the site is well again, the old holder's return included.
public final class Tour {

    private static final Duration TAKEOVER = Duration.ofSeconds(20);
    private static final Duration WELL = Duration.ofSeconds(90);

    private final Lab lab;
    private final ControllerApi api;
    private final String profile;
    private final Consumer<String> say;
    private final Set<Long> lostBefore = new HashSet<>();

    public Tour(Lab lab, ControllerApi api, String profile, Consumer<String> say) {
        this.lab = lab;
        this.api = api;
        this.profile = profile;
        this.say = say;
    }

    /// Runs the events. Never throws for what the site does or fails to do: that is in the report.
    public TourReport run(List<TourEvent> events) {
        say.accept("waiting until the site is well");
        var rows = new ArrayList<Row>();
        boolean complete;
        try {
            Wellness.await(api, WELL);
            try (Instruments instruments = Instruments.start(lab, this::alarm)) {
                instruments.awaitService();
                for (TourEvent event : events) {
                    rows.add(happen(event, instruments));
                }
                complete = everywhere(instruments);
            }
        } catch (Waiting.TimedOut e) {
            say.accept("the site is not well: " + e.getMessage());
            events.stream().skip(rows.size()).forEach(event -> rows.add(notMeasured(event)));
            complete = false;
        }
        return new TourReport(complete && rows.stream().allMatch(Row::ok), profile, rows);
    }

    /// A host that failed a moment ago takes over only when it has served again for some seconds (anti-flap), which is
    /// not what is measured here.
    private void awaitReady(String resource) {
        Waiting.until(
                "nothing holds a failover of " + resource + " back",
                WELL,
                () -> api.state()
                        .filter(state ->
                                state.blockers(resource, "RECENT_FAILOVER").isEmpty())
                        .isPresent());
    }

    private Row happen(TourEvent event, Instruments instruments) {
        awaitReady(event.resource());
        LabHost holder = lab.host(api.state()
                .flatMap(state -> state.holder(event.resource()))
                .orElseThrow(() -> new IllegalStateException("a well site has a holder of " + event.resource())));
        say.accept("%s: %s, %s".formatted(event.label(), event.text(), holder.name()));
        instruments.holders().forget();
        long begin = System.nanoTime();
        boolean took = befall(event, holder);
        instruments.awaitService();
        repair(event, holder);
        Wellness.await(api, WELL);
        instruments.awaitService();
        long end = System.nanoTime();

        Summary requests = instruments.client().timeline().between(begin, end);
        Summary writes = instruments.writer().timeline().between(begin, end);
        Set<Long> lost = instruments.writer().missingOn(primary());
        lost.removeAll(lostBefore);
        lostBefore.addAll(lost);
        int holders = instruments.holders().mostSinceLastCall();
        long outage = event.ofBalancers() ? requests.outageMillis() : writes.outageMillis();
        int bound = event.boundMillis(profile);
        boolean planned = event.kind() == TourEvent.Kind.SWITCHOVER;
        boolean ok = took
                && outage <= bound
                && lost.isEmpty()
                && holders <= 1
                && !(planned && requests.failed() > TourEvent.MOST_FAILED_WHEN_PLANNED);
        String failure = requests.firstFailure().isEmpty() ? writes.firstFailure() : requests.firstFailure();
        say.accept("  %d ms without %s, %d of %d requests and %d of %d writes failed%s"
                .formatted(
                        outage,
                        event.ofBalancers() ? "an answer" : "an acknowledged write",
                        requests.failed(),
                        requests.attempts(),
                        writes.failed(),
                        writes.attempts(),
                        failure.isEmpty() ? "" : " (" + failure + ")"));
        return new Row(event.label(), outage, bound, requests.failed(), lost.size(), holders, ok);
    }

    /// Does it, and waits until somebody else holds. False when nobody took over in time.
    private boolean befall(TourEvent event, LabHost holder) {
        try {
            switch (event.kind()) {
                case KILLED -> holder.kill(event.service());
                case CUT_OFF -> lab.cut(holder.name());
                case SWITCHOVER -> api.switchover(event.resource(), "");
            }
            Waiting.until(
                    "another host holds " + event.resource(),
                    TAKEOVER,
                    () -> api.state()
                            .filter(state -> movedFrom(holder, state, event.resource()))
                            .isPresent());
            return true;
        } catch (Waiting.TimedOut | ControllerApi.Refused e) {
            say.accept("  " + e.getMessage());
            return false;
        }
    }

    private static boolean movedFrom(LabHost holder, SiteState state, String resource) {
        return state.steady(resource)
                && state.holder(resource)
                        .filter(name -> !name.equals(holder.name()))
                        .isPresent();
    }

    private void repair(TourEvent event, LabHost holder) {
        switch (event.kind()) {
            case KILLED -> holder.start(event.service());
            case CUT_OFF -> lab.heal(holder.name());
            case SWITCHOVER -> {}
        }
    }

    /// Whether every member has every acknowledged row at the end, once the replicas have caught up.
    private boolean everywhere(Instruments instruments) {
        instruments.writer().close();
        boolean all = true;
        Set<Long> rows = instruments.writer().acknowledged();
        for (Topology.HostPlan plan : Topology.DATABASES) {
            try {
                Waiting.until(
                        plan.name() + " has every acknowledged row",
                        WELL,
                        () -> Writer.missing(rows, lab.host(plan)).isEmpty());
            } catch (Waiting.TimedOut e) {
                say.accept(e.getMessage());
                all = false;
            }
        }
        say.accept("%d rows were acknowledged%s"
                .formatted(
                        instruments.writer().acknowledgedCount(),
                        all ? ", and every database has them all" : "; not every database has them all"));
        return all;
    }

    private LabHost primary() {
        return lab.host(api.state()
                .flatMap(state -> state.holder(Wellness.PRIMARY))
                .orElseThrow(() -> new IllegalStateException("a well site has a primary")));
    }

    private Row notMeasured(TourEvent event) {
        return new Row(event.label(), -1, event.boundMillis(profile), -1, -1, -1, false);
    }

    private void alarm(String line) {
        say.accept("  ALARM: " + line);
    }
}
