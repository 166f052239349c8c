package dev.understudy.controller.config;

import dev.understudy.controller.mail.NoticeSettings;
import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.controller.mail.NoticeSettings.Route;
import dev.understudy.controller.mail.NoticeSettings.Schedule;
import dev.understudy.controller.mail.NoticeSettings.Security;
import dev.understudy.controller.mail.NoticeSettings.Smtp;
import dev.understudy.controller.mail.NoticeSettings.Webhook;
import dev.understudy.core.notice.Pace;
import dev.understudy.core.notice.Severity;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.text.ParseException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.quartz.CronExpression;

/// Reads `mail`, `webhook`, `heartbeat_url` and `schedule`.
final class NoticeReader {

    static final List<String> TOP = List.of("mail", "webhook", "heartbeat_url", "heartbeat_every", "schedule");

    private static final List<String> SEVERITIES = List.of("info", "warning", "critical");
    private static final Duration LONGEST = Duration.ofDays(1);
    private static final String A_FILE = "the full path of a file";
    private static final String RECIPIENTS = "a list of mail addresses";

    private final Problems problems;
    private final List<String> groups;

    NoticeReader(Problems problems, List<String> groups) {
        this.problems = problems;
        this.groups = groups;
    }

    NoticeSettings read(Section top) {
        Section mail = top.sectionIfPresent("mail").orElse(null);
        Duration every = within(
                top, "heartbeat_every", NoticeSettings.HEARTBEAT_EVERY, Duration.ofSeconds(1), Duration.ofHours(1));
        if (top.has("heartbeat_every") && !top.has("heartbeat_url")) {
            top.problem("heartbeat_every", "is for heartbeat_url, which is missing");
        }
        return new NoticeSettings(
                mail == null ? null : mail(mail),
                top.sectionIfPresent("webhook").map(this::webhook).orElse(null),
                top.has("heartbeat_url") ? url(top, "heartbeat_url", "https://hc.example.com/ping/shop") : null,
                every,
                mail == null ? Pace.DEFAULT : pace(mail),
                top.sectionIfPresent("schedule").map(this::schedule).orElse(Schedule.DEFAULT));
    }

    private Mail mail(Section mail) {
        mail.allow(List.of(
                "smtp",
                "from",
                "to",
                "severity",
                "routes",
                "url",
                "templates",
                "gather",
                "update",
                "settle",
                "remind",
                "most_per_hour"));
        Smtp smtp = smtp(mail.section("smtp", "the mail server: {host: …, port: …}"));
        List<Route> routes = new ArrayList<>();
        if (mail.has("routes")) {
            mail.sections(
                            "routes",
                            "a list of routes such as {groups: [shopdb], severity: critical, to: [a@example.com]}")
                    .forEach(route -> routes.add(route(route)));
        }
        return new Mail(
                smtp,
                address(mail, "from", mail.required("from", "a mail address")),
                recipients(mail),
                severity(mail, "warning"),
                routes,
                mail.has("url") ? url(mail, "url", "http://ctl1.example.com:7440") : null,
                mail.has("templates") ? path(mail, "templates", "the full path of a folder") : null);
    }

    private Smtp smtp(Section smtp) {
        smtp.allow(List.of("host", "port", "tls", "user", "password_file", "ca_file", "timeout"));
        String security = smtp.word("tls", "starttls", List.of("starttls", "tls", "none"));
        String user = smtp.orNull("user", "a user name");
        String passwordFile = path(smtp, "password_file", A_FILE);
        if ((user == null) != (passwordFile == null)) {
            smtp.problem(
                    user == null ? "password_file" : "user",
                    "user and password_file belong together: " + (user == null ? "user" : "password_file")
                            + " is missing");
        }
        if (security.equals("none") && user != null) {
            smtp.problem("tls", "with 'none' the password would be sent in clear text: use starttls or tls");
        }
        return new Smtp(
                smtp.required("host", "the mail server's name"),
                smtp.number("port", security.equals("tls") ? 465 : 587, 1, 65535),
                Security.valueOf(security.isEmpty() ? "STARTTLS" : security.toUpperCase(Locale.ROOT)),
                user,
                passwordFile,
                path(smtp, "ca_file", A_FILE),
                within(smtp, "timeout", Duration.ofSeconds(20), Duration.ofSeconds(1), Duration.ofMinutes(2)));
    }

    private Route route(Section route) {
        route.allow(List.of("groups", "severity", "to"));
        List<String> named = new ArrayList<>();
        if (route.has("groups")) {
            for (Section.Item item : route.texts("groups", "a list of groups")) {
                if (!groups.contains(item.text())) {
                    problems.at(
                            item.line(),
                            route.path("groups"),
                            "'" + item.text() + "' is no group" + Suggestion.of(item.text(), groups) + " (groups: "
                                    + String.join(", ", groups) + ")");
                }
                named.add(item.text());
            }
        }
        return new Route(named, severity(route, "warning"), recipients(route));
    }

    private Pace pace(Section mail) {
        Pace usual = Pace.DEFAULT;
        Duration remind = mail.duration("remind", usual.remind());
        if (!remind.isZero() && remind.compareTo(Duration.ofMinutes(1)) < 0) {
            mail.problem("remind", "is shorter than 1m (0s: no reminders)");
        }
        return new Pace(
                within(mail, "gather", usual.gather(), Duration.ZERO, Duration.ofMinutes(10)),
                within(mail, "update", usual.update(), Duration.ZERO, LONGEST),
                within(mail, "settle", usual.settle(), Duration.ofSeconds(1), LONGEST),
                remind,
                mail.number("most_per_hour", usual.mostPerHour(), 1, 1000));
    }

    private Webhook webhook(Section webhook) {
        webhook.allow(List.of("url", "token_file", "ca_file"));
        return new Webhook(
                url(webhook, "url", "https://chat.example.com/hooks/ops"),
                path(webhook, "token_file", A_FILE),
                path(webhook, "ca_file", A_FILE));
    }

    private Schedule schedule(Section schedule) {
        schedule.allow(List.of("time_zone", "digest", "reminders", "checks", "retention", "keep"));
        Schedule usual = Schedule.DEFAULT;
        ZoneId zone = usual.zone();
        String name = schedule.optional("time_zone", zone.getId(), "a time zone such as Europe/Berlin");
        try {
            zone = ZoneId.of(name);
        } catch (DateTimeException _) {
            schedule.problem("time_zone", "'" + name + "' is not a time zone such as Europe/Berlin");
        }
        String digest = schedule.has("digest") ? cron(schedule, "digest", "") : null;
        return new Schedule(
                zone,
                digest,
                cron(schedule, "reminders", usual.reminders()),
                cron(schedule, "checks", usual.checks()),
                cron(schedule, "retention", usual.retention()),
                within(schedule, "keep", usual.keep(), Duration.ofDays(1), Duration.ofDays(3650)));
    }

    private static String cron(Section section, String key, String otherwise) {
        String expected = "a cron expression such as \"0 0 8 * * ?\" (seconds, minutes, hours, day, month, weekday)";
        String text = section.optional(key, otherwise, expected);
        if (!text.isEmpty() && section.has(key)) {
            try {
                var _ = new CronExpression(text);
            } catch (ParseException e) {
                section.problem(key, "'" + text + "' is not " + expected + ": " + e.getMessage());
            }
        }
        return text;
    }

    private static Severity severity(Section section, String otherwise) {
        String word = section.word("severity", otherwise, SEVERITIES);
        return SEVERITIES.contains(word) ? Severity.valueOf(word.toUpperCase(Locale.ROOT)) : Severity.WARNING;
    }

    private List<String> recipients(Section section) {
        List<String> to = new ArrayList<>();
        for (Section.Item item : section.texts("to", RECIPIENTS)) {
            if (!isAddress(item.text())) {
                problems.at(item.line(), section.path("to"), "'" + item.text() + "' is not a mail address");
            }
            to.add(item.text());
        }
        return to;
    }

    private static String address(Section section, String key, String text) {
        if (!text.isEmpty() && !isAddress(text)) {
            section.problem(key, "'" + text + "' is not a mail address");
        }
        return text;
    }

    private static boolean isAddress(String text) {
        try {
            InternetAddress address = new InternetAddress(text, true);
            return address.getAddress().matches("[^@\\s]+@[^@\\s]+") && address.getPersonal() == null;
        } catch (AddressException _) {
            return false;
        }
    }

    private static String url(Section section, String key, String example) {
        String text = section.required(key, "a URL such as " + example);
        try {
            URI uri = new URI(text);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return text;
            }
        } catch (URISyntaxException _) {
            // told below
        }
        if (!text.isEmpty()) {
            section.problem(key, "'" + text + "' is not a URL such as " + example);
        }
        return text;
    }

    private static @Nullable String path(Section section, String key, String expected) {
        String path = section.orNull(key, expected);
        if (path != null && !path.startsWith("/")) {
            section.problem(key, "'" + path + "' is not a full path (it must start with /)");
        }
        return path;
    }

    private static Duration within(Section section, String key, Duration otherwise, Duration least, Duration most) {
        Duration length = section.duration(key, otherwise);
        if (length.compareTo(least) < 0 || length.compareTo(most) > 0) {
            section.problem(key, "is not between " + words(least) + " and " + words(most));
            return otherwise;
        }
        return length;
    }

    private static String words(Duration length) {
        if (length.toSeconds() % 86400 == 0 && !length.isZero()) {
            return length.toDays() + "d";
        }
        return length.toSeconds() % 60 == 0 && !length.isZero() ? length.toMinutes() + "m" : length.toSeconds() + "s";
    }
}
