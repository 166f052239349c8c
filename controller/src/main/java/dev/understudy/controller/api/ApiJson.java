package dev.understudy.controller.api;

import dev.understudy.wire.json.Json;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// The API's JSON: that of [Json], with names in snake_case.
public final class ApiJson {

    private static final JsonMapper COMPACT = Json.mapper()
            .rebuild()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .build();
    private static final JsonMapper INDENTED =
            COMPACT.rebuild().enable(SerializationFeature.INDENT_OUTPUT).build();

    private ApiJson() {}

    /// For machines, one line. Thread-safe.
    public static JsonMapper compact() {
        return COMPACT;
    }

    /// For people. Thread-safe.
    public static JsonMapper indented() {
        return INDENTED;
    }
}
