package dev.understudy.dashboards;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The dashboards against the types of `@grafana/schema`, by TypeScript. Skipped, aloud, where there is no npm or it
/// cannot get the two packages.
class TypesTest {

    private static final Path WORK = Path.of("target", "types");

    private record Ran(int code, String said) {}

    @BeforeAll
    static void install() throws Exception {
        Files.createDirectories(WORK);
        for (String file : List.of("package.json", "package-lock.json", "check.js")) {
            Files.write(WORK.resolve(file), Files.readAllBytes(Path.of("types", file)));
        }
        Ran npm;
        try {
            npm = run("npm", "ci", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1");
        } catch (IOException e) {
            skip("npm is not there");
            return;
        }
        if (npm.code() != 0) {
            skip("npm cannot get the packages: " + npm.said());
        }
    }

    private static void skip(String because) {
        System.out.println("  NOT CHECKED: the dashboards against Grafana's types, because " + because);
        abort(because);
    }

    @Test
    void everyDashboardIsOfGrafanasTypes() throws Exception {
        Ran check = run("node", "check.js", Path.of("grafana").toAbsolutePath().toString());
        assertThat(check.said()).isEmpty();
        assertThat(check.code()).isZero();
    }

    @Test
    void aWordThatGrafanaDoesNotKnowIsFound(@TempDir Path folder) throws Exception {
        String hosts = Files.readString(Path.of("grafana", "hosts.json"));
        Files.writeString(
                folder.resolve("hosts.json"), hosts.replace("\"drawStyle\": \"line\"", "\"drawStyle\": \"lines\""));
        Ran check = run("node", "check.js", folder.toString());
        assertThat(check.code()).isEqualTo(1);
        assertThat(check.said()).contains("'\"lines\"' is not assignable");
    }

    private static Ran run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(WORK.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ran(process.waitFor(), said.strip());
    }
}
