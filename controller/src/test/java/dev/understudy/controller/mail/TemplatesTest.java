package dev.understudy.controller.mail;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.controller.mail.NoticeSettings.Security;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplatesTest {

    @TempDir
    Path folder;

    private final Templates templates = new Templates();
    private final Writer writer = new Writer(templates, "ctl1");

    private Letter letter() {
        return writer.letter(
                Samples.failover(),
                "shop",
                Samples.mail(Samples.smtp(25, Security.NONE, null, null), folder.toString()));
    }

    @Test
    void aFileOfThatNameTakesThePlaceOfTheBuiltInOne() throws IOException {
        Files.writeString(folder.resolve("subject.mustache"), "{{tag}} / {{cluster}}\n");
        assertThat(letter().subject()).isEqualTo("FAILOVER / shop");
        assertThat(letter().plain()).startsWith("FAILOVER: shopdb/primary moved");
        assertThat(templates.broken()).isEmpty();
    }

    @Test
    void aBrokenOneIsToldAndTheBuiltInOneUsed() throws IOException {
        Path file = folder.resolve("subject.mustache");
        for (String broken : new String[] {"{{#happened}}", "{{nonesuch}}", "{{>other}}", "x".repeat(1 << 18)}) {
            Files.writeString(file, broken);
            assertThat(letter().subject()).as(broken.substring(0, 2)).startsWith("[FAILOVER] shop: ");
            assertThat(templates.broken()).containsOnlyKeys("subject");
        }
        Files.writeString(file, "{{title}}");
        assertThat(letter().subject()).isEqualTo("shopdb/primary moved from db1 to db2");
        assertThat(templates.broken()).isEmpty();
    }
}
