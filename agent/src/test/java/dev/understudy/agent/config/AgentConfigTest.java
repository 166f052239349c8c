package dev.understudy.agent.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AgentConfigTest {

    private static final String GOOD = """
            host: db1
            controllers: ["http://10.0.0.2:7440"]
            state: /var/lib/understudy/agent
            metrics: 127.0.0.1:7443
            services:
              mariadb.service:
                form: command
                start: [mariadbd-safe, "--datadir=/data"]
                stop: [mariadb-admin, shutdown]
                pid_file: /run/mariadb.pid
              haproxy.service: {form: systemd}
            databases:
              shopdb:
                socket: /run/mysqld/mysqld.sock
                user: root
                replication_user: repl
                replication_password_file: /etc/understudy/repl
            """;

    @TempDir
    Path folder;

    private AgentConfig read(String text) throws Exception {
        Path file = folder.resolve("agent.yml");
        Files.writeString(file, text);
        return AgentConfig.read(file);
    }

    @Test
    void a_whole_file_is_read() throws Exception {
        AgentConfig config = read(GOOD);
        assertThat(config.host()).isEqualTo("db1");
        assertThat(config.controllers()).containsExactly(URI.create("http://10.0.0.2:7440"));
        assertThat(config.metrics()).isEqualTo(new AgentConfig.Listen("127.0.0.1", 7443));
        assertThat(config.services()).containsOnlyKeys("mariadb.service");
        assertThat(config.services().get("mariadb.service"))
                .isEqualTo(new AgentConfig.CommandForm(
                        List.of("mariadbd-safe", "--datadir=/data"),
                        List.of("mariadb-admin", "shutdown"),
                        Path.of("/run/mariadb.pid")));
        assertThat(config.databases().get("shopdb"))
                .isEqualTo(new AgentConfig.DatabaseAccess(
                        Path.of("/run/mysqld/mysqld.sock"), "root", null, "repl", Path.of("/etc/understudy/repl")));
    }

    @Test
    void defaults_are_these() throws Exception {
        AgentConfig config = read("host: lb1\ncontrollers: [\"http://ctl:7440\"]\n");
        assertThat(config.state()).isEqualTo(Path.of("/var/lib/understudy/agent"));
        assertThat(config.metrics()).isEqualTo(new AgentConfig.Listen("0.0.0.0", 7443));
        assertThat(config.peer()).isEqualTo(new AgentConfig.Listen("0.0.0.0", 7442));
        assertThat(config.services()).isEmpty();
        assertThat(config.databases()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            host: db1                     |                              | 'host' is missing
            host: db1                     | host: []                     | agent.yml:1: host: expected a text
            host: db1                     | hots: db1                    | agent.yml:1: 'host' is missing
            host: db1                     | {host: db1, hots: db1}       | no YAML
            metrics: 127.0.0.1:7443       | metrik: 1                    | agent.yml:4: unknown key 'metrik', expected one of host, controllers, state, metrics
            metrics: 127.0.0.1:7443       | host: db2                    | agent.yml:4
            metrics: 127.0.0.1:7443       | metrics: 7443                | agent.yml:4: metrics: '7443' is not of the form address:port
            metrics: 127.0.0.1:7443       | metrics: a:99999             | agent.yml:4: metrics
            ["http://10.0.0.2:7440"]      | []                           | 'controllers' is missing
            ["http://10.0.0.2:7440"]      | ["10.0.0.2:7440"]            | agent.yml:2: controllers: '10.0.0.2:7440' is no
            ["http://10.0.0.2:7440"]      | ["https://10.0.0.2:7440"]    | agent.yml:2: controllers
            ["http://10.0.0.2:7440"]      | ["http://10.0.0.2"]          | agent.yml:2: controllers
            ["http://10.0.0.2:7440"]      | ["http://10.0.0.2:7440/x"]   | agent.yml:2: controllers
            ["http://10.0.0.2:7440"]      | [{a: b}]                     | agent.yml:2: controllers: expected a list of texts
            form: command                 | form: shell                  | agent.yml:7: services.mariadb.service.form: 'shell' is neither
            pid_file: /run/mariadb.pid    | pidfile: /run/mariadb.pid    | agent.yml:10: unknown key 'services.mariadb.service.pidfile'
            {form: systemd}               | {form: systemd, start: [a]}  | agent.yml:11: services.haproxy.service.form
            {form: systemd}               | systemd                      | agent.yml:11: services.haproxy.service: expected keys and values
            user: root                    | usr: root                    | 'databases.shopdb.user' is missing
            """)
    void bad_input_is_refused_with_one_line_that_names_file_and_line(String old, String replacement, String expected) {
        String text = GOOD.replace(old, replacement == null ? "" : replacement);
        assertThat(text).isNotEqualTo(GOOD);
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("agent.yml")
                .hasMessageContaining(expected)
                .message()
                .satisfies(message -> assertThat(message.lines()).hasSize(1));
    }

    @Test
    void nginxs_page_is_an_address_or_nothing() throws Exception {
        assertThat(read(GOOD).nginxStatus()).isEmpty();
        assertThat(read(GOOD + "nginx_status: http://127.0.0.1:8080/stub_status\n")
                        .nginxStatus())
                .contains(URI.create("http://127.0.0.1:8080/stub_status"));
        assertThatThrownBy(() -> read(GOOD + "nginx_status: /stub_status\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("nginx_status: '/stub_status' is not of the form http://host:port/path");
    }

    @Test
    void a_missing_an_empty_and_a_broken_file_are_refused_with_one_line() {
        assertThatThrownBy(() -> AgentConfig.read(folder.resolve("nowhere.yml")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("nowhere.yml: no such file");
        assertThatThrownBy(() -> read("")).isInstanceOf(ConfigException.class).hasMessageContaining("empty");
        assertThatThrownBy(() -> read("- a\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("agent.yml:1: expected keys and values");
        assertThatThrownBy(() -> read("host: [a\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("no YAML")
                .message()
                .satisfies(message -> assertThat(message.lines()).hasSize(1));
    }
}
