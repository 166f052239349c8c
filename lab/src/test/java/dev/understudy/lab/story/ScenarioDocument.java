package dev.understudy.lab.story;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// docs/scenarios.md: a table with a row for each story. Pure text.
final class ScenarioDocument {

    private static final String FOLDER = "../lab/src/test/java/dev/understudy/lab/story/";
    private static final String HEAD = """
            # Scenarios

            Generated from the lab's stories: each lets one thing happen to a whole site of real servers (HAProxy, nginx,
            MariaDB; profile `standard`: ttl 1.5 s), while clients ask every 10 ms, a writer writes, and two eyes count
            holders: one on the wire, which asks by ARP and by a probe of both hosts, and one inside every host, which no
            cut hides. `./verify` runs them all and compares this list with the stories; HACKING.md says how to write it
            anew. Figures are those of one run on a busy machine with two cores.

            - **seen**: what the controller took it for, by the rows of [policy.md](policy.md)
            - **no answer**, **no write**: the longest time, in ms, without an answered request of the clients, and
              without an acknowledged write; a fault of one side leaves the other at its usual pace
            - **lost**: acknowledged rows that the primary lacked at the end
            - **holders**: the most holders of one resource at one time; two only where an operator asked for that

            | fault | seen | done | no answer | no write | lost | holders | story |
            | --- | --- | --- | ---: | ---: | ---: | ---: | --- |
            """;

    private ScenarioDocument() {}

    /// One line of the table, as far as runs do not change it.
    record Row(String fault, String story, String file, String lost, String holders, String line) {}

    /// @param faults every story `Class#method` with its fault, in the document's order
    /// @param lines the lines of the table, by story
    static String markdown(Map<String, String> faults, Map<String, String> lines) {
        var text = new StringBuilder(HEAD);
        faults.keySet()
                .forEach(story -> Optional.ofNullable(lines.get(story))
                        .ifPresent(line -> text.append(line).append('\n')));
        return text.toString();
    }

    static String line(Scenario scenario) {
        String file = scenario.story().substring(0, scenario.story().indexOf('#'));
        return "| %s | %s | %s | %d | %d | %d | %d | [%s](%s%s.java) |"
                .formatted(
                        scenario.fault(),
                        cell(scenario.seen(), "nothing that calls for a decision"),
                        cell(scenario.done(), "nothing"),
                        scenario.noAnswerMillis(),
                        scenario.noWriteMillis(),
                        scenario.lost(),
                        scenario.holders(),
                        scenario.story(),
                        FOLDER,
                        file);
    }

    /// The table's rows by story.
    static Map<String, Row> rows(String document) {
        var rows = new LinkedHashMap<String, Row>();
        document.lines()
                .filter(line -> line.startsWith("| ") && line.endsWith(".java) |"))
                .forEach(line -> {
                    List<String> cells = cells(line);
                    String link = cells.get(7);
                    String story = link.substring(1, link.indexOf(']'));
                    String file = link.substring(link.indexOf('(') + 1, link.length() - 1);
                    Row before =
                            rows.put(story, new Row(cells.getFirst(), story, file, cells.get(5), cells.get(6), line));
                    if (before != null) {
                        throw new IllegalStateException("two rows of " + story);
                    }
                });
        return rows;
    }

    private static List<String> cells(String line) {
        var cells = new ArrayList<String>();
        for (String cell : line.substring(1, line.length() - 1).split("\\|", -1)) {
            cells.add(cell.strip());
        }
        if (cells.size() != 8) {
            throw new IllegalStateException("not a row of eight cells: " + line);
        }
        return cells;
    }

    private static String cell(List<String> texts, String none) {
        return texts.isEmpty() ? none : String.join(", ", texts).replace('|', '/');
    }
}
