package dev.understudy.agent.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// A mapping of a YAML file whose every value knows its line, read strictly: each key is asked for once, and those
/// that nobody asked for are an error ([#end]).
final class YamlSection {

    private static final long MAX_BYTES = 1 << 20;

    private final Path file;
    private final String name;
    private final int line;
    private final Map<String, Node> nodes;
    private final Set<String> asked = new LinkedHashSet<>();

    private sealed interface Node {
        int line();
    }

    private record Scalar(int line, @Nullable String text) implements Node {}

    private record Items(int line, List<Node> items) implements Node {}

    private record Mapping(int line, Map<String, Node> entries) implements Node {}

    private YamlSection(Path file, String name, int line, Map<String, Node> nodes) {
        this.file = file;
        this.name = name;
        this.line = line;
        this.nodes = nodes;
    }

    static YamlSection read(Path file) throws ConfigException {
        String text;
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new ConfigException(file + ": larger than " + MAX_BYTES + " bytes");
            }
            text = Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ConfigException(file + ": no such file");
        } catch (IOException e) {
            throw new ConfigException(file + ": cannot be read: " + e);
        }
        try (JsonParser parser = new YAMLMapper().createParser(text)) {
            if (parser.nextToken() == null) {
                throw new ConfigException(file + ": empty");
            }
            Node root = node(parser, file);
            if (parser.nextToken() != null) {
                throw new ConfigException(
                        file + ":" + parser.currentTokenLocation().getLineNr() + ": a second document");
            }
            if (root instanceof Mapping mapping) {
                return new YamlSection(file, "", mapping.line(), mapping.entries());
            }
            throw new ConfigException(file + ":" + root.line() + ": expected keys and values");
        } catch (JacksonException e) {
            int line = e.getLocation() == null ? 1 : Math.max(e.getLocation().getLineNr(), 1);
            throw new ConfigException(file + ":" + line + ": no YAML: "
                    + e.getOriginalMessage().lines().findFirst().orElse(""));
        }
    }

    private static Node node(JsonParser parser, Path file) throws ConfigException {
        int line = parser.currentTokenLocation().getLineNr();
        JsonToken token = parser.currentToken();
        if (token == JsonToken.START_OBJECT) {
            Map<String, Node> entries = new LinkedHashMap<>();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = parser.currentName();
                int keyLine = parser.currentTokenLocation().getLineNr();
                parser.nextToken();
                if (entries.put(key, node(parser, file)) != null) {
                    throw new ConfigException(file + ":" + keyLine + ": '" + key + "' is given twice");
                }
            }
            return new Mapping(line, entries);
        }
        if (token == JsonToken.START_ARRAY) {
            List<Node> items = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                items.add(node(parser, file));
            }
            return new Items(line, items);
        }
        return new Scalar(line, token == JsonToken.VALUE_NULL ? null : parser.getString());
    }

    /// A required text.
    String text(String key) throws ConfigException {
        return textIfGiven(key).orElseThrow(() -> missing(key, "a text"));
    }

    Optional<String> textIfGiven(String key) throws ConfigException {
        Node node = ask(key);
        if (node == null) {
            return Optional.empty();
        }
        if (node instanceof Scalar scalar
                && scalar.text() != null
                && !scalar.text().isBlank()) {
            return Optional.of(scalar.text());
        }
        throw wrong(key, "expected a text");
    }

    /// A list of texts; empty if it is not given.
    List<String> texts(String key) throws ConfigException {
        Node node = ask(key);
        if (node == null) {
            return List.of();
        }
        List<String> texts = new ArrayList<>();
        if (node instanceof Items list) {
            for (Node item : list.items()) {
                if (!(item instanceof Scalar scalar) || scalar.text() == null) {
                    throw new ConfigException(at(item.line()) + path(key) + ": expected a list of texts");
                }
                texts.add(scalar.text());
            }
            return List.copyOf(texts);
        }
        throw wrong(key, "expected a list of texts");
    }

    /// The mappings below a mapping, by name, in the order of the file; empty if it is not given.
    Map<String, YamlSection> sections(String key) throws ConfigException {
        Node node = ask(key);
        if (node == null) {
            return Map.of();
        }
        if (!(node instanceof Mapping mapping)) {
            throw wrong(key, "expected names with keys and values");
        }
        Map<String, YamlSection> sections = new LinkedHashMap<>();
        for (Map.Entry<String, Node> entry : mapping.entries().entrySet()) {
            if (!(entry.getValue() instanceof Mapping inner)) {
                throw new ConfigException(
                        at(entry.getValue().line()) + path(key) + "." + entry.getKey() + ": expected keys and values");
            }
            sections.put(
                    entry.getKey(),
                    new YamlSection(file, path(key) + "." + entry.getKey(), inner.line(), inner.entries()));
        }
        return sections;
    }

    /// Refuses keys that were not asked for.
    void end() throws ConfigException {
        for (Map.Entry<String, Node> entry : nodes.entrySet()) {
            if (!asked.contains(entry.getKey())) {
                throw new ConfigException(at(entry.getValue().line()) + "unknown key '" + path(entry.getKey())
                        + "', expected one of " + String.join(", ", asked));
            }
        }
    }

    /// An error about a key's value, for checks beyond the shape.
    ConfigException wrong(String key, String reason) {
        Node node = nodes.get(key);
        return new ConfigException(at(node == null ? line : node.line()) + path(key) + ": " + reason);
    }

    ConfigException missing(String key, String expected) {
        return new ConfigException(at(line) + "'" + path(key) + "' is missing: expected " + expected);
    }

    private @Nullable Node ask(String key) {
        asked.add(key);
        return nodes.get(key);
    }

    private String at(int where) {
        return file + ":" + where + ": ";
    }

    private String path(String key) {
        return name.isEmpty() ? key : name + "." + key;
    }
}
