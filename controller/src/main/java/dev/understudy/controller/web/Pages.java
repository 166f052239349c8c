package dev.understudy.controller.web;

import dev.understudy.controller.api.Api;
import dev.understudy.core.Event;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Objects;

/// The plain page: rendered here, readable without scripts. `refresh.js` renews the main part every second where
/// scripts run.
final class Pages {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter DATE_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS 'UTC'").withZone(ZoneOffset.UTC);
    private static final int EVENTS = 30;

    private final ApiRoutes api;
    private final String grafana;
    private final String style = resource("style.css");
    private final String script = resource("refresh.js");

    /// @param grafana where the dashboards are, empty for none
    Pages(ApiRoutes api, String grafana) {
        this.api = api;
        this.grafana = grafana.replaceFirst("/+$", "");
    }

    void configure(RoutesConfig routes) {
        routes.get("/", context -> page(context, "Site", true, main(api.site())));
        routes.get("/events/{id}", context -> {
            Api.Explained explained = api.explained(context.pathParam("id"));
            page(context, explained.event().id(), false, explain(explained));
        });
        routes.get("/diverged/{group}/{host}", context -> {
            Api.Diverged diverged = api.diverged(context.pathParam("group"), context.pathParam("host"));
            page(context, diverged.host(), false, diverged(diverged));
        });
        routes.get(
                "/style.css",
                context -> context.contentType("text/css; charset=utf-8").result(style));
        routes.get(
                "/refresh.js",
                context -> context.contentType("text/javascript; charset=utf-8").result(script));
    }

    static void page(Context context, String title, boolean live, Html main) {
        String refresh = live
                ? "<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript><script src=\"/refresh.js\" defer></script>"
                : "";
        context.header("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'");
        context.header("Cache-Control", "no-store");
        context.contentType("text/html; charset=utf-8").result("""
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%s – Understudy</title>
                <link rel="stylesheet" href="/style.css">%s</head>
                <body><header><a href="/">Understudy</a></header>
                <main>%s</main></body></html>
                """.formatted(Html.escape(title), refresh, main));
    }

    private Html main(Api.Site site) {
        Html html = new Html();
        html.markup("<h1>")
                .text(site.cluster().isEmpty() ? "no cluster yet" : site.cluster())
                .markup(" ");
        html.span(site.well() ? "pill good" : "pill bad", site.well() ? "well" : "not well")
                .markup("</h1>\n");
        html.markup("<p class=\"quiet\">")
                .text("profile " + site.profile() + " · specification " + site.specVersion() + " · controller "
                        + site.controller() + (site.leading() ? " leads, term " : " does not lead, term ")
                        + site.term() + " · " + DATE_TIME.format(site.time()))
                .markup("</p>\n");
        dashboards(html, site);
        if (!site.well()) {
            html.markup("<ul class=\"problems\">");
            site.problems().forEach(p -> html.markup("<li>").text(p).markup("</li>"));
            html.markup("</ul>\n");
        }
        NoticeRoutes.openIncidents(html, api.view().state().journaled().notices());
        site.groups().forEach(group -> group(html, site, group));
        html.heading(2, "Latest events");
        events(html, api.latest(EVENTS, null, null).reversed());
        return html;
    }

    private void dashboards(Html html, Api.Site site) {
        if (!grafana.isEmpty()) {
            String cluster = "?var-cluster=" + URLEncoder.encode(site.cluster(), StandardCharsets.UTF_8);
            html.markup("<p class=\"quiet\">")
                    .link(grafana + "/d/understudy-site" + cluster, "Dashboards")
                    .text(" · ")
                    .link(grafana + "/d/understudy-failovers" + cluster, "Failovers and readiness")
                    .markup("</p>\n");
        }
    }

    private static void group(Html html, Api.Site site, Api.Group group) {
        html.markup("<section><h2>").text(group.name()).markup(" ");
        html.span("quiet", group.kind() + " · " + group.mode());
        if (!group.standing().isEmpty()) {
            html.markup(" ").span("pill busy", group.standing());
        }
        html.markup("</h2>\n");
        if (!group.resources().isEmpty()) {
            html.markup("<table class=\"resources\">")
                    .header("Resource", "Holder", "Phase", "Epoch", "Lease", "Address", "Notes")
                    .markup("<tbody>");
            group.resources().forEach(r -> resource(html, r));
            html.markup("</tbody></table>\n");
        }
        html.markup("<table class=\"hosts\">")
                .header("Host", "Agent", "Heard", "Sees")
                .markup("<tbody>");
        site.hosts().stream().filter(h -> group.members().contains(h.host())).forEach(h -> host(html, group, h));
        html.markup("</tbody></table></section>\n");
    }

    private static void resource(Html html, Api.Resource resource) {
        html.markup("<tr>").cell("name", resource.resource());
        html.cell(
                resource.holder() == null ? "quiet" : "name", Objects.requireNonNullElse(resource.holder(), "nobody"));
        html.cell(resource.steady() ? "pill good" : "pill busy", resource.phase());
        html.cell(Long.toString(resource.epoch()));
        html.cell(resource.lease());
        html.cell(resource.address()).markup("<td>");
        String group = resource.resource().substring(0, resource.resource().indexOf('/'));
        Api.Plan plan = resource.plan();
        if (plan != null) {
            String to = plan.to() == null ? "" : " to " + plan.to();
            html.link("/events/E" + plan.id().substring(1), plan.id())
                    .text(" " + plan.kind() + to + ": " + plan.cause() + " ");
        }
        Api.Readiness readiness = resource.readiness();
        html.markup("<div>")
                .span(readiness.ready() ? "pill good" : "pill bad", readiness.ready() ? "ready" : "not ready")
                .text(" " + readiness.text().replaceFirst("^not ready: ", ""))
                .markup("</div>");
        if (!resource.ackers().isEmpty()) {
            html.span("quiet", "acknowledged by " + String.join(", ", resource.ackers()) + " ");
        }
        if (!resource.promotable().isEmpty()) {
            html.span("quiet", "every acknowledged write is on: " + String.join(", ", resource.promotable()) + " ");
        }
        Api.Rebuilt rebuild = resource.rebuild();
        if (rebuild != null) {
            html.link("/events/E" + rebuild.id().substring(1), rebuild.id())
                    .text(" ")
                    .span("pill busy", rebuild.text())
                    .text(" ");
        }
        resource.departures().forEach(gone -> html.span("pill busy", gone).text(" "));
        resource.lags().forEach(lag -> html.span("quiet", lag.host() + " " + lag.text() + " "));
        if (resource.alone()) {
            html.span("pill bad", "alone: nobody can take over").text(" ");
        }
        resource.quarantined()
                .forEach(q -> html.span("pill bad", q.host() + " quarantined")
                        .text(" " + q.reason() + " ")
                        .link("/diverged/" + group + "/" + q.host(), "what only it has")
                        .text(" "));
        html.markup("</td></tr>\n");
    }

    private static void host(Html html, Api.Group group, Api.Host host) {
        html.markup("<tr><td>").span("name", host.host()).markup(" ").span("quiet", host.address());
        if (host.maintenance() != null) {
            html.markup(" ").span("pill busy", host.maintenance());
        }
        html.markup("</td>").cell("pill " + css(host.health()), host.health());
        html.cell(host.heardMillisAgo() < 0 ? "never" : ago(host.heardMillisAgo()))
                .markup("<td>");
        for (Api.Sight sight : host.sees()) {
            boolean here = sight.key().equals("host") || sight.key().contains("/" + group.name());
            if (here) {
                html.markup("<div>").span("dot " + css(sight.health()), sight.health());
                html.markup(" ")
                        .span("quiet", sight.key())
                        .text(" " + sight.text())
                        .markup("</div>");
            }
        }
        html.markup("</td></tr>\n");
    }

    private static void events(Html html, List<Event> events) {
        html.markup("<table class=\"events\">")
                .header("Event", "Time", "Resource", "Row", "What")
                .markup("<tbody>");
        for (Event event : events) {
            html.markup("<tr><td>").link("/events/" + event.id(), event.id()).markup("</td><td class=\"time\">");
            html.text(TIME.format(event.at())).markup("</td>");
            html.cell(event.resource() == null ? "" : event.resource().toString());
            html.cell(event.row()).cell(event.text()).markup("</tr>\n");
        }
        html.markup("</tbody></table>\n");
    }

    private static Html explain(Api.Explained explained) {
        Event event = explained.event();
        Html html = new Html();
        html.heading(1, event.id() + " " + event.text());
        html.markup("<dl>");
        item(html, "Time", DATE_TIME.format(event.at()));
        item(html, "Resource", event.resource() == null ? "" : event.resource() + ", epoch " + event.epoch());
        item(html, "Holder", Objects.requireNonNullElse(event.holder(), ""));
        item(html, "Situation", event.situation());
        item(html, "Row of the policy table", event.row());
        item(html, "Phase", event.from().equals(event.to()) ? event.to() : event.from() + " → " + event.to());
        item(html, "Plan", event.plan());
        html.markup("</dl>\n");
        if (!event.evidence().isEmpty()) {
            html.heading(2, "What was seen").markup("<ul>");
            event.evidence().forEach(line -> html.markup("<li>").text(line).markup("</li>"));
            html.markup("</ul>\n");
        }
        if (!event.candidates().isEmpty()) {
            html.heading(2, "Who could take over")
                    .markup("<table>")
                    .header("Host", "Could", "Because")
                    .markup("<tbody>");
            event.candidates()
                    .forEach(c -> html.markup("<tr>")
                            .cell("name", c.host())
                            .cell(c.eligible() ? "pill good" : "pill bad", c.eligible() ? "yes" : "no")
                            .cell(c.reason())
                            .markup("</tr>"));
            html.markup("</tbody></table>\n");
        }
        if (!explained.steps().isEmpty()) {
            html.heading(2, "Steps of " + event.plan());
            events(html, explained.steps());
        }
        return html;
    }

    private static Html diverged(Api.Diverged diverged) {
        Html html = new Html();
        html.heading(1, "Transactions that only " + diverged.host() + " has");
        html.markup("<dl>");
        item(html, "Group", diverged.group());
        item(html, "Transactions", String.join(" ", diverged.transactions()));
        item(html, diverged.cut() ? "All of it on the host" : "On the host", diverged.file());
        html.markup("</dl>\n<pre>").text(diverged.text()).markup("</pre>\n");
        return html;
    }

    private static void item(Html html, String name, String value) {
        if (!value.isEmpty()) {
            html.markup("<dt>").text(name).markup("</dt><dd>").text(value).markup("</dd>");
        }
    }

    private static String css(String health) {
        return switch (health) {
            case "up" -> "good";
            case "down", "unfit" -> "bad";
            case "silent", "warns" -> "busy";
            default -> "idle";
        };
    }

    private static String ago(long millis) {
        return millis < 1000 ? millis + " ms ago" : millis / 1000 + " s ago";
    }

    private static String resource(String name) {
        try (InputStream in = Pages.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
