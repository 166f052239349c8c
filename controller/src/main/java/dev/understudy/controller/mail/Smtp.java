package dev.understudy.controller.mail;

import dev.understudy.controller.mail.NoticeSettings.Security;
import jakarta.mail.Address;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeBodyPart;
import jakarta.mail.internet.MimeMessage;
import jakarta.mail.internet.MimeMultipart;
import java.io.IOException;
import java.io.UnsupportedEncodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Properties;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.smtp.SMTPTransport;
import org.jspecify.annotations.Nullable;

/// Hands a mail to the SMTP server. Blocks, for a limited time: each step has a time-out. Nothing is sent in clear
/// text unless the file says `tls: none`, and then no password; the server's certificate and name are checked.
final class Smtp {

    /// Permanent refusals of a message are these (RFC 5321, 4.2.1): 5xx.
    private static final int PERMANENT = 500;

    private Smtp() {}

    /// What the server says about this mail, after the end of its data.
    static Delivery send(NoticeSettings.Smtp settings, Letter letter) {
        Session session;
        MimeMessage message;
        @Nullable String password;
        try {
            session = Session.getInstance(properties(settings));
            message = message(session, letter);
            password = password(settings);
        } catch (IOException | MessagingException e) {
            return Delivery.later(oneLine(e));
        }
        try (SMTPTransport transport = (SMTPTransport) session.getTransport("smtp")) {
            transport.connect(settings.host(), settings.port(), settings.user(), password);
            try {
                transport.sendMessage(message, message.getAllRecipients());
                return Delivery.done(oneLine(transport.getLastServerResponse()));
            } catch (SMTPSendFailedException e) {
                return judged(e, e.getReturnCode());
            } catch (SendFailedException e) {
                return addressed(e);
            }
        } catch (AuthenticationFailedException e) {
            return Delivery.later("the server does not accept user " + settings.user() + ": " + oneLine(e));
        } catch (MessagingException e) {
            return Delivery.later(oneLine(e));
        }
    }

    /// Some recipients were refused: the others have it, if there are others.
    private static Delivery addressed(SendFailedException failure) {
        Address[] sent = failure.getValidSentAddresses();
        List<String> reasons = new ArrayList<>();
        boolean permanent = true;
        for (Exception next = failure.getNextException(); next instanceof MessagingException each; ) {
            if (each instanceof SMTPAddressFailedException address) {
                reasons.add(address.getAddress() + ": " + oneLine(address));
                permanent &= address.getReturnCode() >= PERMANENT;
            }
            next = each.getNextException();
        }
        String text = reasons.isEmpty() ? oneLine(failure) : String.join("; ", reasons);
        if (sent != null && sent.length > 0) {
            return Delivery.done("but not for all: " + text);
        }
        return permanent && !reasons.isEmpty() ? Delivery.refused(text) : Delivery.later(text);
    }

    private static Delivery judged(SMTPSendFailedException failure, int code) {
        Address[] sent = failure.getValidSentAddresses();
        if (sent != null && sent.length > 0) {
            return addressed(failure);
        }
        return code >= PERMANENT ? Delivery.refused(oneLine(failure)) : Delivery.later(oneLine(failure));
    }

    private static Properties properties(NoticeSettings.Smtp settings) throws IOException {
        Properties all = new Properties();
        String millis = Long.toString(settings.timeout().toMillis());
        all.put("mail.smtp.host", settings.host());
        all.put("mail.smtp.port", Integer.toString(settings.port()));
        all.put("mail.smtp.connectiontimeout", millis);
        all.put("mail.smtp.timeout", millis);
        all.put("mail.smtp.writetimeout", millis);
        all.put("mail.smtp.sendpartial", "true");
        all.put("mail.smtp.auth", Boolean.toString(settings.user() != null));
        all.put("mail.smtp.quitwait", "false");
        if (settings.security() != Security.NONE) {
            all.put(
                    "mail.smtp.ssl.socketFactory",
                    Trust.of(settings.caFile()).context().getSocketFactory());
            all.put("mail.smtp.ssl.checkserveridentity", "true");
            all.put("mail.smtp.ssl.protocols", "TLSv1.3 TLSv1.2");
            boolean fromTheStart = settings.security() == Security.TLS;
            all.put("mail.smtp.ssl.enable", Boolean.toString(fromTheStart));
            all.put("mail.smtp.starttls.enable", Boolean.toString(!fromTheStart));
            all.put("mail.smtp.starttls.required", Boolean.toString(!fromTheStart));
        }
        return all;
    }

    /// @return null for none: with any other the library would try to log in, under the name of this process's user
    private static @Nullable String password(NoticeSettings.Smtp settings) throws IOException {
        String file = settings.passwordFile();
        if (file == null) {
            return null;
        }
        String text = Files.readString(Path.of(file)).strip();
        if (text.isEmpty()) {
            throw new IOException(file + " is empty");
        }
        return text;
    }

    /// Package-private so that the headers can be looked at.
    static MimeMessage message(Session session, Letter letter) throws MessagingException {
        MimeMessage message = new MimeMessage(session) {
            // The id says which notice it is; the default is a random one.
            @Override
            protected void updateMessageID() throws MessagingException {
                setHeader("Message-ID", letter.messageId());
            }
        };
        try {
            message.setFrom(new InternetAddress(letter.from(), letter.fromName(), StandardCharsets.UTF_8.name()));
        } catch (UnsupportedEncodingException e) {
            throw new MessagingException("no UTF-8", e);
        }
        for (String to : letter.to()) {
            message.addRecipient(Message.RecipientType.TO, new InternetAddress(to, true));
        }
        message.setSubject(letter.subject(), StandardCharsets.UTF_8.name());
        message.setSentDate(Date.from(letter.date()));
        if (!letter.thread().isEmpty()) {
            message.setHeader("In-Reply-To", letter.thread());
            message.setHeader("References", letter.thread());
        }
        message.setHeader("Auto-Submitted", "auto-generated");
        message.setHeader("X-Auto-Response-Suppress", "All");
        message.setHeader("List-Id", letter.listId());
        MimeBodyPart plain = new MimeBodyPart();
        plain.setText(letter.plain(), StandardCharsets.UTF_8.name());
        MimeBodyPart html = new MimeBodyPart();
        html.setText(letter.html(), StandardCharsets.UTF_8.name(), "html");
        message.setContent(new MimeMultipart("alternative", plain, html));
        message.saveChanges();
        return message;
    }

    private static String oneLine(Exception e) {
        String text = oneLine(e.getMessage());
        Throwable cause = e.getCause();
        String because = cause == null ? "" : oneLine(cause.getMessage());
        return because.isEmpty() || text.contains(because) ? text : text + " (" + because + ")";
    }

    private static String oneLine(@Nullable String text) {
        return text == null ? "" : text.strip().replaceAll("[\\s;]+", " ");
    }
}
