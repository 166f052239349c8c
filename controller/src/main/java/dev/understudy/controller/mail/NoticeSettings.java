package dev.understudy.controller.mail;

import dev.understudy.core.notice.Pace;
import dev.understudy.core.notice.Severity;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What `cluster.yml` says of telling people. Read from the text that is in force; the agents do not get it.
///
/// @param mail null: no mails
/// @param webhook null: none
/// @param heartbeatUrl requested while all is well, null for none
public record NoticeSettings(
        @Nullable Mail mail,
        @Nullable Webhook webhook,
        @Nullable String heartbeatUrl,
        Duration heartbeatEvery,
        Pace pace,
        Schedule schedule) {

    public static final Duration HEARTBEAT_EVERY = Duration.ofMinutes(1);

    public static final NoticeSettings NONE =
            new NoticeSettings(null, null, null, HEARTBEAT_EVERY, Pace.DEFAULT, Schedule.DEFAULT);

    /// Whether anybody is told anything.
    public boolean tells() {
        return mail != null || webhook != null;
    }

    /// @param url of the controller as people reach it, for links; null for none
    /// @param templates a folder, null for none
    /// @param severity what is less severe is not mailed to `to`
    public record Mail(
            Smtp smtp,
            String from,
            List<String> to,
            Severity severity,
            List<Route> routes,
            @Nullable String url,
            @Nullable String templates) {
        public Mail {
            to = List.copyOf(to);
            routes = List.copyOf(routes);
        }
    }

    /// The first route that fits a group of an incident gets it, instead of `to`.
    ///
    /// @param groups empty: any
    /// @param severity at least
    public record Route(List<String> groups, Severity severity, List<String> to) {
        public Route {
            groups = List.copyOf(groups);
            to = List.copyOf(to);
        }
    }

    public enum Security {
        /// begins in clear text and must be upgraded before anything else
        STARTTLS,
        /// TLS from the first byte
        TLS,
        /// clear text; then no password is sent either
        NONE
    }

    /// @param passwordFile read at each connection
    /// @param caFile certificates (PEM) that are trusted instead of the system's
    /// @param timeout for connecting, for each answer and for each write
    public record Smtp(
            String host,
            int port,
            Security security,
            @Nullable String user,
            @Nullable String passwordFile,
            @Nullable String caFile,
            Duration timeout) {}

    /// @param tokenFile sent as `Authorization: Bearer …`
    public record Webhook(
            String url,
            @Nullable String tokenFile,
            @Nullable String caFile) {}

    /// Cron expressions of Quartz: seconds, minutes, hours, day of month, month, day of week.
    ///
    /// @param digest null: no digest
    /// @param reminders when a reminder that is due may be sent
    public record Schedule(
            ZoneId zone, @Nullable String digest, String reminders, String checks, String retention, Duration keep) {
        public static final Schedule DEFAULT =
                new Schedule(ZoneId.of("UTC"), null, "0 * * * * ?", "0 7 * * * ?", "0 33 3 * * ?", Duration.ofDays(90));
    }
}
