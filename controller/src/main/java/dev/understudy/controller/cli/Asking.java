package dev.understudy.controller.cli;

import dev.understudy.controller.api.Api;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What the commands that ask for one thing have in common.
final class Asking {

    private Asking() {}

    /// Posts the body, without its empty values and with the name of who runs this, and prints the answer.
    static int post(Understudy parent, String what, Map<String, String> body) {
        try (ControllerClient client = parent.client()) {
            return post(parent, client, what, body);
        }
    }

    static int post(Understudy parent, ControllerClient client, String what, Map<String, String> body) {
        Map<String, String> full = new TreeMap<>(body);
        full.values().removeIf(String::isEmpty);
        String user = System.getProperty("user.name", "");
        if (!user.isEmpty()) {
            full.put("by", user);
        }
        Api.Accepted accepted = client.post(what, full);
        if (parent.json()) {
            parent.printJson(accepted);
        } else {
            parent.out().println(accepted.text());
        }
        return 0;
    }

    /// The name that the operator typed, given by an option or asked for; what was typed wrong is refused.
    ///
    /// @param given from `--yes`
    static String confirmed(Understudy parent, @Nullable String given, String name, String warning) {
        String typed = given;
        if (typed == null) {
            parent.out().println(warning);
            parent.out().print("Type " + name + " to go on: ");
            parent.out().flush();
            typed = readLine();
        }
        if (!name.equals(typed)) {
            throw new CliFailure(CliFailure.NOT_WELL, "'" + typed + "' is not '" + name + "': nothing was done");
        }
        return typed;
    }

    private static String readLine() {
        try {
            String line = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset())).readLine();
            return line == null ? "" : line.strip();
        } catch (IOException e) {
            throw new CliFailure(CliFailure.NOT_WELL, "nothing could be read: " + e.getMessage());
        }
    }
}
