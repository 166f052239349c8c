package dev.understudy.lab.story;

import dev.understudy.lab.kernel.Waiting;
import dev.understudy.lab.site.LabHost;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Exim on a host of the lab: takes mail from one user, over STARTTLS and with a password only, and keeps all of it in
/// one folder.
final class MailServer {

    static final String NAME = "mail.lab";
    static final int PORT = 587;
    static final String PASSWORD = "tell-nobody";

    /// `mail:` of cluster.yml for a controller that mails through it, and does not wait for long. It goes on with
    /// whatever is indented by two.
    static final String SECTION = """
            mail:
              smtp:
                host: mail.lab
                user: alerts
                password_file: /etc/understudy/mail-password
                ca_file: /etc/understudy/mail-ca.pem
              from: understudy@shop.example
              to: [ops@shop.example]
              gather: 3s
              update: 5s
              settle: 5s
            """;

    private static final String FOLDER = "/var/lib/labmail";
    private static final String MAILS = FOLDER + "/mails/new";
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private static final String CONFIGURATION = """
            primary_hostname = mail.lab
            spool_directory = /var/lib/labmail/spool
            log_file_path = /var/lib/labmail/%slog
            pid_file_path = /run/labmail.pid
            exim_user = Debian-exim
            exim_group = Debian-exim
            daemon_smtp_ports = 587
            local_interfaces = @ADDRESS@
            tls_advertise_hosts = *
            tls_certificate = /var/lib/labmail/cert.pem
            tls_privatekey = /var/lib/labmail/key.pem
            auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
            acl_smtp_mail = authenticated
            acl_smtp_rcpt = anybody
            acl_smtp_data = anybody
            rfc1413_hosts =
            host_lookup =
            keep_environment =
            begin acl
            authenticated:
              require authenticated = *
              accept
            anybody:
              accept
            begin routers
            keep:
              driver = accept
              transport = keep
            begin transports
            keep:
              driver = appendfile
              directory = /var/lib/labmail/mails
              maildir_format
              create_directory
              batch_max = 100
              envelope_to_add
              user = Debian-exim
              group = Debian-exim
            begin authenticators
            plain:
              driver = plaintext
              public_name = PLAIN
              server_prompts = :
              server_condition = ${if and{{eq{$auth2}{alerts}}{eq{$auth3}{tell-nobody}}}}
              server_set_id = $auth2
            """;

    private final LabHost host;

    private MailServer(LabHost host) {
        this.host = host;
    }

    /// Makes the server's files on the host, and what the controller's host needs to use it.
    static MailServer on(LabHost host, LabHost controller) {
        String address = host.plan().address();
        host.run("mkdir", "-p", FOLDER + "/spool", FOLDER + "/mails").orThrow();
        host.run(
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:prime256v1",
                        "-nodes",
                        "-days",
                        "2",
                        "-keyout",
                        FOLDER + "/key.pem",
                        "-out",
                        FOLDER + "/cert.pem",
                        "-subj",
                        "/CN=" + NAME,
                        "-addext",
                        "subjectAltName=DNS:" + NAME)
                .orThrow();
        host.run("chown", "-R", "Debian-exim:Debian-exim", FOLDER).orThrow();
        try {
            Files.writeString(host.path("/etc/labmail.conf"), CONFIGURATION.replace("@ADDRESS@", address));
            Files.writeString(
                    controller.path("/etc/understudy/mail-ca.pem"), Files.readString(host.path(FOLDER + "/cert.pem")));
            Files.writeString(controller.path("/etc/understudy/mail-password"), PASSWORD + "\n");
            Path hosts = controller.path("/etc/hosts");
            String known = Files.exists(hosts) ? Files.readString(hosts) : "";
            if (!known.contains(NAME)) {
                Files.writeString(hosts, known + address + " " + NAME + "\n");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new MailServer(host);
    }

    void start() {
        host.run("exim4", "-C", "/etc/labmail.conf", "-bd").orThrow();
        Waiting.until("exim listens", LIMIT, this::listens);
    }

    boolean listens() {
        return host.run("ss", "-Hltn", "sport = :" + PORT).output().contains(":" + PORT);
    }

    /// Its processes of this host; a mail that is being taken is not.
    void stop() {
        host.processes().stream()
                .filter(process -> process.name().equals("exim4"))
                .forEach(process -> host.run("kill", "-KILL", insidePid(process.pid())));
        Waiting.until("exim listens no more", LIMIT, () -> !listens());
    }

    /// The process's id as the host itself counts.
    private static String insidePid(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                    .filter(line -> line.startsWith("NSpid:"))
                    .map(line -> line.substring(line.lastIndexOf('\t') + 1))
                    .findFirst()
                    .orElse("0");
        } catch (IOException e) {
            return "0"; // it has ended: nothing is there to be killed
        }
    }

    /// @param raw as it came
    record Mail(String raw, String subject, String id, String answers, String to) {

        static Mail of(String raw) {
            return new Mail(
                    raw,
                    header(raw, "Subject"),
                    header(raw, "Message-ID"),
                    header(raw, "In-Reply-To"),
                    header(raw, "To"));
        }

        /// The header's value on one line, empty if it is missing.
        static String header(String raw, String name) {
            String head = raw.replace("\r\n", "\n");
            int end = head.indexOf("\n\n");
            String unfolded = (end < 0 ? head : head.substring(0, end)).replaceAll("\n[ \t]+", " ");
            return unfolded.lines()
                    .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(name.toLowerCase(Locale.ROOT) + ":"))
                    .map(line -> line.substring(name.length() + 1).strip())
                    .findFirst()
                    .orElse("");
        }
    }

    /// Everything that it has taken, in the order in which it came.
    List<Mail> mails() {
        List<Mail> mails = new ArrayList<>();
        try (Stream<Path> files = Files.list(host.path(MAILS))) {
            for (Path file :
                    files.sorted(Comparator.comparingLong(MailServer::time)).toList()) {
                mails.add(Mail.of(Files.readString(file)));
            }
        } catch (NoSuchFileException e) {
            return List.of(); // none has come yet
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return mails;
    }

    /// Maildir names begin with the time in seconds and microseconds: `1796045221.M573187P20006.mail.lab`.
    private static long time(Path file) {
        String[] parts = file.getFileName().toString().split("\\.M|P", 3);
        return Long.parseLong(parts[0]) * 1_000_000 + Long.parseLong(parts[1]);
    }

    void forget() {
        host.run("find", FOLDER + "/mails", "-type", "f", "-delete");
    }
}
