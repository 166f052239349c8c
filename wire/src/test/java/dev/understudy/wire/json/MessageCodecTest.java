package dev.understudy.wire.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.AgentMessage.Hello;
import dev.understudy.protocol.Outcome;
import dev.understudy.protocol.PeerMessage.Consent;
import dev.understudy.protocol.ResourceId;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageCodecTest {

    private static final Hello HELLO = new Hello(1, "shop", "lb1", "b", "i", 3);

    @Test
    void unknown_properties_of_a_newer_peer_are_tolerated() throws Exception {
        String text = MessageCodec.encode(HELLO).replaceFirst("\\{", "{\"later\":[1,{\"x\":null}],");
        assertThat(MessageCodec.decodeAgent(text)).isEqualTo(HELLO);
    }

    @ParameterizedTest
    @ValueSource(strings = {"version", "cluster", "host", "bootId", "incarnation", "highestTerm", "type"})
    void a_missing_property_is_refused_by_name(String property) {
        String text = MessageCodec.encode(HELLO).replace("\"" + property + "\":", "\"was" + property + "\":");
        assertThatThrownBy(() -> MessageCodec.decodeAgent(text))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining(property);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ''                                                            | No content
            null                                                          | null
            [1]                                                           | type
            {"type":"no-such"}                                            | no-such
            {"type":"restart-notice","seq":1,"millis":"x"}                | millis
            {"type":"restart-notice","seq":null,"millis":1}               | seq
            {"type":"restart-notice","seq":1,"millis":1} {}               | railing
            {"type":"restart-notice","seq":1,"seq":1,"millis":1}          | Duplicate
            {"type":"command-reply","commandId":null,"outcome":{"type":"failed","reason":"r"},"observations":[]} | commandId
            {"type":"command-reply","commandId":"c","outcome":{"type":"failed"},"observations":[]} | reason
            {"type":"command-reply","commandId":"c","outcome":{"type":"failed","reason":"r"},"observations":[{"type":"address","resource":"nothing","present":true,"carrier":true,"enforced":true,"detail":""}]} | group/name
            {"type":"restart-no                                           | end-of-input
            """)
    void bad_input_is_one_clear_line(String text, String expected) {
        assertThatThrownBy(() -> MessageCodec.decodeAgent(text))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining(expected)
                .message()
                .satisfies(message -> assertThat(message.lines()).hasSize(1));
    }

    @Test
    void what_may_be_null_may_be_missing_in_the_words_of_an_older_peer() throws Exception {
        String text = """
                {"type":"consent","resource":"edge/192.0.2.10","epoch":8,"seq":1,"granted":true,"reason":""}""";
        assertThat(MessageCodec.decodePeer(text))
                .isEqualTo(new Consent(new ResourceId("edge", "192.0.2.10"), 8, 1, true, ""));
    }

    @Test
    void input_beyond_the_limit_is_refused() {
        String text = "{\"type\":\"" + "x".repeat(Json.MAX_CHARS) + "\"}";
        assertThatThrownBy(() -> MessageCodec.decodeAgent(text))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining("limit");
    }

    @Test
    void a_resource_is_a_key_too_and_derived_methods_are_not_written() throws Exception {
        Journaled entry = new Journaled.Held(Map.of(ResourceId.primary("shopdb"), 4L), Duration.ofMillis(1500), false);
        String text = Json.mapper().writerFor(Journaled.class).writeValueAsString(entry);
        assertThat(text)
                .isEqualTo(
                        "{\"type\":\"held\",\"epochs\":{\"shopdb/primary\":4},\"length\":\"PT1.5S\",\"live\":false}");
        assertThat(MessageCodec.decode(Journaled.class, text)).isEqualTo(entry);
        assertThat(Json.mapper().writeValueAsString(entry)).isEqualTo(text);
    }

    @Test
    void hierarchies_of_several_levels_and_empty_records_work() throws Exception {
        String text = Json.mapper().writerFor(Journaled.class).writeValueAsString(new Nested.Cleared());
        assertThat(text).isEqualTo("{\"type\":\"cleared\"}");
        assertThat(MessageCodec.decode(Journaled.class, text)).isEqualTo(new Nested.Cleared());
    }

    @Test
    void an_outcome_is_written_the_same_alone_and_inside_a_message() throws Exception {
        AgentMessage reply = new AgentMessage.CommandReply("c", new Outcome.Failed("r"), java.util.List.of());
        assertThat(MessageCodec.encode(reply)).contains(Json.mapper().writeValueAsString(new Outcome.Failed("r")));
        assertThat(MessageCodec.decodeAgent(MessageCodec.encode(reply))).isEqualTo(reply);
    }

    sealed interface Journaled permits Journaled.Held, Nested {
        record Held(Map<ResourceId, Long> epochs, Duration length, boolean live) implements Journaled {
            public boolean isLate() {
                return true;
            }

            public String getName() {
                return "not a component";
            }
        }
    }

    sealed interface Nested extends Journaled {
        record Cleared() implements Nested {}
    }
}
