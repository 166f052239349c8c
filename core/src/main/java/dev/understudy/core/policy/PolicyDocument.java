package dev.understudy.core.policy;

import dev.understudy.core.policy.PolicyTable.Row;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Writes the policy tables as `docs/policy.md`: a diagram of the phases and every row. A test compares the file
/// with this text, so the document cannot drift from what the controller does.
public final class PolicyDocument {

    private PolicyDocument() {}

    /// The whole document.
    public static String markdown() {
        StringBuilder text = new StringBuilder("""
                # Policy

                Generated from the tables in `core/src/main/java/dev/understudy/core/policy` (`./verify` compares them). A
                row's id stands in the journal, the log, the page and `understudy explain`.
                """);
        table(text, AddressPolicy.TABLE, "VACANT");
        table(text, PrimaryPolicy.TABLE, "VACANT");
        table(text, MemberPolicy.TABLE, "");
        table(text, RebuildPolicy.TABLE, "LEAVING");
        return text.toString();
    }

    private static <P extends Enum<P>, S extends Enum<S>, A extends Enum<A>> void table(
            StringBuilder text, PolicyTable<P, S, A> table, String start) {
        text.append("\n## ").append(table.title()).append("\n\n");
        if (!start.isEmpty()) {
            diagram(text, table.rows(), start);
        }
        text.append("| row | phase | situation | next | action | because |\n");
        text.append("| --- | --- | --- | --- | --- | --- |\n");
        for (Row<P, S, A> row : table.rows()) {
            text.append("| ").append(row.id());
            text.append(" | ").append(row.phase());
            text.append(" | ").append(String.join(", ", names(row)));
            text.append(" | ").append(row.next() == null ? "" : row.next());
            text.append(" | ").append(row.action());
            text.append(" | ").append(row.because()).append(" |\n");
        }
    }

    private static <P extends Enum<P>, S extends Enum<S>, A extends Enum<A>> void diagram(
            StringBuilder text, List<Row<P, S, A>> rows, String start) {
        Map<String, String> edges = new LinkedHashMap<>();
        for (Row<P, S, A> row : rows) {
            if (row.next() != null) {
                edges.merge(row.phase() + " --> " + row.next(), row.id(), (a, b) -> a + " " + b);
            }
        }
        text.append("```mermaid\nstateDiagram-v2\n    [*] --> ").append(start).append('\n');
        edges.forEach((edge, ids) ->
                text.append("    ").append(edge).append(" : ").append(ids).append('\n'));
        text.append("```\n\n");
    }

    private static <P extends Enum<P>, S extends Enum<S>, A extends Enum<A>> Set<String> names(Row<P, S, A> row) {
        Set<String> names = new TreeSet<>();
        row.situations().forEach(s -> names.add(s.name()));
        return names;
    }
}
