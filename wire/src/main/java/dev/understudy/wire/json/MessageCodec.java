package dev.understudy.wire.json;

import dev.understudy.protocol.AgentMessage;
import dev.understudy.protocol.ClusterSpec;
import dev.understudy.protocol.ControllerMessage;
import dev.understudy.protocol.PeerMessage;
import tools.jackson.core.JacksonException;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.ObjectWriter;

/// Messages as text, one JSON object each; [Json] says how. Static and thread-safe. There is one golden sample for
/// each message, command, outcome and observation under src/test/resources/golden.
public final class MessageCodec {

    private static final ObjectWriter AGENT_WRITER = Json.mapper().writerFor(AgentMessage.class);
    private static final ObjectWriter CONTROLLER_WRITER = Json.mapper().writerFor(ControllerMessage.class);
    private static final ObjectWriter PEER_WRITER = Json.mapper().writerFor(PeerMessage.class);
    private static final ObjectWriter SPEC_WRITER = Json.mapper().writerFor(ClusterSpec.class);

    private MessageCodec() {}

    public static String encode(AgentMessage message) {
        return AGENT_WRITER.writeValueAsString(message);
    }

    public static String encode(ControllerMessage message) {
        return CONTROLLER_WRITER.writeValueAsString(message);
    }

    public static String encode(PeerMessage message) {
        return PEER_WRITER.writeValueAsString(message);
    }

    public static String encode(ClusterSpec spec) {
        return SPEC_WRITER.writeValueAsString(spec);
    }

    /// @throws MalformedMessage if the text is no message of an agent
    public static AgentMessage decodeAgent(String text) throws MalformedMessage {
        return decode(AgentMessage.class, text);
    }

    /// @throws MalformedMessage if the text is no message of a controller
    public static ControllerMessage decodeController(String text) throws MalformedMessage {
        return decode(ControllerMessage.class, text);
    }

    /// @throws MalformedMessage if the text is no message between agents
    public static PeerMessage decodePeer(String text) throws MalformedMessage {
        return decode(PeerMessage.class, text);
    }

    /// @throws MalformedMessage if the text is no cluster spec
    public static ClusterSpec decodeSpec(String text) throws MalformedMessage {
        return decode(ClusterSpec.class, text);
    }

    /// Reads any value with [Json#mapper()], with errors as one line.
    ///
    /// @param type a record or a sealed interface of ours, such as a journal entry's
    /// @throws MalformedMessage if the text is too long, no JSON, or not of this type
    public static <T> T decode(Class<T> type, String text) throws MalformedMessage {
        if (text.length() > Json.MAX_CHARS) {
            throw new MalformedMessage(
                    "message of " + text.length() + " characters is longer than the limit of " + Json.MAX_CHARS);
        }
        try {
            T value = Json.mapper().readValue(text, type);
            if (value == null) {
                throw new MalformedMessage("a JSON null is no message");
            }
            return value;
        } catch (JacksonException e) {
            throw new MalformedMessage(describe(e));
        }
    }

    private static String describe(JacksonException e) {
        String reason = e.getOriginalMessage().lines().findFirst().orElse("no reason given");
        StringBuilder where = new StringBuilder();
        for (JacksonException.Reference step : e.getPath()) {
            if (step.getPropertyName() != null) {
                where.append(where.isEmpty() ? "" : ".").append(step.getPropertyName());
            } else {
                where.append('[').append(step.getIndex()).append(']');
            }
        }
        TokenStreamLocation location = e.getLocation();
        String column =
                location == null ? "" : " (line " + location.getLineNr() + ", column " + location.getColumnNr() + ")";
        return (where.isEmpty() ? "" : where + ": ") + reason + column;
    }
}
