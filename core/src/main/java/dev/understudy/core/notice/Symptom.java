package dev.understudy.core.notice;

import java.time.Duration;
import java.util.List;

/// Something that is the matter now.
///
/// @param key the same as long as it is the same trouble
/// @param order what explains more comes first: a silent host before what is wrong because of it
/// @param topics what it may be a part of, see [Incident#topics]
/// @param patience how long it must last before anybody is told
/// @param next what to type, empty for nothing in particular
public record Symptom(
        String key,
        int order,
        Severity severity,
        String text,
        List<String> topics,
        List<String> groups,
        Duration patience,
        String next) {

    /// A host that is not heard, also several at once, may have one cause: a switch, a rack, a power line.
    static final int SILENT = 1;

    static final int SERVICE = 2;
    static final int RESOURCE = 3;
    static final int CONSEQUENCE = 4;

    public Symptom {
        topics = List.copyOf(topics);
        groups = List.copyOf(groups);
    }

    public static String host(String host) {
        return "host/" + host;
    }

    public static String resource(Object id) {
        return "resource/" + id;
    }
}
