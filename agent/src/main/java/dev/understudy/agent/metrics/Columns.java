package dev.understudy.agent.metrics;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.StringTokenizer;

/// One line of a file of the kernel, split at blanks. What is not as expected is an [IOException]: kernels differ.
record Columns(String line, List<String> words) {

    static Columns of(String line) {
        StringTokenizer tokens = new StringTokenizer(line, " \t");
        List<String> words = new ArrayList<>(tokens.countTokens());
        while (tokens.hasMoreTokens()) {
            words.add(tokens.nextToken());
        }
        return new Columns(line, words);
    }

    static double number(String text) throws IOException {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw new IOException("'" + text + "' is no number", e);
        }
    }

    int size() {
        return words.size();
    }

    String word(int at) throws IOException {
        if (at >= words.size()) {
            throw new IOException("'" + line + "' has no column " + (at + 1));
        }
        return words.get(at);
    }

    double number(int at) throws IOException {
        return number(word(at));
    }
}
