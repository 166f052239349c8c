package dev.understudy.controller.config;

import java.time.Duration;
import java.util.List;

/// The keys of `cluster.yml` that this version reads for their shape and does not act upon. Kept in one place:
/// whoever gives one of them a meaning takes it away from here.
final class LaterKeys {

    static final List<String> TOP = List.of("mail");
    static final List<String> BALANCER = List.of();
    static final List<String> WEB = List.of("restart");
    static final List<String> DATABASE = List.of("backup");

    private LaterKeys() {}

    static void check(Section section) {
        if (section.has("restart")) {
            section.number("restart", 0, 0, 10);
        }
        section.sectionIfPresent("backup").ifPresent(backup -> {
            backup.allow(List.of("glob", "max_age"));
            backup.required("glob", "the files to look for, such as /backup/*.xb");
            backup.duration("max_age", Duration.ZERO);
        });
        section.sectionIfPresent("mail").ifPresent(LaterKeys::checkMail);
    }

    private static void checkMail(Section mail) {
        mail.allow(List.of("smtp", "from", "to"));
        Section smtp = mail.section("smtp", "the mail server: {host: …, port: …}")
                .allow(List.of("host", "port", "user", "password_file"));
        smtp.required("host", "the mail server's name");
        smtp.number("port", 587, 1, 65535);
        smtp.scalar("user", "a user name");
        smtp.scalar("password_file", "the path of a file");
        mail.required("from", "a mail address");
        mail.texts("to", "a list of mail addresses");
    }
}
