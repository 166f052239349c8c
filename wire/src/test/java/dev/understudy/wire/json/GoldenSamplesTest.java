package dev.understudy.wire.json;

import static org.assertj.core.api.Assertions.assertThat;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.Command;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.Observation;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.PeerMessage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Each record that travels has a golden sample: what it decodes to is encoded to the same JSON again. A new record
/// without a sample fails here; a changed one shows what a peer of another version would see.
class GoldenSamplesTest {

    private static final Map<String, Class<?>> HIERARCHIES = Map.of(
            "agent-message", AgentMessage.class,
            "controller-message", ControllerMessage.class,
            "command", Command.class,
            "outcome", Outcome.class,
            "observation", Observation.class,
            "peer-message", PeerMessage.class,
            "group", ClusterSpec.Group.class);

    @TestFactory
    Stream<DynamicTest> every_record_that_travels_has_a_sample_that_survives() {
        return HIERARCHIES.entrySet().stream()
                .flatMap(hierarchy -> SealedTypes.leavesOf(hierarchy.getValue()).entrySet().stream()
                        .map(leaf -> DynamicTest.dynamicTest(
                                hierarchy.getKey() + "/" + leaf.getKey(),
                                () -> survives(
                                        hierarchy.getKey(), hierarchy.getValue(), leaf.getKey(), leaf.getValue()))));
    }

    private static void survives(String folder, Class<?> root, String name, Class<?> leaf) throws Exception {
        String sample = sample(folder + "/" + name);
        Object value = MessageCodec.decode(root, sample);
        assertThat(value).isInstanceOf(leaf);
        assertThat(Json.mapper().readTree(Json.mapper().writeValueAsString(value)))
                .isEqualTo(Json.mapper().readTree(sample));
        assertThat(Json.mapper().writerFor(root).writeValueAsString(value))
                .isEqualTo(Json.mapper().readTree(sample).toString());
    }

    static String sample(String path) throws IOException {
        try (InputStream in = GoldenSamplesTest.class.getResourceAsStream("/golden/" + path + ".json")) {
            assertThat(in).as("golden sample %s.json", path).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
