package dev.understudy.controller.mail;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.controller.mail.NoticeSettings.Security;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Kind;
import dev.understudy.core.notice.Notice.Spot;
import dev.understudy.core.notice.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/// One mail of each kind: that it says what it must, and, with `-Dpictures.write=true`, the pictures and the plain text
/// in docs/mail.
class MailPicturesTest {

    private static final Path DOCS = Path.of("../docs/mail");
    private static final Mail MAIL = Samples.mail(Samples.smtp(587, Security.STARTTLS, null, null), null);

    @TempDir
    Path folder;

    private static List<Spot> topology(boolean after) {
        return List.of(
                new Spot("edge", "lb1", "192.0.2.10", "up"),
                new Spot("edge", "lb2", "", "up"),
                new Spot("app", "web1", "", "up"),
                new Spot("app", "web2", "", "up"),
                new Spot("shopdb", "db1", "", after ? "up" : "silent"),
                new Spot("shopdb", "db2", "primary", "up"),
                new Spot("shopdb", "db3", "10.0.0.201", "up"));
    }

    private static Notice notice(
            Kind kind,
            Severity severity,
            int number,
            String title,
            List<String> happened,
            List<String> done,
            List<String> risk,
            List<String> next) {
        Instant opened = Instant.parse("2026-11-30T03:12:57Z");
        boolean thread = kind != Kind.DIGEST && kind != Kind.TEST;
        String id = thread ? "I57." + number : kind == Kind.DIGEST ? "D1796022000" : "T61";
        return new Notice(
                id,
                thread ? "I57" : "",
                number > 1 ? "I57.1" : "",
                kind,
                severity,
                opened,
                opened.plus(Duration.ofMinutes(number * 4L - 4)),
                title,
                List.of("shopdb"),
                List.of("ops@example.com"),
                happened,
                done,
                risk,
                next,
                topology(number > 2),
                List.of(Notice.Channel.MAIL));
    }

    private static List<Notice> all() {
        String moved = "shopdb/primary moved from db1 to db2";
        List<String> opening = List.of(
                "03:12:47 db1 lost shopdb/primary: nobody reaches db1 and its lease is over: fence it",
                "03:12:52 db1 is not heard: nobody reaches it (asked by db2, db3, web1)");
        List<String> steps = List.of(
                "shopdb/primary was moved from db1 to db2 in 0.47 s, from the decision to its end",
                "+0.000 s DB-26 FENCING: nobody reaches db1 and its lease is over: fence it",
                "+0.021 s DB-51 CUTTING: the old primary cannot act any more: cut it off at every acker",
                "+0.134 s DB-56 CATCHING_UP: db2 has everything: it applies what it has received",
                "+0.201 s DB-60 STAGING: it stops being a replica",
                "+0.322 s DB-66 ATTACHING: a follower first",
                "+0.471 s DB-76 HELD: db2 is the primary");
        List<String> risk = List.of(
                "still: db1 is not heard: nobody reaches it (asked by db2, db3, web1)",
                "if db2 failed now as holder of shopdb/primary, db3 would take over",
                "if db3 failed now as holder of shopdb/10.0.0.201, db2 would take over");
        List<String> next = List.of("understudy explain E48", "understudy status", "understudy ack I57");
        return List.of(
                notice(Kind.FAILOVER, Severity.CRITICAL, 1, moved, opening, steps, risk, next),
                notice(
                        Kind.FIRING,
                        Severity.WARNING,
                        1,
                        "db3 does not follow db2 (error 1062: Duplicate entry '7' for key 'PRIMARY')",
                        List.of("03:12:57 db3 does not follow db2 (error 1062: Duplicate entry '7' for key 'PRIMARY')"),
                        List.of("nothing: what Understudy moves is where it should be"),
                        List.of(
                                "if db2 failed now as holder of shopdb/primary, nobody could take over (db1: it does not"
                                        + " answer; db3: it is not promotable)"),
                        List.of("understudy status", "understudy ack I57")),
                notice(
                        Kind.REMINDER,
                        Severity.CRITICAL,
                        2,
                        moved,
                        List.of("it still lasts: from 03:12:57 UTC, 61 min, and nobody has acknowledged it"),
                        List.of("nothing new"),
                        risk,
                        next),
                notice(
                        Kind.ACKNOWLEDGED,
                        Severity.CRITICAL,
                        2,
                        moved,
                        List.of("acknowledged by ada (10.0.0.9): power supply of db1, on my way"),
                        List.of("no reminders of it are sent any more"),
                        risk,
                        List.of("understudy status")),
                notice(
                        Kind.RESOLVED,
                        Severity.CRITICAL,
                        3,
                        moved,
                        List.of(
                                "it is over: it lasted from 03:12:57 UTC, 8 min",
                                opening.get(0),
                                opening.get(1),
                                "over: db1 is not heard: nobody reaches it (asked by db2, db3, web1)"),
                        List.of(),
                        List.of("if db2 failed now as holder of shopdb/primary, db1 or db3 would take over"),
                        List.of("understudy status")),
                notice(
                        Kind.DIGEST,
                        Severity.INFO,
                        1,
                        "since 2026-11-29T07:00:00Z",
                        List.of("I57 " + moved + " (over after 8 min)"),
                        List.of("03:12:47 E53 shopdb/primary HELD, holder db2"),
                        List.of("if lb1 failed now as holder of edge/192.0.2.10, lb2 would take over"),
                        List.of("understudy status", "understudy events")),
                notice(
                        Kind.TEST,
                        Severity.INFO,
                        1,
                        "a test, nothing is the matter",
                        List.of("ada (10.0.0.9) asked for this mail"),
                        List.of("nothing"),
                        List.of(),
                        List.of("understudy status")));
    }

    private static Letter letter(Notice notice) {
        return new Writer(new Templates(), "ctl1").letter(notice, "shop", MAIL);
    }

    @Test
    void eachSaysWhatItIsAboutInBothForms() {
        for (Notice notice : all()) {
            Letter letter = letter(notice);
            assertThat(letter.subject()).startsWith("[" + Writer.tag(notice.kind()) + "] shop: " + notice.title());
            for (String line : notice.happened()) {
                assertThat(letter.plain()).contains("  - " + line);
                assertThat(letter.html().replace("&#39;", "'")).contains("<li>" + line + "</li>");
            }
            notice.next().forEach(command -> assertThat(letter.plain()).contains("\n  " + command + "\n"));
            assertThat(letter.plain()).contains("db2   up, holds primary", "controller ctl1 of cluster shop");
            assertThat(letter.plain().lines()).noneMatch(line -> line.contains("{{"));
        }
    }

    @Test
    @EnabledIfSystemProperty(named = "pictures.write", matches = "true")
    void drawThem() throws IOException, InterruptedException {
        for (Notice notice : all()) {
            String name = notice.kind().name().toLowerCase(Locale.ROOT);
            Letter letter = letter(notice);
            Path page = Files.writeString(folder.resolve(name + ".html"), letter.html());
            Path picture = DOCS.resolve(name + ".png").toAbsolutePath().normalize();
            List<String> command = new ArrayList<>(List.of(
                    "/usr/bin/chromium",
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--user-data-dir=" + folder.resolve("profile-" + name),
                    "--hide-scrollbars",
                    "--window-size=720," + height(notice),
                    "--screenshot=" + picture,
                    page.toUri().toString()));
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve(name + ".log").toFile())
                    .start();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(picture).isNotEmptyFile();
            if (notice.kind() == Kind.FAILOVER) {
                Files.writeString(
                        DOCS.resolve("failover.txt"), "Subject: " + letter.subject() + "\n\n" + letter.plain());
            }
        }
    }

    private static int height(Notice notice) {
        int lines = notice.happened().size()
                + notice.done().size()
                + notice.risk().size()
                + notice.next().size();
        int titleLines = 1 + notice.title().length() / 55;
        return 620 + 34 * (lines + titleLines - 1);
    }
}
