package dev.understudy.controller.mail;

import dev.understudy.controller.mail.NoticeSettings.Mail;
import dev.understudy.controller.mail.NoticeSettings.Security;
import dev.understudy.core.notice.Notice;
import dev.understudy.core.notice.Notice.Channel;
import dev.understudy.core.notice.Notice.Kind;
import dev.understudy.core.notice.Notice.Spot;
import dev.understudy.core.notice.Severity;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A notice and settings to try things with.
final class Samples {

    static final Instant OPENED = Instant.parse("2026-11-30T03:12:45Z");

    private Samples() {}

    static Notice failover() {
        return new Notice(
                "I57.1",
                "I57",
                "",
                Kind.FAILOVER,
                Severity.CRITICAL,
                OPENED,
                OPENED,
                "shopdb/primary moved from db1 to db2",
                List.of("shopdb"),
                List.of("ops@example.com", "dba@example.com"),
                List.of("03:12:44 db1 lost shopdb/primary: the database on db1 <is> dead"),
                List.of("shopdb/primary was moved from db1 to db2 in 0.47 s", "+0.000 s DB-20 FENCING: fence it"),
                List.of("still: db1 does not follow db2"),
                List.of("understudy explain E48", "understudy ack I57"),
                List.of(
                        new Spot("edge", "lb1", "192.0.2.10", "up"),
                        new Spot("shopdb", "db1", "", "down"),
                        new Spot("shopdb", "db2", "primary", "up")),
                List.of(Channel.MAIL, Channel.WEBHOOK));
    }

    static Notice resolved() {
        Notice first = failover();
        return new Notice(
                "I57.2",
                "I57",
                "I57.1",
                Kind.RESOLVED,
                first.severity(),
                OPENED,
                OPENED.plusSeconds(300),
                first.title(),
                first.groups(),
                first.to(),
                List.of("it is over: it lasted 300 s"),
                List.of(),
                List.of(),
                List.of("understudy status"),
                first.topology(),
                first.pending());
    }

    static NoticeSettings.Smtp smtp(int port, Security security, @Nullable String password, @Nullable String ca) {
        return new NoticeSettings.Smtp(
                "localhost", port, security, password == null ? null : "alerts", password, ca, Duration.ofSeconds(5));
    }

    static Mail mail(NoticeSettings.Smtp smtp, @Nullable String templates) {
        return new Mail(
                smtp,
                "understudy@example.com",
                List.of("ops@example.com"),
                Severity.WARNING,
                List.of(),
                "https://ctl1.example.com:7440/",
                templates);
    }
}
