package dev.understudy.controller.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/// One mapping of the file while it is read. Every getter notes what is wrong and answers with a stand-in (an empty
/// text, a zero), so that one reading finds all problems; the caller uses the values only when there were none.
final class Section {

    private final Problems problems;
    private final String path;
    private final int line;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /// A key with its value and the line of the key.
    record Entry(String key, int line, Node value) {}

    private Section(Problems problems, String path, int line) {
        this.problems = problems;
        this.path = path;
        this.line = line;
    }

    /// Reads a mapping; a key that stands twice is a problem. Nothing else is checked until [#allow].
    static Section of(Problems problems, String path, int line, Node node) {
        Section section = new Section(problems, path, line);
        if (!(node instanceof MappingNode mapping)) {
            problems.at(line, path, "expected keys with values" + (isNull(node) ? ", but it is empty" : ""));
            return section;
        }
        for (NodeTuple tuple : mapping.getValue()) {
            if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
                problems.at(tuple.getKeyNode(), path, "a key must be a plain word");
                continue;
            }
            Entry entry = new Entry(keyNode.getValue(), Problems.lineOf(keyNode), tuple.getValueNode());
            Entry earlier = section.entries.putIfAbsent(entry.key(), entry);
            if (earlier != null) {
                problems.at(
                        entry.line(), path, "key '" + entry.key() + "' stands twice, first in line " + earlier.line());
            }
        }
        return section;
    }

    Section allow(List<String> known) {
        for (Entry entry : entries.values()) {
            if (!known.contains(entry.key())) {
                String suggestion = Suggestion.of(entry.key(), known);
                String expected = suggestion.isEmpty() ? " (expected: " + String.join(", ", known) + ")" : suggestion;
                problems.at(entry.line(), path, "unknown key '" + entry.key() + "'" + expected);
            }
        }
        return this;
    }

    Iterable<Entry> entries() {
        return List.copyOf(entries.values());
    }

    boolean has(String key) {
        return entries.containsKey(key);
    }

    /// Whether the key's value is one plain word, not a mapping or list.
    boolean isPlain(String key) {
        Entry entry = entries.get(key);
        return entry != null && entry.value() instanceof ScalarNode;
    }

    String path(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /// The line of a key, or that of the mapping if it is missing.
    int line(String key) {
        Entry entry = entries.get(key);
        return entry == null ? line : entry.line();
    }

    /// The line of a key's value.
    int valueLine(String key) {
        Entry entry = entries.get(key);
        return entry == null ? line : Problems.lineOf(entry.value());
    }

    void problem(String key, String text) {
        problems.at(valueLine(key), path(key), text);
    }

    String required(String key, String expected) {
        if (!entries.containsKey(key)) {
            problems.at(line, path, "'" + key + "' is missing: expected " + expected);
            return "";
        }
        return scalar(key, expected).orElse("");
    }

    String optional(String key, String otherwise, String expected) {
        return entries.containsKey(key) ? scalar(key, expected).orElse("") : otherwise;
    }

    @Nullable
    String orNull(String key, String expected) {
        return entries.containsKey(key) ? scalar(key, expected).orElse(null) : null;
    }

    Optional<String> scalar(String key, String expected) {
        Entry entry = entries.get(key);
        return entry == null ? Optional.empty() : text(entry.value(), path(key), expected);
    }

    private Optional<String> text(Node node, String where, String expected) {
        if (node instanceof ScalarNode scalar
                && !isNull(scalar)
                && !scalar.getValue().isEmpty()) {
            return Optional.of(scalar.getValue());
        }
        String is = isNull(node) || node instanceof ScalarNode ? "it is empty" : "it is not a plain value";
        problems.at(node, where, "expected " + expected + ", but " + is);
        return Optional.empty();
    }

    /// One of the given words.
    String word(String key, @Nullable String otherwise, List<String> words) {
        String expected = "one of " + String.join(", ", words);
        String value = otherwise == null ? required(key, expected) : optional(key, otherwise, expected);
        if (!value.isEmpty() && !words.contains(value)) {
            String suggestion = Suggestion.of(value, words);
            problem(key, "'" + value + "' is not " + expected + suggestion);
        }
        return value;
    }

    int number(String key, int otherwise, int least, int most) {
        String expected = "a number from " + least + " to " + most;
        String value = optional(key, Integer.toString(otherwise), expected);
        if (value.isEmpty()) {
            return otherwise;
        }
        if (value.matches("\\d{1,9}")) {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        }
        problem(key, "'" + value + "' is not " + expected);
        return otherwise;
    }

    /// `200ms`, `5s`, `10m`, `26h`, `7d`; a bare number is refused because it does not say its unit.
    Duration duration(String key, Duration otherwise) {
        Optional<String> value = scalar(key, Lengths.EXPECTED);
        if (value.isEmpty()) {
            return otherwise;
        }
        Optional<Duration> length = Lengths.parse(value.get());
        if (length.isEmpty()) {
            String unit = value.get().matches("\\d+") ? " (the unit is missing)" : "";
            problem(key, "'" + value.get() + "' is not " + Lengths.EXPECTED + unit);
        }
        return length.orElse(otherwise);
    }

    /// The mapping under a key, empty (with a problem) if it is missing.
    Section section(String key, String expected) {
        Entry entry = entries.get(key);
        if (entry == null) {
            problems.at(line, path, "'" + key + "' is missing: expected " + expected);
            return new Section(problems, path(key), line);
        }
        return of(problems, path(key), entry.line(), entry.value());
    }

    /// The mapping under a key, if the key is there.
    Optional<Section> sectionIfPresent(String key) {
        return has(key) ? Optional.of(section(key, "")) : Optional.empty();
    }

    /// A list's values, each with its own line.
    List<Item> texts(String key, String expected) {
        List<Item> items = new ArrayList<>();
        for (Node node : list(key, expected)) {
            text(node, path(key), expected).ifPresent(t -> items.add(new Item(t, Problems.lineOf(node))));
        }
        return items;
    }

    record Item(String text, int line) {}

    /// A list of mappings.
    List<Section> sections(String key, String expected) {
        List<Section> sections = new ArrayList<>();
        for (Node node : list(key, expected)) {
            String where = path(key) + "[" + sections.size() + "]";
            sections.add(of(problems, where, Problems.lineOf(node), node));
        }
        return sections;
    }

    private List<Node> list(String key, String expected) {
        Entry entry = entries.get(key);
        if (entry == null) {
            problems.at(line, path, "'" + key + "' is missing: expected " + expected);
            return List.of();
        }
        if (!(entry.value() instanceof SequenceNode sequence)) {
            problems.at(entry.line(), path(key), "expected " + expected + ", written as [a, b]");
            return List.of();
        }
        if (sequence.getValue().isEmpty()) {
            problems.at(entry.line(), path(key), "expected " + expected + ", but the list is empty");
        }
        return sequence.getValue();
    }

    private static boolean isNull(Node node) {
        return node.getTag().equals(Tag.NULL);
    }
}
