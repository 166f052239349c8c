package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;

/// An installed, empty data folder with the lab's accounts, made once and copied to every database host.
final class DatabaseTemplate {

    private DatabaseTemplate() {}

    /// The template's folder, made now if it is missing or was made from other texts or by another server version.
    static synchronized Path ready(Checkout checkout) {
        String accounts = ServerFiles.resource("accounts.sql", Map.of());
        String version =
                Commands.run("/usr/sbin/mariadbd", "--version").orThrow().output();
        Path template = checkout.cache().resolve("database-" + digest(accounts + version));
        if (Files.isDirectory(template)) {
            return template;
        }
        try {
            Files.createDirectories(checkout.cache());
            Files.createDirectories(RunFolder.BASE);
            // made where the mysql user may go, then moved to where it may not
            Path work = Files.createTempDirectory(RunFolder.BASE, "template-");
            try {
                Path data = Files.createDirectory(work.resolve("data"));
                Path sql = Files.writeString(work.resolve("accounts.sql"), accounts);
                Commands.run("chmod", "755", work.toString()).orThrow();
                Commands.run("chown", "mysql:mysql", data.toString()).orThrow();
                Commands.run(
                                "mariadb-install-db",
                                "--no-defaults",
                                "--user=mysql",
                                "--datadir=" + data,
                                "--auth-root-authentication-method=socket",
                                "--skip-test-db",
                                "--skip-log-bin",
                                "--innodb-log-file-size=16M",
                                "--innodb-data-file-path=ibdata1:12M:autoextend",
                                "--extra-file=" + sql)
                        .orThrow();
                Path half = Path.of(template + ".half");
                Commands.run("rm", "-rf", half.toString()).orThrow();
                Commands.run("cp", "-a", data.toString(), half.toString()).orThrow();
                Files.move(half, template);
            } finally {
                Commands.run("rm", "-rf", work.toString());
            }
            return template;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the database template", e);
        }
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
