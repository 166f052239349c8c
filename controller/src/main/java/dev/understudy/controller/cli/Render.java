package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import dev.understudy.core.Event;
import java.io.PrintWriter;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/// What people read.
final class Render {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter DATE_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS 'UTC'").withZone(ZoneOffset.UTC);

    private Render() {}

    /// Rows may hold anything: control characters would reach the terminal.
    static void diverged(PrintWriter out, Api.Diverged diverged) {
        out.println(
                diverged.text().replaceAll("[\\p{Cntrl}&&[^\n\t]]", "\u00b7").stripTrailing());
        out.println();
        out.println((diverged.cut() ? "there is more in " : "all of it is in ") + diverged.file() + " on "
                + diverged.host());
    }

    static void site(PrintWriter out, Api.Site site) {
        out.println((site.cluster().isEmpty() ? "no cluster yet" : site.cluster())
                + (site.well() ? ": well" : ": not well") + "   profile " + site.profile() + ", specification "
                + site.specVersion() + ", controller " + site.controller()
                + (site.leading() ? " leads (term " : " does not lead (term ") + site.term() + ")");
        out.println();
        Table resources = new Table("RESOURCE", "HOLDER", "PHASE", "EPOCH", "LEASE", "MODE", "NOTE");
        for (Api.Group group : site.groups()) {
            for (Api.Resource resource : group.resources()) {
                resources.row(
                        resource.resource(),
                        Objects.requireNonNullElse(resource.holder(), "-"),
                        resource.phase(),
                        Long.toString(resource.epoch()),
                        resource.lease(),
                        group.mode(),
                        note(group, resource));
            }
        }
        resources.print(out);
        out.println();
        readiness(
                out, site.groups().stream().flatMap(g -> g.resources().stream()).toList());
        out.println();
        Table hosts = new Table("HOST", "GROUP", "AGENT", "HEARD", "SEES");
        for (Api.Host host : site.hosts()) {
            String heard = host.heardMillisAgo() < 0 ? "never" : heard(host.heardMillisAgo());
            List<String> sees = new ArrayList<>(host.sees().stream()
                    .filter(s -> !s.key().equals("host"))
                    .map(s -> s.key() + " " + s.health() + ": " + s.text())
                    .toList());
            if (host.maintenance() != null) {
                sees.addFirst(host.maintenance());
            }
            String first = sees.isEmpty() ? "" : sees.removeFirst();
            hosts.row(host.host(), String.join(",", host.groups()), host.health(), heard, first);
            sees.forEach(s -> hosts.row("", "", "", "", s));
        }
        hosts.print(out);
        if (!site.well()) {
            out.println();
            site.problems().forEach(p -> out.println("! " + p));
        }
        out.flush();
    }

    /// Whether a failover would work now, and whatever is in its way on a line of its own.
    static void readiness(PrintWriter out, List<Api.Resource> resources) {
        Table table = new Table("RESOURCE", "READY", "IF ITS HOLDER DIED NOW");
        for (Api.Resource resource : resources) {
            Api.Readiness readiness = resource.readiness();
            if (readiness.ready()) {
                table.row(resource.resource(), "yes", readiness.text());
            }
            for (int i = 0; i < readiness.blockers().size(); i++) {
                table.row(
                        i == 0 ? resource.resource() : "",
                        i == 0 ? "no" : "",
                        readiness.blockers().get(i).because());
            }
        }
        table.print(out);
        out.flush();
    }

    private static String heard(long millis) {
        return millis < 10_000 ? millis + " ms" : millis / 1000 + " s";
    }

    private static String note(Api.Group group, Api.Resource resource) {
        List<String> notes = new ArrayList<>();
        if (!group.standing().isEmpty()) {
            notes.add(group.standing());
        }
        Api.Plan plan = resource.plan();
        if (plan != null) {
            notes.add(plan.id() + " " + plan.kind() + (plan.to() == null ? "" : " to " + plan.to()) + ": "
                    + plan.cause());
        }
        if (!resource.ackers().isEmpty()) {
            notes.add("acknowledged by " + String.join(", ", resource.ackers()));
        }
        if (!resource.promotable().isEmpty()) {
            notes.add("every acknowledged write is on: " + String.join(", ", resource.promotable()));
        }
        Api.Rebuilt rebuild = resource.rebuild();
        if (rebuild != null) {
            notes.add(rebuild.id() + " " + rebuild.text());
        }
        notes.addAll(resource.departures());
        resource.lags().forEach(lag -> notes.add(lag.host() + " " + lag.text()));
        if (resource.alone()) {
            notes.add("alone: nobody can take over");
        }
        resource.quarantined().forEach(q -> notes.add(q.host() + " quarantined: " + q.reason()));
        return String.join("; ", notes);
    }

    /// Oldest first.
    static void events(PrintWriter out, List<Event> events) {
        Table table = new Table("TIME", "EVENT", "RESOURCE", "ROW", "WHAT");
        events.forEach(e -> table.row(TIME.format(e.at()), e.id(), resource(e), dash(e.row()), what(e)));
        table.print(out);
        out.flush();
    }

    /// One event on a line of its own, for following.
    static String line(Event event) {
        return String.format(
                "%s  %-6s %-20s %-7s %s",
                TIME.format(event.at()), event.id(), resource(event), dash(event.row()), what(event));
    }

    static void explained(PrintWriter out, Api.Explained explained) {
        Event event = explained.event();
        out.println(event.id() + "  " + event.text());
        out.println();
        field(out, "time", DATE_TIME.format(event.at()));
        field(out, "resource", event.resource() == null ? "" : event.resource() + ", epoch " + event.epoch());
        field(out, "holder", Objects.requireNonNullElse(event.holder(), ""));
        field(out, "situation", event.situation());
        field(out, "row", event.row());
        field(out, "phase", event.from().equals(event.to()) ? event.to() : event.from() + " -> " + event.to());
        field(out, "plan", event.plan());
        if (!event.evidence().isEmpty()) {
            out.println("\nWhat was seen");
            event.evidence().forEach(line -> out.println("  " + line));
        }
        if (!event.candidates().isEmpty()) {
            out.println("\nWho could take over");
            Table table = new Table("  HOST", "COULD", "BECAUSE");
            event.candidates().forEach(c -> table.row("  " + c.host(), c.eligible() ? "yes" : "no", c.reason()));
            table.print(out);
        }
        if (!explained.steps().isEmpty()) {
            out.println("\nSteps of " + event.plan());
            events(out, explained.steps());
        }
        out.flush();
    }

    private static void field(PrintWriter out, String name, String value) {
        if (!value.isEmpty()) {
            out.println(String.format("  %-10s %s", name, value));
        }
    }

    private static String what(Event event) {
        String phase = event.from().equals(event.to()) ? "" : " [" + event.from() + " -> " + event.to() + "]";
        return event.text() + phase;
    }

    private static String resource(Event event) {
        return event.resource() == null ? "-" : event.resource().toString();
    }

    private static String dash(String text) {
        return text.isEmpty() ? "-" : text;
    }
}
