package dev.understudy.wire.json;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Sealed interfaces of ours as JSON objects with a `type`: the kebab-case simple name of the implementing record.
/// The names are derived from the code (`getPermittedSubclasses`, recursively), so nothing has to be registered and
/// none can be forgotten.
public final class SealedTypes {

    private static final String OURS = "dev.understudy.";

    private SealedTypes() {}

    /// Every concrete class below a sealed interface by its name in JSON, in the order of declaration.
    ///
    /// @throws IllegalArgumentException if the type is not sealed, two of its classes would have the same name, or
    /// one is neither sealed nor final
    public static Map<String, Class<?>> leavesOf(Class<?> sealed) {
        if (!sealed.isSealed()) {
            throw new IllegalArgumentException(sealed.getName() + " is not sealed");
        }
        Map<String, Class<?>> leaves = new LinkedHashMap<>();
        collect(sealed, leaves);
        return leaves;
    }

    /// Whether values of this type carry a `type`: it is a sealed interface of ours, or a class below one.
    static boolean tagged(Class<?> type) {
        return sealedAncestor(type) != null;
    }

    private static @Nullable Class<?> sealedAncestor(Class<?> type) {
        if (!type.getName().startsWith(OURS) || type.isEnum()) {
            return null;
        }
        if (type.isInterface() && type.isSealed()) {
            return type;
        }
        return Arrays.stream(type.getInterfaces())
                .filter(parent -> sealedAncestor(parent) != null)
                .findFirst()
                .orElse(null);
    }

    private static void collect(Class<?> sealed, Map<String, Class<?>> leaves) {
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            if (permitted.isSealed()) {
                collect(permitted, leaves);
            } else if (!permitted.isRecord()) {
                throw new IllegalArgumentException(permitted.getName() + " is neither sealed nor a record");
            } else {
                Class<?> earlier = leaves.putIfAbsent(Names.kebab(permitted), permitted);
                if (earlier != null && earlier != permitted) {
                    throw new IllegalArgumentException(
                            earlier.getName() + " and " + permitted.getName() + " would have the same name in JSON");
                }
            }
        }
    }
}
