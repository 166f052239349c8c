package dev.understudy.controller.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(name = "render", description = "Prints parts of other programs' configuration; changes nothing.")
final class RenderCommand implements Runnable {

    @ParentCommand
    private Understudy parent = new Understudy();

    @Override
    public void run() {
        throw new CliFailure(CliFailure.BAD_INPUT, "what? (see render --help)");
    }

    @Command(
            name = "haproxy-exporter",
            description = "A frontend for haproxy.cfg at which HAProxy's own exporter is scraped.")
    void haproxyExporter(
            @Option(names = "--port", paramLabel = "PORT", defaultValue = "8405", description = "Default: 8405.")
                    int port) {
        print(text("haproxy-exporter.cfg").replace("@PORT@", Integer.toString(checked(port))));
    }

    @Command(
            name = "prometheus",
            description = "A scrape configuration that finds every agent, controller and balancer by itself.")
    void prometheus(
            @Option(
                            names = "--haproxy-port",
                            paramLabel = "PORT",
                            defaultValue = "8405",
                            description = "Where balancers serve HAProxy's exporter (default: 8405).")
                    int port) {
        print(text("scrape.yml")
                .replace("@CONTROLLER@", parent.url())
                .replace("@PORT@", Integer.toString(checked(port))));
    }

    private static int checked(int port) {
        if (port < 1 || port > 65535) {
            throw new CliFailure(CliFailure.BAD_INPUT, "a port is a number from 1 to 65535, not " + port);
        }
        return port;
    }

    private void print(String text) {
        parent.out().print(text);
        parent.out().flush();
    }

    private static String text(String name) {
        try (InputStream in = RenderCommand.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
