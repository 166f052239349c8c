package dev.understudy.core.candidate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.core.candidate.PrimaryCandidates.Position;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GtidListTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0-1-10      | 0-1-10      | true",
                "0-1-11      | 0-1-10      | true",
                "0-1-9       | 0-1-10      | false",
                "0-2-10      | 0-1-10      | false", // same number, another server: another history
                "0-2-11      | 0-1-10      | true",
                "''          | 0-1-10      | false",
                "0-1-10      | ''          | true",
                "0-1-10,1-1-5| 0-1-10,1-1-6| false",
                "0-1-10      | 0-1-10,1-1-6| false",
                "0-1-10,1-1-6| 1-1-6       | true"
            })
    void contains(String mine, String other, boolean expected) {
        assertThat(GtidList.parse(mine).contains(GtidList.parse(other))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0-1", "0-1-x", "a", "0-1-2-3"})
    void refuses_what_is_no_list(String text) {
        assertThatThrownBy(() -> GtidList.parse(text)).hasMessageContaining("not a GTID list");
    }

    @Test
    void prints_in_the_order_of_domains() {
        assertThat(GtidList.parse(" 1-1-6 , 0-2-3 ")).hasToString("0-2-3,1-1-6");
    }

    @Test
    void a_position_counts_what_was_received_or_written() {
        Position position = Position.of(Map.of("received", "0-1-10", "applied", "0-1-8", "binlog", "0-1-9"));
        assertThat(position.received()).hasToString("0-1-10");
        assertThat(position.applied()).hasToString("0-1-9");
        assertThat(position.allApplied()).isFalse();
        assertThat(Position.of(Map.of("binlog", "0-1-9")).allApplied()).isTrue();
    }
}
