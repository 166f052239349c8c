package dev.understudy.core.policy;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A finite-state machine as data. Construction checks what a reader relies on: for each phase, every situation that
/// the diagnosis can make of it has exactly one row (no hole, no shadowed row), and every row id is unique.
public final class PolicyTable<P extends Enum<P>, S extends Enum<S>, A extends Enum<A>> {

    /// One rule.
    ///
    /// @param id stable; stands in journal, log, page and mail
    /// @param next the phase to enter, null to stay
    /// @param action what is done besides
    /// @param because the sentence that the operator reads
    public record Row<P extends Enum<P>, S extends Enum<S>, A extends Enum<A>>(
            String id, P phase, Set<S> situations, @Nullable P next, A action, String because) {
        public Row {
            situations = Set.copyOf(situations);
        }
    }

    private final String title;
    private final List<Row<P, S, A>> rows;
    private final Map<P, Map<S, Row<P, S, A>>> index;

    /// @param domain the situations that the diagnosis can make of each phase
    /// @throws IllegalStateException for a hole, an ambiguity, a row out of its domain or a repeated id
    PolicyTable(String title, Class<P> phases, Class<S> situations, Map<P, Set<S>> domain, List<Row<P, S, A>> rows) {
        this.title = title;
        this.rows = List.copyOf(rows);
        this.index = new EnumMap<>(phases);
        Set<String> ids = new HashSet<>();
        for (Row<P, S, A> row : rows) {
            if (!ids.add(row.id())) {
                throw new IllegalStateException("row id " + row.id() + " stands twice");
            }
            Map<S, Row<P, S, A>> ofPhase = index.computeIfAbsent(row.phase(), _ -> new EnumMap<>(situations));
            for (S situation : row.situations()) {
                Row<P, S, A> other = ofPhase.put(situation, row);
                if (other != null) {
                    throw new IllegalStateException(
                            row.id() + " and " + other.id() + " both match " + row.phase() + " x " + situation);
                }
            }
        }
        for (P phase : EnumSet.allOf(phases)) {
            Set<S> possible = domain.getOrDefault(phase, Set.of());
            Set<S> covered = index.getOrDefault(phase, Map.of()).keySet();
            if (!possible.equals(covered)) {
                throw new IllegalStateException(
                        "phase " + phase + " can be in " + possible + " but its rows cover " + covered);
            }
        }
    }

    /// The one row for a phase and a situation.
    public Row<P, S, A> row(P phase, S situation) {
        Row<P, S, A> row = index.getOrDefault(phase, Map.of()).get(situation);
        if (row == null) {
            throw new IllegalStateException("no row for " + phase + " x " + situation + " in " + title);
        }
        return row;
    }

    public String title() {
        return title;
    }

    /// In the order of the table.
    public List<Row<P, S, A>> rows() {
        return rows;
    }

    /// The rows that lead out of a phase.
    public List<Row<P, S, A>> exits(P phase) {
        List<Row<P, S, A>> exits = new ArrayList<>();
        for (Row<P, S, A> row : rows) {
            if (row.phase() == phase && row.next() != null && row.next() != phase) {
                exits.add(row);
            }
        }
        return exits;
    }
}
