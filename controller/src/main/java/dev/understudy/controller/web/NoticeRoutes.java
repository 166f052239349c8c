package dev.understudy.controller.web;

import dev.understudy.controller.api.Api;
import dev.understudy.controller.mail.Notifier;
import dev.understudy.controller.web.ApiRoutes.Refused;
import dev.understudy.core.Decision.Answer;
import dev.understudy.core.OperatorRequest;
import dev.understudy.core.notice.Incident;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notices;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Incidents: what is open, what is to be sent, and the acknowledgement to which mails link. Looking at the link
/// changes nothing, since mail scanners follow links; the page has a button.
final class NoticeRoutes {

    private static final int MOST_TEXT = 200;

    private final ApiRoutes api;
    private final Notifier notifier;

    /// In each form of ours: a form on a foreign page does not know it.
    private final String token;

    NoticeRoutes(ApiRoutes api, Notifier notifier) {
        this.api = api;
        this.notifier = notifier;
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        this.token = HexFormat.of().formatHex(random);
    }

    void configure(RoutesConfig routes) {
        routes.get("/api/v1/incidents", context -> ApiRoutes.json(context, 200, incidents()));
        routes.post("/api/v1/ack", this::acknowledge);
        routes.post("/api/v1/mail/test", this::test);
        routes.get("/incidents/{id}", context -> page(context, context.pathParam("id")));
        routes.post("/incidents/{id}", this::acknowledgeByForm);
    }

    private Notices notices() {
        return api.view().state().journaled().notices();
    }

    private Api.Incidents incidents() {
        Notices notices = notices();
        return new Api.Incidents(
                notices.incidents(),
                notices.past(),
                notices.outbox().stream().map(NoticeRoutes::waiting).toList(),
                notifier.troubles());
    }

    private static Api.Waiting waiting(Notice notice) {
        return new Api.Waiting(
                notice.id(),
                word(notice.kind()),
                notice.title(),
                notice.at(),
                notice.pending().stream().map(NoticeRoutes::word).toList());
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private void acknowledge(Context context) {
        JsonNode body = ApiRoutes.body(context, List.of("incident", "note", "by"));
        String incident = line("incident", ApiRoutes.text(body, "incident"));
        String note = body.hasNonNull("note") ? line("note", ApiRoutes.text(body, "note")) : "";
        String by = body.hasNonNull("by") ? line("by", ApiRoutes.text(body, "by")) : "";
        ApiRoutes.answer(context, null, api.ask(context, by, new OperatorRequest.Acknowledge(incident, note)));
    }

    private void test(Context context) {
        JsonNode body = ApiRoutes.body(context, List.of("by"));
        String by = body.hasNonNull("by") ? line("by", ApiRoutes.text(body, "by")) : "";
        String who = by.isEmpty() ? "api " + context.ip() : by + " (" + context.ip() + ")";
        try {
            Optional<Notice> notice = notifier.test(who);
            if (notice.isEmpty()) {
                throw new Refused(409, "cluster.yml names nobody to whom a mail could be sent");
            }
            String to = String.join(", ", notice.get().to());
            ApiRoutes.json(
                    context,
                    202,
                    new Api.Accepted(
                            true,
                            "test mail " + notice.get().id() + " is queued" + (to.isEmpty() ? "" : " for " + to),
                            null,
                            notice.get().id()));
        } catch (IllegalStateException e) {
            throw new Refused(503, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refused(503, "the controller stops");
        }
    }

    private static String line(String key, String value) {
        String text = value.strip();
        if (text.length() > MOST_TEXT || text.chars().anyMatch(Character::isISOControl)) {
            throw new Refused(400, "'" + key + "' is one line of at most " + MOST_TEXT + " characters");
        }
        return text;
    }

    private void acknowledgeByForm(Context context) {
        if (!token.equals(context.formParam("token"))) {
            throw new Refused(403, "this form is not of this controller, or of an earlier start: open the page anew");
        }
        String by = context.formParam("by");
        String note = context.formParam("note");
        Answer answer = api.ask(
                context,
                line("by", by == null ? "" : by),
                new OperatorRequest.Acknowledge(context.pathParam("id"), line("note", note == null ? "" : note)));
        if (!answer.accepted()) {
            throw new Refused(409, answer.text());
        }
        context.redirect("/incidents/" + context.pathParam("id"), io.javalin.http.HttpStatus.SEE_OTHER);
    }

    private void page(Context context, String id) {
        Notices notices = notices();
        Optional<Incident> open = notices.incident(id);
        Optional<Incident.Past> past =
                notices.past().stream().filter(p -> p.id().equalsIgnoreCase(id)).findFirst();
        if (open.isEmpty() && past.isEmpty()) {
            throw new Refused(404, "there is no incident '" + id + "'");
        }
        Html html = new Html();
        past.ifPresent(p -> html.heading(1, p.id() + " " + p.title())
                .markup("<p>")
                .text("It is over: from " + p.opened() + " to " + p.closed() + ".")
                .markup("</p>\n"));
        open.ifPresent(incident -> incident(html, incident));
        Pages.page(context, id, false, html);
    }

    private void incident(Html html, Incident incident) {
        html.heading(1, incident.id() + " " + incident.title());
        html.markup("<p>")
                .span(
                        incident.acknowledged() == null ? "pill bad" : "pill busy",
                        incident.acknowledged() == null
                                ? "open"
                                : incident.acknowledged().describe())
                .text(" " + word(incident.severity()) + ", since " + incident.opened() + ", concerns "
                        + String.join(", ", incident.groups()))
                .markup("</p>\n");
        html.heading(2, "What is the matter").markup("<ul>");
        incident.active()
                .values()
                .forEach(text -> html.markup("<li>").text(text).markup("</li>"));
        html.markup("</ul>").heading(2, "What happened").markup("<ul>");
        incident.story().forEach(text -> html.markup("<li>").text(text).markup("</li>"));
        html.markup("</ul>\n");
        html.markup("<p>")
                .text(incident.notices() + " messages so far, to " + String.join(", ", incident.to()))
                .markup("</p>\n");
        if (incident.acknowledged() == null) {
            html.markup("<form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"")
                    .text(token)
                    .markup("\"><p><label>Your name <input name=\"by\" required maxlength=\"60\"></label> "
                            + "<label>Note <input name=\"note\" maxlength=\"200\"></label> "
                            + "<button>Acknowledge: I look after it</button></p></form>\n");
        }
    }

    /// For the first page; nothing while none is open.
    static void openIncidents(Html html, Notices notices) {
        if (notices.incidents().isEmpty()) {
            return;
        }
        html.heading(2, "Open incidents").markup("<ul class=\"problems\">");
        notices.incidents()
                .forEach(i -> html.markup("<li>")
                        .link("/incidents/" + i.id(), i.id())
                        .text(" " + i.title()
                                + (i.acknowledged() == null
                                        ? ""
                                        : " (" + i.acknowledged().describe() + ")"))
                        .markup("</li>"));
        html.markup("</ul>\n");
    }
}
