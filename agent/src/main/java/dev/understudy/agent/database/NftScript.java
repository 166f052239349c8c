package dev.understudy.agent.database;

import dev.understudy.protocol.Outcome;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// One run of nft over a script, as one transaction. Thread-safe; at most two seconds.
final class NftScript {

    /// What a run that went well has printed is this fact of its outcome.
    static final String PRINTED = "printed";

    private static final long TIMEOUT_SECONDS = 2;

    private NftScript() {}

    /// @param command nft with its arguments, reading from standard input
    static Outcome run(List<String> command, String script) {
        Process process = null;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            try (Writer input = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8)) {
                input.write(script);
            }
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                return new Outcome.Failed("nft took longer than " + TIMEOUT_SECONDS + " s");
            }
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return process.exitValue() == 0
                    ? said.isEmpty() ? Outcome.Done.withoutFacts() : new Outcome.Done(Map.of(PRINTED, said))
                    : new Outcome.Failed("nft: " + said.lines().findFirst().orElse("exit " + process.exitValue()));
        } catch (IOException e) {
            return new Outcome.Failed("nft: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Outcome.Failed("interrupted while nft ran");
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
        }
    }
}
