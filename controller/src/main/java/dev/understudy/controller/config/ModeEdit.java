package dev.understudy.controller.config;

import dev.understudy.protocol.ClusterSpec.Mode;
import java.util.Locale;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/// Changes the mode of one group in the text of a `cluster.yml` that is in force, and nothing else of it, so that
/// the text and what is in force stay the same thing.
public final class ModeEdit {

    private ModeEdit() {}

    /// Empty if the text has no such group where one is expected.
    public static Optional<String> withMode(String text, String group, Mode mode) {
        LoadSettings settings =
                LoadSettings.builder().setSchema(new CoreSchema()).build();
        String word = mode.name().toLowerCase(Locale.ROOT);
        return new Compose(settings)
                .composeString(text)
                .flatMap(root -> value(root, "groups"))
                .flatMap(groups -> value(groups, group))
                .filter(MappingNode.class::isInstance)
                .map(MappingNode.class::cast)
                .flatMap(found -> value(found, "mode")
                        .map(present -> replace(text, present, word))
                        .or(() -> insert(text, found, word)));
    }

    private static Optional<Node> value(Node node, String key) {
        if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) {
                if (tuple.getKeyNode() instanceof ScalarNode name
                        && name.getValue().equals(key)) {
                    return Optional.of(tuple.getValueNode());
                }
            }
        }
        return Optional.empty();
    }

    private static String replace(String text, Node present, String word) {
        int from = index(text, present.getStartMark());
        int to = index(text, present.getEndMark());
        return text.substring(0, from) + word + text.substring(to);
    }

    /// Before the group's first key.
    private static Optional<String> insert(String text, MappingNode group, String word) {
        if (group.getValue().isEmpty()) {
            return Optional.empty();
        }
        Optional<Mark> first = group.getValue().getFirst().getKeyNode().getStartMark();
        int at = index(text, first);
        String end = group.getFlowStyle() == FlowStyle.FLOW
                ? ", "
                : "\n" + " ".repeat(first.map(Mark::getColumn).orElse(0));
        return Optional.of(text.substring(0, at) + "mode: " + word + end + text.substring(at));
    }

    /// Marks count code points.
    private static int index(String text, Optional<Mark> mark) {
        int points = mark.map(Mark::getIndex)
                .orElseThrow(() -> new IllegalStateException("a node of a text has no place in it"));
        return text.offsetByCodePoints(0, points);
    }
}
