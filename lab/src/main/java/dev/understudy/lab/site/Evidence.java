package dev.understudy.lab.site;

import dev.understudy.lab.kernel.Commands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Everything that helps to understand a site after the fact, copied into a folder.
public final class Evidence {

    private Evidence() {}

    /// Replaces the folder by: each host's logs, addresses, gates and database status; the controller's journal,
    /// state and events; the switch's rules. What cannot be had is left out, with its error in its place.
    public static void collect(Lab lab, ControllerApi api, Path folder) {
        try {
            Commands.run("rm", "-rf", folder.toString()).orThrow();
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("switch.nft"), lab.wires());
            Files.writeString(
                    folder.resolve("state.json"), api.text("api/v1/state").orElse("no answer\n"));
            Files.writeString(
                    folder.resolve("events.json"),
                    api.text("api/v1/events?limit=1000").orElse("no answer\n"));
            for (LabHost host : lab.hosts()) {
                Path target = Files.createDirectories(folder.resolve(host.name()));
                Commands.run("cp", "-a", host.folder().resolve("var/log").toString(), target.toString());
                Commands.run(
                        "cp", "-a", host.folder().resolve("var/lib/understudy").toString(), target.toString());
                Files.deleteIfExists(target.resolve("understudy/agent/classes.jsa"));
                Files.writeString(
                        target.resolve("addresses"), host.run("ip", "addr").output());
                Files.writeString(
                        target.resolve("gate.nft"),
                        host.run("nft", "list", "ruleset").output());
                Files.writeString(
                        target.resolve("processes"),
                        String.join(
                                        "\n",
                                        host.processes().stream()
                                                .map(Object::toString)
                                                .toList()) + "\n");
                if (host.plan().kind() == Topology.Kind.DATABASE) {
                    Files.writeString(
                            target.resolve("database"),
                            Databases.trySql(
                                            host,
                                            "SHOW SLAVE STATUS\\G SHOW GLOBAL STATUS LIKE 'Rpl_semi%';"
                                                    + " SELECT @@read_only, @@gtid_binlog_pos, @@gtid_slave_pos;"
                                                    + " SHOW PROCESSLIST;")
                                    .output());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the evidence in " + folder, e);
        }
    }
}
