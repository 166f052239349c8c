package dev.understudy.controller.mail;

import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Spot;
import dev.understudy.core.notice.Severity;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Makes a mail, or a webhook's message, of a notice.
///
/// A message's id is made of what the journal holds, so it is the same from every controller and after every
/// restart: the notice's id, the time at which its thread began, and the cluster.
final class Writer {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'").withZone(ZoneOffset.UTC);
    private static final int MOST_SUBJECT = 160;

    private final Templates templates;
    private final String controller;

    Writer(Templates templates, String controller) {
        this.templates = templates;
        this.controller = controller;
    }

    Letter letter(Notice notice, String cluster, Mail mail) {
        Map<String, Object> values = values(notice, cluster, mail.url());
        String folder = mail.templates();
        String subject = templates
                .render(folder, "subject", values)
                .replaceAll("\\s+", " ")
                .strip();
        values.put("subject", subject);
        return new Letter(
                messageId(notice.id(), notice.opened(), cluster, mail.from()),
                notice.answers().isEmpty() ? "" : messageId(notice.answers(), notice.opened(), cluster, mail.from()),
                "Understudy " + cluster + " <alerts." + label(cluster) + "." + domain(mail.from()) + ">",
                mail.from(),
                "Understudy " + cluster,
                notice.to(),
                subject.length() <= MOST_SUBJECT ? subject : subject.substring(0, MOST_SUBJECT - 1) + "…",
                templates.render(folder, "plain", values).stripTrailing() + "\n",
                templates.render(folder, "html", values),
                notice.at());
    }

    /// What the webhook gets: the facts, and the subject and text of the mail.
    Map<String, Object> message(Notice notice, String cluster, @Nullable String url) {
        Map<String, Object> values = values(notice, cluster, url);
        Map<String, Object> message = new LinkedHashMap<>();
        for (String key : List.of(
                "id", "incident", "kind", "severity", "cluster", "title", "link", "happened", "done", "risk", "next")) {
            message.put(key, Objects.requireNonNull(values.get(key)));
        }
        message.put("groups", notice.groups());
        message.put("answers", notice.answers());
        message.put("at", notice.at());
        message.put("controller", controller);
        message.put("topology", notice.topology());
        message.put("subject", templates.render(null, "subject", values).strip());
        message.put("text", templates.render(null, "plain", values).strip());
        return message;
    }

    static String messageId(String notice, Instant opened, String cluster, String from) {
        return "<" + notice + "." + opened.getEpochSecond() + "." + label(cluster) + ".understudy@" + domain(from)
                + ">";
    }

    private static String domain(String address) {
        return address.substring(address.lastIndexOf('@') + 1);
    }

    private static String label(String cluster) {
        return cluster.replaceAll("[^A-Za-z0-9-]", "-");
    }

    static String tag(Notice.Kind kind) {
        return switch (kind) {
            case FIRING, REMINDER -> "FIRING";
            case FAILOVER -> "FAILOVER";
            case ACKNOWLEDGED -> "ACKNOWLEDGED";
            case RESOLVED -> "RESOLVED";
            case DIGEST -> "DIGEST";
            case TEST -> "TEST";
        };
    }

    Map<String, Object> values(Notice notice, String cluster, @Nullable String url) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("id", notice.id());
        values.put("incident", notice.incident());
        values.put("kind", notice.kind().name().toLowerCase(Locale.ROOT));
        values.put("tag", tag(notice.kind()));
        values.put("colour", colour(notice));
        values.put("reminder", notice.kind() == Notice.Kind.REMINDER);
        values.put("severity", notice.severity().name().toLowerCase(Locale.ROOT));
        values.put("cluster", cluster);
        values.put("title", notice.title());
        values.put("time", TIME.format(notice.at()));
        values.put("groups", String.join(", ", notice.groups()));
        values.put("happened", notice.happened());
        values.put("done", notice.done());
        values.put("risk", notice.risk());
        values.put("next", notice.next());
        values.put("hasHappened", !notice.happened().isEmpty());
        values.put("hasDone", !notice.done().isEmpty());
        values.put("hasRisk", !notice.risk().isEmpty());
        values.put("topology", topology(notice));
        values.put("controller", controller);
        String base = url == null ? "" : url.replaceAll("/+$", "");
        values.put("url", base);
        values.put("hasUrl", !base.isEmpty());
        values.put(
                "link",
                base.isEmpty() || notice.incident().isEmpty() ? base : base + "/incidents/" + notice.incident());
        values.put("acknowledgeable", acknowledgeable(notice));
        return values;
    }

    private static String colour(Notice notice) {
        return switch (notice.kind()) {
            case FIRING, FAILOVER, REMINDER -> notice.severity() == Severity.CRITICAL ? "#b91c1c" : "#b45309";
            case RESOLVED -> "#15803d";
            case ACKNOWLEDGED, DIGEST, TEST -> "#374151";
        };
    }

    private static boolean acknowledgeable(Notice notice) {
        return switch (notice.kind()) {
            case FIRING, FAILOVER, REMINDER -> true;
            case ACKNOWLEDGED, RESOLVED, DIGEST, TEST -> false;
        };
    }

    private static List<Map<String, Object>> topology(Notice notice) {
        Map<String, List<Map<String, Object>>> groups = new LinkedHashMap<>();
        int longest = notice.topology().stream()
                .mapToInt(s -> s.host().length())
                .max()
                .orElse(0);
        for (Spot spot : notice.topology()) {
            Map<String, Object> member = new LinkedHashMap<>();
            member.put("host", spot.host());
            member.put("padded", spot.host() + " ".repeat(longest - spot.host().length()));
            member.put("role", spot.role());
            member.put("hasRole", !spot.role().isEmpty());
            member.put("health", spot.health());
            member.put(spot.health().equals("up") ? "well" : "ill", true);
            member.put(spot.health().equals("up") ? "ill" : "well", false);
            groups.computeIfAbsent(spot.group(), _ -> new ArrayList<>()).add(member);
        }
        List<Map<String, Object>> list = new ArrayList<>();
        groups.forEach((group, members) -> {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("group", group);
            one.put("members", members);
            one.put("concerned", notice.groups().contains(group));
            list.add(one);
        });
        return list;
    }
}
