package dev.understudy.controller.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.ClusterSpec.Mode;
import org.junit.jupiter.api.Test;

class ModeEditTest {

    @Test
    void a_mode_that_stands_there_is_replaced_and_nothing_else() {
        String text = "# 🏠 mode: observe\ngroups:\n  edge:\n    kind: balancer\n    mode:  \"observe\"  # for now\n"
                + "  db: {mode: observe}\n";
        assertThat(ModeEdit.withMode(text, "edge", Mode.AUTOMATIC))
                .contains("# 🏠 mode: observe\ngroups:\n  edge:\n    kind: balancer\n    mode:  automatic  # for now\n"
                        + "  db: {mode: observe}\n");
        assertThat(ModeEdit.withMode(text, "db", Mode.MANUAL).orElseThrow()).endsWith("  db: {mode: manual}\n");
    }

    @Test
    void a_missing_mode_becomes_the_first_key() {
        String text = "groups:\n  edge:\n    kind: balancer\n  db: { kind: database }\n";
        assertThat(ModeEdit.withMode(text, "edge", Mode.MANUAL))
                .contains("groups:\n  edge:\n    mode: manual\n    kind: balancer\n  db: { kind: database }\n");
        assertThat(ModeEdit.withMode(text, "db", Mode.MANUAL).orElseThrow())
                .endsWith("  db: { mode: manual, kind: database }\n");
    }

    @Test
    void what_is_not_there_is_not_changed() {
        assertThat(ModeEdit.withMode("groups: {}\n", "edge", Mode.MANUAL)).isEmpty();
        assertThat(ModeEdit.withMode("groups: {edge: lb1}\n", "edge", Mode.MANUAL))
                .isEmpty();
        assertThat(ModeEdit.withMode("", "edge", Mode.MANUAL)).isEmpty();
    }
}
