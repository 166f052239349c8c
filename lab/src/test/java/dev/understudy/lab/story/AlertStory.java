package dev.understudy.lab.story;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.Cut;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.Monitoring;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.story.MailServer.Mail;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What people are told on both ways: by the controller's own mails, and by Prometheus' alerts, which a real
/// Alertmanager mails. Both use a real mail server with STARTTLS and a password.
class AlertStory extends Story {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    private static final Duration SCRAPED = Duration.ofSeconds(2);

    /// What would come twice, or late, has come by then: longer than `settle`, `update` and `group_interval`.
    private static final Duration QUIET = Duration.ofSeconds(15);

    private static final String FROM_CONTROLLER = "understudy@shop.example";
    private static final String FROM_ALERTMANAGER = "understudy@example.com";

    private static final String MAIL = MailServer.SECTION + "schedule: {checks: \"* * * * * ?\"}\n";

    @SuppressWarnings("NullAway.Init")
    private MailServer server;

    private @Nullable Amended amended;
    private @Nullable Monitoring started;

    @BeforeEach
    void everythingThatTells() {
        server = MailServer.on(host(Topology.WEB1.name()), host(Topology.CTL1.name()));
        server.forget();
        server.start();
        Amended.backupIs(this, "3 hours ago");
        amended = Amended.by(this, Amended.BACKUP + MAIL);
        eventually("people are told from now on", () -> ownEvents().contains("people are told of what happens"));
        Monitoring monitoring = Monitoring.start(
                lab(), Checkout.find(), SCRAPED, new Monitoring.Changes(AlertStory::shorter, this::mailing));
        started = monitoring;
        eventually("Prometheus has found everything by itself", () -> allAnswer(monitoring));
        Waiting.until(
                "the newest backup is known",
                LIMIT,
                () -> !monitoring
                        .query("understudy_backup_last_success_timestamp_seconds > 0")
                        .isEmpty());
    }

    @AfterEach
    void nothingThatTells() {
        if (started != null) {
            started.close();
        }
        if (amended != null) {
            amended.close();
        }
        server.stop();
    }

    /// What looks back over ten minutes would go on for as long: here over one.
    private static String shorter(String rules) {
        return rules.replace("[10m]", "[1m]");
    }

    /// The mail server of the lab, whose certificate only the lab trusts.
    private String mailing(String alertmanager) {
        Path folder = lab().run().path();
        Path copied = folder.resolve("alertmanager-ca.pem");
        Path password = folder.resolve("alertmanager-password");
        try {
            Files.writeString(password, MailServer.PASSWORD); // a newline would be a part of it
            Files.writeString(
                    copied, Files.readString(host(Topology.CTL1.name()).path("/etc/understudy/mail-ca.pem")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return alertmanager
                .replace("mail.example.com:587", Topology.WEB1.address() + ":" + MailServer.PORT)
                .replace("/etc/understudy/smtp-password", password.toString())
                .replaceAll(
                        "( +)- to: (\\S+)\n",
                        "$1- to: $2\n$1  tls_config: {ca_file: '" + copied + "', server_name: " + MailServer.NAME
                                + "}\n")
                .replace("group_interval: 2m", "group_interval: 5s");
    }

    @Test
    @Fault("all cables of the primary cut for more than a minute; people are mailed and alerted")
    void aFailoverIsOneThreadOfMailsAndItsAlertsComeAndGo() {
        Monitoring monitoring = monitoring();
        Set<String> before = names(monitoring.firingLabels());
        Set<String> fired = new TreeSet<>();
        LabHost old = primary();
        Cut cut = Cut.of(old.name());
        act("cut " + cut, () -> lab().cut(cut));
        LabHost next = becomesHolderInsteadOf(old, PRIMARY);
        clientsAreServed();
        arrives("[FAILOVER]", FROM_CONTROLLER);
        Waiting.until("both alerts are mailed", LIMIT, () -> {
            fired.addAll(critical(monitoring));
            return mailed("[FIRING:1] AgentDown shop") == 1 && mailed("FailoverHappened shop") >= 1;
        });
        tell("alerts that fire: " + monitoring.firing());

        act("heal it", () -> lab().healAll());
        siteBecomesWell();
        Waiting.until("what was mailed is over, by mail", LIMIT, () -> {
            fired.addAll(critical(monitoring));
            return mailed("[RESOLVED] AgentDown shop") == 1 && mailed("[RESOLVED] FailoverHappened shop") >= 1;
        });
        arrives("[RESOLVED]", FROM_CONTROLLER);
        Waiting.pass(QUIET);

        fired.removeAll(before);
        assertThat(fired).as("critical alerts").containsExactly("AgentDown");
        assertThat(mailed("[FIRING:1] AgentDown shop")).isEqualTo(1);
        assertThat(monitoring.firing()).contains("Watchdog").doesNotContain("AgentDown", "FailoverHappened");
        List<Mail> thread = mails(FROM_CONTROLLER);
        assertThat(thread)
                .extracting(Mail::subject)
                .allMatch(s -> s.endsWith("shop: shopdb/primary moved from " + old.name() + " to " + next.name()));
        assertThat(thread.getFirst().subject()).startsWith("[FAILOVER] ");
        assertThat(thread.getLast().subject()).startsWith("[RESOLVED] ");
        assertThat(thread.stream().filter(m -> m.answers().isEmpty()))
                .as("threads")
                .hasSize(1);
        assertThat(thread.subList(1, thread.size()))
                .extracting(Mail::answers)
                .containsOnly(thread.getFirst().id());
        assertThat(thread).extracting(Mail::id).doesNotHaveDuplicates();
    }

    @Test
    @Fault("no new backup for three days, then one")
    void anOldBackupIsToldOnBothWaysUntilThereIsANewOne() {
        Monitoring monitoring = monitoring();
        assertThat(monitoring.firing()).doesNotContain("BackupTooOld");
        act("the newest backup is three days old", () -> Amended.backupIs(this, "3 days ago"));
        arrives("[FIRING]", FROM_CONTROLLER);
        Waiting.until("the alert is mailed", LIMIT, () -> mailed("[FIRING:1] BackupTooOld shop") == 1);
        act("there is a new one", () -> Amended.backupIs(this, "1 minute ago"));
        arrives("[RESOLVED]", FROM_CONTROLLER);
        Waiting.until("the alert is over, by mail", LIMIT, () -> mailed("[RESOLVED] BackupTooOld shop") == 1);

        assertThat(mails(FROM_CONTROLLER))
                .extracting(Mail::subject)
                .hasSize(2)
                .allMatch(s -> s.contains("shop: the newest backup of shopdb is of "));
        assertThat(monitoring.firing()).doesNotContain("BackupTooOld");
    }

    private Monitoring monitoring() {
        return requireNonNull(started);
    }

    private static boolean allAnswer(Monitoring monitoring) {
        List<JsonNode> targets = monitoring.targets();
        return targets.size() == 10
                && targets.stream().allMatch(t -> t.path("health").asString("").equals("up"));
    }

    private static Set<String> critical(Monitoring monitoring) {
        return names(monitoring.firingLabels().stream()
                .filter(labels -> labels.path("severity").asString("").equals("critical"))
                .toList());
    }

    private static Set<String> names(List<JsonNode> alerts) {
        return new HashSet<>(alerts.stream()
                .map(labels -> labels.path("alertname").asString(""))
                .collect(Collectors.toSet()));
    }

    private List<Mail> mails(String from) {
        return server.mails().stream()
                .filter(mail -> Mail.header(mail.raw(), "From").contains(from))
                .toList();
    }

    private void arrives(String tag, String from) {
        Waiting.until(
                tag + " arrives",
                LIMIT,
                () -> mails(from).stream().anyMatch(mail -> mail.subject().startsWith(tag)));
        mails(from).forEach(mail -> tell(from + ": " + mail.subject()));
    }

    /// How many mails of Alertmanager's have a subject with this in it.
    private long mailed(String subject) {
        return mails(FROM_ALERTMANAGER).stream()
                .filter(mail -> mail.subject().contains(subject))
                .count();
    }
}
