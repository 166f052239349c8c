package dev.understudy.agent.database;

import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// One run of one of the server's own programs, whose complaints go to a file. Closed, it is ended.
final class Tool implements AutoCloseable {

    private static final int MOST_WORDS = 16 * 1024;

    private final Process process;
    private final String name;
    private final Path log;

    /// @param password for the program's environment, never among its arguments; empty for none
    /// @throws IOException the program is not there
    static Tool start(List<String> command, String password, Path log) throws IOException {
        Files.createDirectories(log.toAbsolutePath().getParent());
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(key -> key.startsWith("MYSQL"));
        if (!password.isEmpty()) {
            environment.put("MYSQL_PWD", password);
        }
        return new Tool(builder.start(), command.getFirst(), log);
    }

    private Tool(Process process, String name, Path log) {
        this.process = process;
        this.name = name;
        this.log = log;
    }

    Process process() {
        return process;
    }

    /// Waits for its end.
    ///
    /// @throws IOException it did not end well; the message has its last words
    void finish() throws IOException {
        try {
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException(name + " exited with " + exit + ": " + lastWords());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private String lastWords() {
        try {
            List<String> lines = end(log).lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
            return lines.stream()
                    .filter(line -> line.contains("ERROR") || line.contains("rror:"))
                    .reduce((_, last) -> last)
                    .or(() -> lines.isEmpty() ? java.util.Optional.empty() : java.util.Optional.of(lines.getLast()))
                    .map(line -> line.length() > 300 ? line.substring(0, 300) : line)
                    .orElse("no words, see " + log);
        } catch (IOException e) {
            return "its words cannot be read: " + e.getMessage();
        }
    }

    private static String end(Path file) throws IOException {
        try (RandomAccessFile all = new RandomAccessFile(file.toFile(), "r")) {
            all.seek(Math.max(0, all.length() - MOST_WORDS));
            byte[] bytes = new byte[MOST_WORDS];
            int read = Math.max(0, all.read(bytes));
            return new String(bytes, 0, read, StandardCharsets.ISO_8859_1);
        }
    }

    /// Whether a program of that name can be run.
    static boolean exists(String program) {
        String path = System.getenv().getOrDefault("PATH", "");
        return java.util.stream.Stream.of(path.split(File.pathSeparator, -1))
                .anyMatch(folder -> !folder.isEmpty() && Files.isExecutable(Path.of(folder, program)));
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(2, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                process.waitFor(2, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
