package dev.understudy.controller.config;

import java.util.List;

/// The keys of `cluster.yml` that this version reads for their shape and does not act upon. Kept in one place:
/// whoever gives one of them a meaning takes it away from here.
final class LaterKeys {

    static final List<String> BALANCER = List.of();
    static final List<String> WEB = List.of("restart");

    private LaterKeys() {}

    static void check(Section section) {
        if (section.has("restart")) {
            section.number("restart", 0, 0, 10);
        }
    }
}
