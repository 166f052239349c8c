package dev.understudy.controller.mail;

import com.samskivert.mustache.Mustache;
import com.samskivert.mustache.MustacheException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The texts of mails: Mustache templates `subject.mustache`, `plain.mustache`, `html.mustache`. A file of that
/// name in the folder takes the place of the built-in one; it is read anew for each mail. One that cannot be read,
/// is not Mustache, or uses a name that does not exist is told once and the built-in one used: no mail is lost to
/// it.
final class Templates {

    private static final Logger LOG = LoggerFactory.getLogger(Templates.class);
    private static final int MOST_BYTES = 1 << 17;

    private final Map<String, String> told = new ConcurrentHashMap<>();

    /// @param folder null: none
    String render(@Nullable String folder, String name, Map<String, Object> values) {
        if (folder != null) {
            Path file = Path.of(folder, name + ".mustache");
            try {
                if (Files.exists(file)) {
                    String text = rendered(name, own(file), values);
                    told.remove(name);
                    return text;
                }
            } catch (IOException | MustacheException e) {
                String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
                if (!why.equals(told.put(name, why))) {
                    LOG.warn("template={} used=built-in cause=\"{}\"", file, why);
                }
            }
        }
        return rendered(name, builtIn(name), values);
    }

    /// What is wrong with templates of the folder, by name; empty while nothing is.
    Map<String, String> broken() {
        return Map.copyOf(told);
    }

    private static String own(Path file) throws IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException("is larger than " + MOST_BYTES + " bytes");
        }
        return Files.readString(file);
    }

    private static String rendered(String name, String template, Map<String, Object> values) {
        boolean html = name.equals("html");
        return Mustache.compiler()
                .escapeHTML(html)
                .withLoader(_ -> {
                    throw new MustacheException("partials are not supported");
                })
                .compile(template)
                .execute(values);
    }

    static String builtIn(String name) {
        try (InputStream in = Templates.class.getResourceAsStream(name + ".mustache")) {
            if (in == null) {
                throw new IllegalStateException("the controller's jar lacks " + name + ".mustache");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
