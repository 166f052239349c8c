package dev.understudy.agent.probe;

import dev.understudy.agent.act.service.CommandService;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A real HAProxy in master-worker mode that listens on sockets of a folder only: `app/web1` is up, `app/web2` has
/// nobody behind it, `app/web3` is not checked.
public final class Haproxy implements AutoCloseable {

    private final Path folder;
    private final CommandService service;

    public Haproxy(Path folder) throws IOException {
        this.folder = folder;
        Files.writeString(config(), """
                global
                  stats socket %1$s/admin.sock mode 600 level admin
                defaults
                  mode http
                  timeout connect 1s
                  timeout client 5s
                  timeout server 5s
                frontend edge
                  bind unix@%1$s/edge.sock
                  default_backend app
                frontend origin
                  bind unix@%1$s/origin.sock
                  http-request return status 200
                backend app
                  server web1 unix@%1$s/origin.sock check inter 100ms
                  server web2 unix@%1$s/nobody.sock check inter 100ms fall 1
                  server web3 unix@%1$s/nobody.sock
                """.formatted(folder));
        service = new CommandService(new CommandService.Definition(
                "haproxy",
                List.of(
                        "haproxy",
                        "-W",
                        "-D",
                        "-f",
                        config().toString(),
                        "-p",
                        pidFile().toString()),
                List.of(),
                pidFile(),
                folder.resolve("haproxy.log"),
                Duration.ofSeconds(10)));
    }

    public CommandService service() {
        return service;
    }

    public Path config() {
        return folder.resolve("haproxy.cfg");
    }

    public Path socket() {
        return folder.resolve("admin.sock");
    }

    public Path pidFile() {
        return folder.resolve("haproxy.pid");
    }

    @Override
    public void close() {
        service.kill();
        service.close();
    }
}
