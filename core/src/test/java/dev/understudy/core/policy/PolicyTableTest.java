package dev.understudy.core.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.core.ResourceState.AddressPhase;
import dev.understudy.core.ResourceState.PrimaryPhase;
import dev.understudy.core.diagnosis.AddressSituation;
import dev.understudy.core.diagnosis.PrimarySituation;
import dev.understudy.core.policy.PolicyTable.Row;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The tables are total (checked when they are made), every phase can be reached and left in bounded time, and
/// nothing is promoted past a fence.
class PolicyTableTest {

    private enum Light {
        RED,
        GREEN
    }

    private enum Seen {
        CAR,
        NOTHING
    }

    private enum Act {
        WAIT
    }

    @Test
    void a_hole_is_refused() {
        assertThatThrownBy(() -> lights(List.of(
                        row("T-1", Light.RED, Set.of(Seen.CAR)), row("T-2", Light.GREEN, EnumSet.allOf(Seen.class)))))
                .hasMessageContaining("phase RED can be in [CAR, NOTHING] but its rows cover [CAR]");
    }

    @Test
    void a_shadowed_row_is_refused() {
        assertThatThrownBy(() -> lights(List.of(
                        row("T-1", Light.RED, EnumSet.allOf(Seen.class)),
                        row("T-2", Light.RED, Set.of(Seen.CAR)),
                        row("T-3", Light.GREEN, EnumSet.allOf(Seen.class)))))
                .hasMessageContaining("T-2 and T-1 both match RED x CAR");
    }

    @Test
    void a_repeated_id_is_refused() {
        assertThatThrownBy(() -> lights(List.of(
                        row("T-1", Light.RED, EnumSet.allOf(Seen.class)),
                        row("T-1", Light.GREEN, EnumSet.allOf(Seen.class)))))
                .hasMessageContaining("T-1 stands twice");
    }

    @Test
    void every_phase_can_be_reached_from_vacant() {
        assertThat(reachable(AddressPolicy.TABLE, AddressPhase.VACANT, Set.of()))
                .containsExactlyInAnyOrder(AddressPhase.values());
        assertThat(reachable(PrimaryPolicy.TABLE, PrimaryPhase.VACANT, Set.of()))
                .containsExactlyInAnyOrder(PrimaryPhase.values());
    }

    @Test
    void every_phase_that_is_not_steady_can_be_left_by_time_alone() {
        Set<PrimarySituation> byTime = EnumSet.of(
                PrimarySituation.OVERDUE,
                PrimarySituation.FENCED, // every lease lapses
                PrimarySituation.MEMBERS_ANSWER);
        for (PrimaryPhase phase : PrimaryPhase.values()) {
            boolean steady = phase == PrimaryPhase.HELD || phase == PrimaryPhase.VACANT;
            assertThat(steady
                            || PrimaryPolicy.TABLE.exits(phase).stream()
                                    .anyMatch(r -> r.situations().stream().anyMatch(byTime::contains)))
                    .as("deadline exit of " + phase)
                    .isTrue();
        }
        Set<AddressSituation> lapse =
                EnumSet.of(AddressSituation.OVERDUE, AddressSituation.FREE, AddressSituation.FREE_WITHOUT_CANDIDATE);
        for (AddressPhase phase : List.of(AddressPhase.RELEASING, AddressPhase.TAKING)) {
            assertThat(AddressPolicy.TABLE.exits(phase).stream()
                            .anyMatch(r -> r.situations().stream().anyMatch(lapse::contains)))
                    .as("deadline exit of " + phase)
                    .isTrue();
        }
    }

    @Test
    void no_path_from_a_holder_to_a_new_one_passes_by_the_fence() {
        assertThat(reachable(PrimaryPolicy.TABLE, PrimaryPhase.HELD, Set.of(PrimaryPhase.FENCING)))
                .doesNotContain(
                        PrimaryPhase.CUTTING, PrimaryPhase.STAGING, PrimaryPhase.ATTACHING, PrimaryPhase.OPENING);
        assertThat(reachable(AddressPolicy.TABLE, AddressPhase.HELD, Set.of(AddressPhase.RELEASING)))
                .doesNotContain(AddressPhase.TAKING);
    }

    @Test
    void a_primary_is_opened_only_by_rows_that_raise_the_epoch() {
        for (Row<PrimaryPhase, PrimarySituation, PrimaryPolicy.Action> row : PrimaryPolicy.TABLE.rows()) {
            if (row.next() == PrimaryPhase.OPENING) {
                assertThat(row.action())
                        .isIn(PrimaryPolicy.Action.OPEN, PrimaryPolicy.Action.OPEN_ALONE, PrimaryPolicy.Action.ADOPT);
            }
        }
    }

    /// `mvn -pl core test -Dtest=PolicyTableTest -Dpolicy.write=true` writes the document anew.
    @Test
    void the_document_says_what_the_tables_do() throws Exception {
        Path document = Path.of("..", "docs", "policy.md");
        if (Boolean.getBoolean("policy.write")) {
            Files.writeString(document, PolicyDocument.markdown());
        }
        assertThat(Files.readString(document, StandardCharsets.UTF_8)).isEqualTo(PolicyDocument.markdown());
    }

    private static <P extends Enum<P>, S extends Enum<S>, A extends Enum<A>> Set<P> reachable(
            PolicyTable<P, S, A> table, P start, Set<P> without) {
        Set<P> seen = new HashSet<>(Set.of(start));
        Deque<P> next = new ArrayDeque<>(List.of(start));
        while (!next.isEmpty()) {
            List<Row<P, S, A>> exits = new ArrayList<>(table.exits(next.pop()));
            for (Row<P, S, A> row : exits) {
                P to = row.next();
                if (to != null && !without.contains(to) && seen.add(to)) {
                    next.push(to);
                }
            }
        }
        return seen;
    }

    private static void lights(List<Row<Light, Seen, Act>> rows) {
        new PolicyTable<>(
                "lights",
                Light.class,
                Seen.class,
                Map.of(Light.RED, EnumSet.allOf(Seen.class), Light.GREEN, EnumSet.allOf(Seen.class)),
                rows);
    }

    private static Row<Light, Seen, Act> row(String id, Light phase, Set<Seen> situations) {
        return new Row<>(id, phase, situations, null, Act.WAIT, "test");
    }
}
