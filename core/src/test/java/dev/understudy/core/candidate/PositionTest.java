package dev.understudy.core.candidate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.core.candidate.PrimaryCandidates.Position;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PositionTest {

    @Test
    void a_position_counts_what_was_received_or_written() {
        Position position = Position.of(Map.of("received", "0-1-10", "applied", "0-1-8", "binlog", "0-1-9"));
        assertThat(position.received()).hasToString("0-1-10");
        assertThat(position.applied()).hasToString("0-1-9");
        assertThat(position.allApplied()).isFalse();
        assertThat(Position.of(Map.of("binlog", "0-1-9")).allApplied()).isTrue();
    }
}
