package dev.understudy.controller.config;

/// One thing that is wrong with a file.
///
/// @param file the file's name as the user gave it
/// @param line counted from 1; 0 when the problem is not at a line (the file cannot be read)
/// @param path the key, such as `groups.edge.members`; empty at the top of the file
public record Problem(String file, int line, String path, String text) {

    /// `cluster.yml:17: groups.edge.members: 'lb3' is not declared under hosts (hosts: lb1, lb2)`.
    public String describe() {
        String place = line > 0 ? file + ":" + line : file;
        return place + ": " + (path.isEmpty() ? "" : path + ": ") + text;
    }
}
