package dev.understudy.controller.mail;

import static org.assertj.core.api.Assertions.assertThat;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import dev.understudy.controller.mail.Delivery.Result;
import dev.understudy.controller.mail.NoticeSettings.Security;
import jakarta.mail.MessagingException;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Counted by a server in this process; a real one is asked in the lab (`MailStory`).
class SmtpTest {

    @TempDir
    Path folder;

    private final Writer writer = new Writer(new Templates(), "ctl1");

    @SuppressWarnings("NullAway.Init")
    private GreenMail server;

    @BeforeEach
    void start() {
        server = new GreenMail(new ServerSetup[] {
            new ServerSetup(0, "localhost", ServerSetup.PROTOCOL_SMTP).dynamicPort(),
            new ServerSetup(0, "localhost", ServerSetup.PROTOCOL_SMTPS).dynamicPort()
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop();
    }

    private Delivery send(NoticeSettings.Smtp smtp, Letter letter) {
        return Smtp.send(smtp, letter);
    }

    private Letter opening() {
        return writer.letter(Samples.failover(), "shop", Samples.mail(plain(), null));
    }

    private NoticeSettings.Smtp plain() {
        return Samples.smtp(server.getSmtp().getPort(), Security.NONE, null, null);
    }

    @Test
    void aThreadHasTheHeadersThatMailProgramsGoBy() throws Exception {
        Letter end = writer.letter(Samples.resolved(), "shop", Samples.mail(plain(), null));
        assertThat(send(plain(), opening()).text()).isEqualTo("250 OK");
        assertThat(send(plain(), end)).extracting(Delivery::result).isEqualTo(Result.DONE);

        // one copy for each of the two recipients
        MimeMessage[] all = server.getReceivedMessages();
        assertThat(all).hasSize(4);
        MimeMessage first = one(all, "[FAILOVER]");
        MimeMessage last = one(all, "[RESOLVED]");
        assertThat(first.getSubject()).isEqualTo("[FAILOVER] shop: shopdb/primary moved from db1 to db2");
        assertThat(first.getMessageID()).isEqualTo("<I57.1.1796008365.shop.understudy@example.com>");
        assertThat(first.getHeader("In-Reply-To")).isNull();
        assertThat(last.getSubject()).isEqualTo("[RESOLVED] shop: shopdb/primary moved from db1 to db2");
        assertThat(last.getHeader("In-Reply-To")).containsExactly(first.getMessageID());
        assertThat(last.getHeader("References")).containsExactly(first.getMessageID());
        assertThat(first.getHeader("Auto-Submitted")).containsExactly("auto-generated");
        assertThat(first.getHeader("List-Id")).containsExactly("Understudy shop <alerts.shop.example.com>");
        assertThat(first.getFrom()[0].toString()).isEqualTo("Understudy shop <understudy@example.com>");
        assertThat(first.getSentDate().toInstant()).isEqualTo(Samples.OPENED);
        MimeMultipart parts = (MimeMultipart) first.getContent();
        assertThat(parts.getContentType()).startsWith("multipart/alternative");
        assertThat(parts.getBodyPart(0).getContentType()).startsWith("text/plain");
        assertThat(parts.getBodyPart(0).getContent().toString())
                .contains(
                        "  understudy ack I57", "https://ctl1.example.com:7440/incidents/I57", "db2  up, holds primary")
                .contains("controller ctl1 of cluster shop");
        assertThat(parts.getBodyPart(1).getContentType()).startsWith("text/html");
        assertThat(parts.getBodyPart(1).getContent().toString())
                .contains("db1 &lt;is&gt; dead")
                .doesNotContain("<is>");
    }

    private static MimeMessage one(MimeMessage[] all, String tag) throws MessagingException {
        for (MimeMessage message : all) {
            if (message.getSubject().startsWith(tag)) {
                return message;
            }
        }
        throw new AssertionError("no " + tag);
    }

    @Test
    void aCertificateThatNobodyVouchesForIsNotTalkedTo() {
        int port = server.getSmtps().getPort();
        Delivery delivery = send(Samples.smtp(port, Security.TLS, null, null), opening());
        assertThat(delivery.result()).isEqualTo(Result.LATER);
        assertThat(delivery.text()).contains("certification path");
        assertThat(server.getReceivedMessages()).isEmpty();
    }

    /// A server, or somebody in between, that does not offer STARTTLS gets neither the mail nor the password.
    @Test
    void withoutStarttlsNothingIsSent() throws IOException {
        Path password = Files.writeString(folder.resolve("password"), "secret\n");
        Delivery delivery =
                send(Samples.smtp(server.getSmtp().getPort(), Security.STARTTLS, password.toString(), null), opening());
        assertThat(delivery.result()).isEqualTo(Result.LATER);
        assertThat(delivery.text()).contains("STARTTLS is required");
        assertThat(server.getReceivedMessages()).isEmpty();
    }

    @Test
    void aServerThatIsNotThereIsTriedLater() {
        NoticeSettings.Smtp smtp = plain();
        Letter letter = opening();
        server.stop();
        assertThat(send(smtp, letter).result()).isEqualTo(Result.LATER);
    }

    /// It takes the connection and says nothing: the time-out is there.
    @Test
    void aServerThatHangsIsGivenUpOn() throws IOException {
        try (ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            NoticeSettings.Smtp smtp = new NoticeSettings.Smtp(
                    "localhost", mute.getLocalPort(), Security.NONE, null, null, null, Duration.ofMillis(300));
            assertThat(send(smtp, opening()).result()).isEqualTo(Result.LATER);
        }
    }

    @Test
    void aMissingPasswordFileIsSaid() {
        Delivery delivery =
                send(Samples.smtp(server.getSmtp().getPort(), Security.STARTTLS, "/no/such/file", null), opening());
        assertThat(delivery).isEqualTo(Delivery.later("/no/such/file"));
    }
}
