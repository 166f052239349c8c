package dev.understudy.controller;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

class RehearsalTest {

    /// It throws when the controller does not start, or its agent or a page is not answered.
    @Test
    void playsToItsEnd() {
        assertThatCode(Rehearsal::play).doesNotThrowAnyException();
    }
}
