package dev.understudy.lab.story;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.Checkout;
import dev.understudy.lab.site.LabHost;
import dev.understudy.lab.site.LabService;
import dev.understudy.lab.site.Topology;
import dev.understudy.lab.story.MailServer.Mail;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What people are told, by a real mail server with STARTTLS and a password.
class MailStory extends Story {

    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final Duration A_MINUTE = Duration.ofMinutes(1);

    /// What would come twice, or late, has come by then: longer than `settle` and `update`.
    private static final Duration QUIET = Duration.ofSeconds(12);

    private static final String MAIL = MailServer.SECTION
            + "  routes: [{groups: [shopdb], to: [ops@shop.example, dba@shop.example]}]\n"
            + "  url: http://10.77.2.5:7440\n";

    @SuppressWarnings("NullAway.Init")
    private MailServer server;

    private @Nullable Amended amended;

    @BeforeEach
    void aMailServer() {
        server = MailServer.on(host(Topology.WEB1.name()), controller());
        server.forget();
        server.start();
        amended = Amended.by(this, MAIL);
        eventually("people are told from now on", () -> ownEvents().contains("people are told of what happens"));
    }

    @AfterEach
    void noMailServer() {
        if (amended != null) {
            keepMails();
            amended.close();
        }
        server.stop();
    }

    private LabHost controller() {
        return host(Topology.CTL1.name());
    }

    @Test
    @Fault("mariadbd of the primary killed, started again later; people are mailed")
    void aFailoverIsOneThreadOfMails() {
        assertThat(understudy("mail", "test")).contains("sent: 250");
        assertThat(server.mails()).singleElement().satisfies(mail -> {
            assertThat(mail.subject()).isEqualTo("[TEST] shop: a test, nothing is the matter");
            assertThat(mail.to()).contains("ops@shop.example", "dba@shop.example");
        });
        server.forget();

        LabHost primary = primary();
        act("kill mariadbd of " + primary.name(), () -> primary.kill(LabService.MARIADB));
        LabHost next = becomesHolderInsteadOf(primary, PRIMARY);
        arrived(1);
        Mail opening = server.mails().getFirst();
        assertThat(opening.subject())
                .startsWith("[FAILOVER] shop: ") // reads that were at the primary have moved too
                .contains("shopdb/primary moved from " + primary.name() + " to " + next.name());
        assertThat(Mail.header(opening.raw(), "Auto-Submitted")).isEqualTo("auto-generated");
        assertThat(Mail.header(opening.raw(), "List-Id")).isEqualTo("Understudy shop <alerts.shop.shop.example>");
        // whether its agent first says that the server died or that it gave the role up is a matter of a moment
        assertThat(opening.raw())
                .containsPattern("DB-2[02] FENCING")
                .contains("understudy ack I", "Sent by Understudy, controller");

        act("start it again", () -> primary.start(LabService.MARIADB));
        siteBecomesWell();
        arrived(2);
        Waiting.pass(QUIET);
        oneThread("[FAILOVER]", "[RESOLVED]");
        assertThat(understudy("incidents")).contains("no open incident");
    }

    @Test
    @Fault("HAProxy of the active balancer killed while the mail server is away for a minute")
    void aMailServerThatIsAwayForAMinuteLosesNothingAndGetsNothingTwice() {
        act("stop the mail server", server::stop);
        LabHost active = activeBalancer();
        act("kill HAProxy of " + active.name(), () -> active.kill(LabService.HAPROXY));
        becomesHolderInsteadOf(active, SITE);
        eventually("a mail waits", () -> waits() == 1);
        act("start HAProxy again", () -> active.start(LabService.HAPROXY));
        eventually("two mails wait", () -> waits() == 2);
        Waiting.pass(A_MINUTE);
        assertThat(waits()).isEqualTo(2);
        act("start the mail server", server::start);
        arrived(2);
        Waiting.pass(QUIET);
        oneThread("[FAILOVER]", "[RESOLVED]");
        assertThat(waits()).isZero();
    }

    @Test
    @Fault("HAProxy of the active balancer killed, then the controller, twice, in the middle of the incident")
    void aControllerThatIsKilledInMidIncidentGoesOnWithTheThread() {
        LabHost active = activeBalancer();
        act("kill HAProxy of " + active.name(), () -> active.kill(LabService.HAPROXY));
        becomesHolderInsteadOf(active, SITE);
        act("kill the controller before it has told anybody", this::killController);
        arrived(1);
        act("kill the controller after it has told", this::killController);
        act("start HAProxy again", () -> active.start(LabService.HAPROXY));
        siteBecomesWell();
        arrived(2);
        Waiting.pass(QUIET);
        oneThread("[FAILOVER]", "[RESOLVED]");
    }

    private void killController() {
        controller().kill(LabService.CONTROLLER);
        controller().start(LabService.CONTROLLER);
        Waiting.until("the controller answers", LIMIT, () -> api().state().isPresent());
    }

    private void arrived(int count) {
        Waiting.until(count + " mails arrive", LIMIT, () -> server.mails().size() >= count);
        tell(count + " mails are there: " + server.mails().getLast().subject());
    }

    private long waits() {
        return api().text("api/v1/incidents").orElse("").split("\"pending\"", -1).length - 1L;
    }

    /// Exactly these, with one title, each answering the first, none twice.
    private void oneThread(String... tags) {
        List<Mail> mails = server.mails();
        mails.forEach(mail -> tell(mail.subject() + " " + mail.id()));
        assertThat(mails.stream().map(m -> m.subject().replaceFirst(" .*", ""))).containsExactly(tags);
        assertThat(mails.stream()
                        .map(m -> m.subject().replaceFirst("^\\S+ ", ""))
                        .distinct())
                .hasSize(1);
        assertThat(mails.stream().map(Mail::id).distinct()).hasSameSizeAs(mails);
        Mail first = mails.getFirst();
        assertThat(first.answers()).isEmpty();
        assertThat(mails.subList(1, mails.size())).allSatisfy(mail -> {
            assertThat(mail.answers()).isEqualTo(first.id());
            assertThat(Mail.header(mail.raw(), "References")).isEqualTo(first.id());
        });
    }

    private String understudy(String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(Checkout.find().cli(), "--controller", "http://127.0.0.1:" + Topology.CONTROLLER_PORT));
        command.addAll(List.of(arguments));
        String said = controller().run(command.toArray(String[]::new)).output();
        tell("understudy " + String.join(" ", arguments) + ": " + said.strip());
        return said;
    }

    /// For docs, and for who looks at a failure.
    private void keepMails() {
        Path folder = Checkout.find().root().resolve("lab/target/mails");
        try {
            Files.createDirectories(folder);
            for (Mail mail : server.mails()) {
                String name = mail.subject().replaceAll("[^A-Za-z0-9]+", "-").replaceAll("^-|-$", "");
                Files.writeString(folder.resolve(name + ".eml"), mail.raw());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
