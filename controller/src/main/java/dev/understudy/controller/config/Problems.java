package dev.understudy.controller.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/// Collects what is wrong with one file. Confined to one reading of it.
final class Problems {

    private final String file;
    private final List<Problem> found = new ArrayList<>();

    Problems(String file) {
        this.file = file;
    }

    void at(Node node, String path, String text) {
        at(lineOf(node), path, text);
    }

    void at(int line, String path, String text) {
        found.add(new Problem(file, line, path, text));
    }

    boolean none() {
        return found.isEmpty();
    }

    /// In the order of the lines.
    List<Problem> inOrder() {
        return found.stream().sorted(Comparator.comparingInt(Problem::line)).toList();
    }

    static int lineOf(Node node) {
        return node.getStartMark().map(Mark::getLine).orElse(-1) + 1;
    }
}
