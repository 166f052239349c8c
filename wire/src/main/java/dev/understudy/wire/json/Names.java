package dev.understudy.wire.json;

import java.util.Locale;

/// How Java names are written in JSON.
final class Names {

    private Names() {}

    /// `TakeAddress` → `take-address`.
    static String kebab(Class<?> type) {
        return type.getSimpleName().replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    /// `NOT_KNOWN` → `not-known`.
    static String kebab(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
