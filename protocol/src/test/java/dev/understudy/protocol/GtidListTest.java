package dev.understudy.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
    void reached(String mine, String other, boolean expected) {
        assertThat(GtidList.parse(mine).reached(GtidList.parse(other))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0-1", "0-1-x", "a", "0-1-2-3"})
    void refuses_what_is_no_list(String text) {
        assertThatThrownBy(() -> GtidList.parse(text)).hasMessageContaining("not a GTID list");
    }

    @Test
    void merges_to_the_later_of_each_domain_in_their_order() {
        assertThat(GtidList.parse(" 1-1-6 , 0-2-3 ").merge(GtidList.parse("0-2-4")))
                .hasToString("0-2-4,1-1-6");
    }

    @Test
    void beyond_are_those_that_the_other_binary_log_never_had() {
        GtidList mine = GtidList.parse("0-1-105,0-2-90");
        assertThat(mine.beyond(GtidList.parse("0-1-100,0-2-110"))).hasToString("0-1-105");
        assertThat(mine.beyond(GtidList.parse("0-1-105,0-2-110")).isEmpty()).isTrue();
    }

    @Test
    void a_state_up_to_a_position_ends_with_it_and_has_nothing_of_what_came_after() {
        GtidList state = GtidList.parse("0-1-90,0-3-95,0-2-120,1-2-7,7-1-3");
        assertThat(state.upTo(GtidList.parse("0-2-100,1-2-5"))).hasToString("0-1-90,0-3-95,0-2-100,1-2-5");
        assertThat(state.upTo(GtidList.parse("0-1-92"))).hasToString("0-1-92");
        assertThat(GtidList.parse("").upTo(GtidList.parse("0-2-100"))).hasToString("0-2-100");
        assertThat(state.upTo(GtidList.parse("")).isEmpty()).isTrue();
    }
}
