package dev.understudy.agent.probe;

import dev.understudy.protocol.Observation.ServerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Reads what HAProxy's runtime socket prints. Pure. Columns are found by name, never by position: versions differ.
public final class HaproxyStats {

    private static final Set<String> NOT_SERVERS = Set.of("FRONTEND", "BACKEND");

    private HaproxyStats() {}

    /// The server lines of `show stat`, in its order.
    ///
    /// @throws IllegalArgumentException when the text has no header with the needed columns
    public static List<ServerState> servers(String stat) {
        List<String> lines = stat.lines().filter(line -> !line.isBlank()).toList();
        if (lines.isEmpty() || !lines.getFirst().startsWith("# ")) {
            throw new IllegalArgumentException("no header in the answer to 'show stat'");
        }
        List<String> header = fields(lines.getFirst().substring(2));
        int backend = column(header, "pxname");
        int server = column(header, "svname");
        int status = column(header, "status");
        int needed = Math.max(backend, Math.max(server, status));
        List<ServerState> servers = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            List<String> fields = fields(line);
            if (fields.size() > needed && !NOT_SERVERS.contains(fields.get(server))) {
                servers.add(new ServerState(fields.get(backend), fields.get(server), fields.get(status)));
            }
        }
        return servers;
    }

    /// A field of `show info`, empty if it is not there.
    public static String info(String info, String field) {
        return info.lines()
                .filter(line -> line.startsWith(field + ": "))
                .map(line -> line.substring(field.length() + 2).strip())
                .findFirst()
                .orElse("");
    }

    private static int column(List<String> header, String name) {
        int at = header.indexOf(name);
        if (at < 0) {
            throw new IllegalArgumentException("'show stat' has no column " + name);
        }
        return at;
    }

    /// Comma-separated, with quotes around fields that need them and doubled quotes inside.
    private static List<String> fields(String line) {
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                field.append(c);
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }
}
