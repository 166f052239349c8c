package dev.understudy.wire.json;

import dev.understudy.protocol.ResourceId;
import java.io.Serial;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.AnnotationIntrospector;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.KeyDeserializer;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.AccessorNamingStrategy;
import tools.jackson.databind.introspect.AnnotatedClass;
import tools.jackson.databind.introspect.AnnotatedMethod;
import tools.jackson.databind.introspect.DefaultAccessorNamingStrategy;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/// The one JSON mapper of Understudy, for messages, the journal and the API alike:
///
/// - a record is an object of its components, in their order, and nothing else of it is written;
/// - a sealed interface of ours has a `type` ([SealedTypes]); an enum constant is written in lower case with dashes;
/// - a [ResourceId] is the string `group/name`, as a map's key too;
/// - a `Duration` is ISO-8601 (`PT1.5S`), an `Instant` as well;
/// - reading tolerates unknown properties (a newer peer) and refuses missing ones and null, except where the record
///   says `@Nullable` (an older peer); at most [#MAX_CHARS] characters and 64 levels.
public final class Json {

    /// The longest text that is read: 1 MiB.
    public static final int MAX_CHARS = 1 << 20;

    private static final JsonMapper MAPPER = make();

    private Json() {}

    /// Immutable and thread-safe. `rebuild()` it for another rendering, such as indentation.
    public static JsonMapper mapper() {
        return MAPPER;
    }

    private static JsonMapper make() {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxDocumentLength(MAX_CHARS)
                        .maxStringLength(MAX_CHARS)
                        .maxNestingDepth(64)
                        .build())
                .build();
        JsonMapper.Builder builder = JsonMapper.builder(factory);
        return builder.annotationIntrospector(
                        AnnotationIntrospector.pair(builder.annotationIntrospector(), new ContractIntrospector()))
                .accessorNaming(new ComponentsOnly())
                .addModule(new SimpleModule("understudy")
                        .addSerializer(ResourceId.class, new ResourceWriter())
                        .addKeySerializer(ResourceId.class, new ResourceKeyWriter())
                        .addDeserializer(ResourceId.class, new ResourceReader())
                        .addKeyDeserializer(ResourceId.class, new ResourceKeyReader()))
                .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                .disable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES) // ContractIntrospector says which
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .build();
    }

    /// A record's derived methods (`getX`, `isX`) are not part of its JSON.
    private static final class ComponentsOnly extends DefaultAccessorNamingStrategy.Provider {
        @Serial
        private static final long serialVersionUID = 1L;

        @Override
        public AccessorNamingStrategy forRecord(MapperConfig<?> config, AnnotatedClass recordClass) {
            return new DefaultAccessorNamingStrategy.RecordNaming(config, recordClass) {
                @Override
                public @Nullable String findNameForRegularGetter(AnnotatedMethod method, String name) {
                    return _fieldNames.contains(name) ? name : null;
                }

                @Override
                public @Nullable String findNameForIsGetter(AnnotatedMethod method, String name) {
                    return null;
                }
            };
        }
    }

    private static final class ResourceWriter extends ValueSerializer<ResourceId> {
        @Override
        public void serialize(ResourceId value, JsonGenerator generator, SerializationContext context) {
            generator.writeString(value.toString());
        }
    }

    private static final class ResourceKeyWriter extends ValueSerializer<ResourceId> {
        @Override
        public void serialize(ResourceId value, JsonGenerator generator, SerializationContext context) {
            generator.writeName(value.toString());
        }
    }

    private static final class ResourceReader extends ValueDeserializer<ResourceId> {
        @Override
        public ResourceId deserialize(JsonParser parser, DeserializationContext context) {
            String text = parser.getValueAsString("");
            try {
                return ResourceId.parse(text);
            } catch (IllegalArgumentException e) {
                throw context.weirdStringException(text, ResourceId.class, e.getMessage());
            }
        }
    }

    private static final class ResourceKeyReader extends KeyDeserializer {
        @Override
        public Object deserializeKey(String key, DeserializationContext context) {
            try {
                return ResourceId.parse(key);
            } catch (IllegalArgumentException e) {
                throw context.weirdKeyException(ResourceId.class, key, e.getMessage());
            }
        }
    }
}
